//! How far ahead of what a machine's program has read its input is sent.
//!
//! A server takes megabytes before the program has read a byte, and OpenSSH copies all that waits whenever more comes: on
//! a busy machine that costs several times what the transfer does. So no more is sent than it has room for in small
//! buffers, and then as much as it says that it has passed on.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Enough for 2.5 MB/s over a way of 100 ms there and back.
const AHEAD_MAX: u32 = 256 * 1024;
/// OpenSSH speaks after 96 KiB, others after half of their window, which may be more than we let wait: one that says
/// nothing for so long is waited for again only when it has spoken.
const SILENCE: Duration = Duration::from_secs(1);

/// Of one channel's input.
#[derive(Debug)]
pub(super) struct Pace {
    /// What the server has room for, each time it says so.
    windows: watch::Receiver<u32>,
    ahead: Ahead,
    silent: bool,
}

/// What was sent and is not known to be passed on; about, for a word of the server is older than what was sent since.
#[derive(Debug, Default)]
struct Ahead {
    /// The most room it ever spoke of.
    most: u32,
    bytes: u32,
}

impl Pace {
    pub(super) fn new(windows: watch::Receiver<u32>) -> Self {
        Self { windows, ahead: Ahead::default(), silent: false }
    }

    /// How many of `wanted` bytes, of which there are some, are to be sent now: at least one.
    pub(super) async fn take(&mut self, wanted: usize) -> usize {
        let mut spoken = self.windows.has_changed().unwrap_or(false);
        loop {
            if spoken {
                self.ahead.told(*self.windows.borrow_and_update());
                self.silent = false;
            }
            if self.silent {
                return wanted.min(AHEAD_MAX as usize);
            }
            let taken = self.ahead.take(wanted);
            if taken > 0 {
                return taken;
            }
            spoken = matches!(timeout(SILENCE, self.windows.changed()).await, Ok(Ok(())));
            self.silent = !spoken;
        }
    }
}

impl Ahead {
    fn take(&mut self, wanted: usize) -> usize {
        let taken = u32::try_from(wanted).unwrap_or(u32::MAX).min(AHEAD_MAX.saturating_sub(self.bytes));
        self.bytes += taken;
        taken as usize
    }

    fn told(&mut self, window: u32) {
        self.most = self.most.max(window);
        self.bytes = self.most - window;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: u32 = 2 * 1024 * 1024;
    const PACKET: u32 = 32 * 1024;

    #[test]
    fn no_more_waits_at_the_server_than_it_passes_on() {
        let mut ahead = Ahead::default();
        let (mut window, mut unread, mut worst) = (WINDOW, 0, 0);
        for _ in 0..1000 {
            let sent = u32::try_from(ahead.take(usize::MAX)).unwrap();
            (window, unread) = (window - sent, unread + sent);
            worst = worst.max(unread);
            // As OpenSSH does it: by more than three packets.
            let read = unread.min(3 * PACKET + 1);
            (window, unread) = (window + read, unread - read);
            ahead.told(window);
        }
        assert!(worst < 2 * AHEAD_MAX, "{worst}");
    }

    #[test]
    fn what_was_passed_on_makes_room_again() {
        let mut ahead = Ahead::default();
        assert_eq!(ahead.take(10), 10);
        assert_eq!(ahead.take(usize::MAX), AHEAD_MAX as usize - 10);
        assert_eq!(ahead.take(1), 0);
        ahead.told(WINDOW);
        assert_eq!(ahead.take(usize::MAX), AHEAD_MAX as usize);
        ahead.told(WINDOW - 1000);
        assert_eq!(ahead.take(usize::MAX), AHEAD_MAX as usize - 1000);
    }

    const SOME: usize = AHEAD_MAX as usize;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_waited_for_once_and_again_when_it_has_spoken() {
        let (server, windows) = watch::channel(0);
        let mut pace = Pace::new(windows);
        let began = tokio::time::Instant::now();
        assert_eq!(pace.take(10 * SOME).await, SOME);
        assert_eq!(began.elapsed(), Duration::ZERO);
        for wanted in [10 * SOME, 10 * SOME] {
            assert_eq!(pace.take(wanted).await, SOME);
            assert_eq!(began.elapsed(), SILENCE);
        }
        assert_eq!(pace.take(7).await, 7);
        server.send_replace(WINDOW);
        assert_eq!(pace.take(10 * SOME).await, SOME);
        assert_eq!(began.elapsed(), SILENCE);
        assert_eq!(pace.take(10 * SOME).await, SOME);
        assert_eq!(began.elapsed(), 2 * SILENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_speaks_is_waited_for_no_longer_than_that() {
        let (server, windows) = watch::channel(0);
        let mut pace = Pace::new(windows);
        let began = tokio::time::Instant::now();
        for _ in 0..10 {
            assert_eq!(pace.take(SOME).await, SOME);
            server.send_replace(WINDOW);
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
