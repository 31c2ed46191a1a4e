//! Pages that keep themselves up to date: a stream of server-sent events that sends a part of the page again whenever
//! it would look different. What happened is only a reason to read Postgres again, and it is read every few seconds
//! anyway, so a dead Redis delays a change and loses none.

use crate::{errors::PageError, state::WebState};
use axum::{
    http::header,
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt as _, stream};
use service::bus::Topic;
use std::{convert::Infallible, future::Future, pin::pin, time::Duration};
use tokio::time::MissedTickBehavior;

/// How often a page is compared with the database when nothing is heard.
const REREAD_EVERY: Duration = Duration::from_secs(5);

/// What a page becomes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// The part of the page that `data-live` marks, as HTML. Sent only if it differs from what was sent last.
    Fragment(String),
    /// The browser goes to another page, and the stream ends.
    Go(String),
}

/// The stream of one page. `look` is asked again after each happening on `topics` and every [`REREAD_EVERY`].
///
/// An error ends the stream; the browser comes back by itself and meets the page's own answer.
pub fn live<F, Fut>(state: &WebState, topics: &[Topic], look: F) -> Result<impl IntoResponse + use<F, Fut>, PageError>
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Result<Live, PageError>> + Send,
{
    let seat = state.live_pages.clone().try_acquire_owned().map_err(|_| PageError::TooMany)?;
    let happenings = stream::select_all(topics.iter().map(|topic| state.bus.subscribe(*topic)));
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        // Ends when the browser goes away: sending fails, or nobody listens any more.
        tokio::select! {
            () = tell(happenings, look, &sender) => {}
            () = sender.closed() => {}
        }
        drop(seat);
    });
    let events = tokio_stream::wrappers::ReceiverStream::new(receiver).map(Ok::<_, Infallible>);
    let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)));
    // Stricter than the `no-cache` that comes with a stream of events: it shows a person.
    Ok(([(header::CACHE_CONTROL, "no-store")], stream))
}

async fn tell<F, Fut>(
    happenings: impl Stream<Item = service::bus::Happening>,
    look: F,
    sender: &tokio::sync::mpsc::Sender<Event>,
) where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Live, PageError>>,
{
    let mut happenings = pin!(happenings);
    let mut clock = tokio::time::interval(REREAD_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shown = None;
    loop {
        tokio::select! {
            // The first tick comes at once: whatever changed since the page was rendered is sent.
            _ = clock.tick() => {}
            Some(_) = happenings.next() => {}
        }
        let Ok(seen) = look().await else { return };
        if shown.as_ref() == Some(&seen) {
            continue;
        }
        let is_last = matches!(seen, Live::Go(_));
        if sender.send(event(&seen)).await.is_err() || is_last {
            return;
        }
        shown = Some(seen);
    }
}

fn event(seen: &Live) -> Event {
    match seen {
        Live::Fragment(html) => Event::default().event("fragment").data(html),
        Live::Go(path) => Event::default().event("go").data(path),
    }
}
