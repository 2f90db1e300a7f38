//! Wall time: for certificates only. Everything else that waits or expires goes by monotonic or cluster time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970, UTC: the resolution of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub u64);

impl WallTime {
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_secs()))
    }

    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.as_secs()))
    }

    /// How long it is from `earlier` to this; zero if it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

impl From<WallTime> for SystemTime {
    fn from(time: WallTime) -> Self {
        UNIX_EPOCH + Duration::from_secs(time.0)
    }
}

/// The one reading of the wall clock.
#[allow(
    clippy::disallowed_methods,
    reason = "certificates are dated in wall time; nothing else is decided by it"
)]
pub fn wall_now() -> WallTime {
    WallTime(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}
