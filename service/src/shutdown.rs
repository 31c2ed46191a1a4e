//! How a process ends: a signal asks, everybody drains, and after a while nobody is waited for.

use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long running work may take to end after the signal. Kubernetes kills after 30 s.
pub const GRACE: Duration = Duration::from_secs(20);

/// A token that is cancelled by SIGTERM, SIGINT (Ctrl-C) or SIGHUP. A second signal ends the process at once.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn on_signals() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let mut signals =
        [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?];
    let cancel = token.clone();
    tokio::spawn(async move {
        any(&mut signals).await;
        tracing::info!("asked to stop, draining");
        cancel.cancel();
        any(&mut signals).await;
        tracing::warn!("asked again, stopping at once");
        std::process::exit(130);
    });
    Ok(token)
}

/// Waits for everything in `tasks`, but not longer than `grace`. Says whether everything ended.
pub async fn drain(tasks: &TaskTracker, grace: Duration) -> bool {
    tasks.close();
    let drained = tokio::time::timeout(grace, tasks.wait()).await.is_ok();
    if !drained {
        tracing::warn!(tasks = tasks.len(), "some work did not end in time");
    }
    drained
}

async fn any([terminate, interrupt, hangup]: &mut [Signal; 3]) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn draining_waits_for_running_work() {
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        tasks.spawn(stop.clone().cancelled_owned());
        assert!(!drain(&tasks, Duration::from_millis(1)).await);
        stop.cancel();
        assert!(drain(&tasks, GRACE).await);
    }
}
