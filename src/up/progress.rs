//! What a person reads while `bedside up` starts: one calm line a step, with its time.

use std::{future::Future, io::Write as _, time::Instant};

/// Says `what`, does it, and says how long it took.
pub async fn step<T>(what: &str, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    print!("  {what:<42}");
    let _ = std::io::stdout().flush(); // a closed terminal is no reason to stop
    let start = Instant::now();
    let result = work.await;
    match &result {
        Ok(_) => println!(" {:>5.1} s", start.elapsed().as_secs_f32()),
        Err(_) => println!(" failed"),
    }
    result
}
