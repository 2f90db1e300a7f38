//! Between two tries of a call.

use std::time::Duration;

use skep_driver::{DriverError, ErrorKind};

pub(super) const FIRST: Duration = Duration::from_millis(250);
pub(super) const LONGEST: Duration = Duration::from_secs(15);

/// Rests, and returns the next pause: twice as long.
pub(super) async fn wait(pause: Duration, error: &DriverError) -> Duration {
    rest(pause, error).await;
    (pause * 2).min(LONGEST)
}

/// As long as the driver asked, at least the pause.
pub(super) async fn rest(pause: Duration, error: &DriverError) {
    let asked = match error.kind {
        ErrorKind::Throttled { retry_after } => retry_after,
        _ => Duration::ZERO,
    };
    tokio::time::sleep(pause.max(asked)).await;
}
