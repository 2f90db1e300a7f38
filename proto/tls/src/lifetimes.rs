//! How long certificates live, and when to renew them.

use std::time::Duration;

use crate::WallTime;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Coordinators renew without quorum, but not without their own process: a month covers a long outage.
pub const COORDINATOR_CERTIFICATE: Duration = DAY.saturating_mul(30);
/// A deleted host's certificate is worth nothing for long, wherever its disk went.
pub const AGENT_CERTIFICATE: Duration = DAY;
/// A working day.
pub const PERSON_CERTIFICATE: Duration = HOUR.saturating_mul(12);
/// Docker access cannot be taken back for a person as a whole, only by serial: as short as a working day allows.
pub const DOCKER_CLIENT_CERTIFICATE: Duration = HOUR.saturating_mul(12);
/// The cluster's own authorities. Replacing them is a rollout over every host.
pub const ISSUER_CERTIFICATE: Duration = DAY.saturating_mul(3650);
/// Certificates are dated back by this much, so that a host whose clock is behind accepts them at once.
pub const BACKDATED: Duration = Duration::from_secs(5 * 60);

/// How long to wait, from `now`, until half of the certificate's life is over; zero when it is.
///
/// The other half is for trying again: a caller whose renewal failed waits a time of its own before the next try.
pub fn renew_after(not_before: WallTime, not_after: WallTime, now: WallTime) -> Duration {
    let half = not_after.since(not_before) / 2;
    not_before.after(half).since(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewed_at_half_life_and_at_once_when_that_is_over() {
        let (from, until) = (WallTime(1_000), WallTime(2_000));
        assert_eq!(renew_after(from, until, WallTime(1_000)), Duration::from_secs(500));
        assert_eq!(renew_after(from, until, WallTime(1_400)), Duration::from_secs(100));
        assert_eq!(renew_after(from, until, WallTime(1_500)), Duration::ZERO);
        assert_eq!(renew_after(from, until, WallTime(9_000)), Duration::ZERO);
    }

    #[test]
    fn dates_in_the_wrong_order_mean_now() {
        assert_eq!(renew_after(WallTime(2_000), WallTime(1_000), WallTime(2_000)), Duration::ZERO);
    }
}
