//! Follows the plugin path for as long as a coordinator runs.
//!
//! ```text
//! every few seconds: the files ─► as they were, or still being written ─► nothing
//!                         ├─► others, twice the same ─────────────────► ask all ──────────┐
//! whoever asks (SIGHUP) ──┴───────────────────────────────────────────► ask all ──────────┼─► tell
//! some did not say what they are, a while ago ────────────────────────► ask these again ──┘
//! ```

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::look::Whom;
use super::scan;
use super::{Plugins, Timing, look};

/// When programs that did not say what they are are asked again.
#[derive(Debug)]
struct Again {
    backoff: Backoff,
    due: Option<Instant>,
}

impl Again {
    fn new(timing: &Timing) -> Self {
        Self { backoff: Backoff::new(timing.again_first, timing.again_last), due: None }
    }

    fn looked(&mut self, has_failed: bool) {
        self.due = has_failed.then(|| Instant::now() + self.backoff.wait(Duration::ZERO));
    }

    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }
}

impl Plugins {
    /// Tells `changed` after each look that found something different, until `stop`. One look at a time, however often
    /// it is `asked` for meanwhile.
    pub async fn follow(&self, asked: mpsc::Receiver<()>, stop: CancellationToken, changed: impl Fn(&Self)) {
        tokio::select! { () = self.look_on(asked, changed) => {}, () = stop.cancelled() => {} }
    }

    async fn look_on(&self, mut asked: mpsc::Receiver<()>, changed: impl Fn(&Self)) {
        let timing = &self.host.timing;
        let (mut looked_at, mut seen) = (self.looked_at.clone(), self.looked_at.clone());
        let mut again = Again::new(timing);
        again.looked(self.found().has_failed());
        loop {
            let by_word = tokio::select! {
                Some(()) = asked.recv() => true,
                () = sleep(timing.look_every) => false,
            };
            let Some(marks) = scan::away(&self.path, scan::marks).await else { continue };
            // A file that is being copied is another one each time.
            let settled = marks == seen;
            seen.clone_from(&marks);
            let same = marks == looked_at;
            let whom = if by_word || (settled && !same) {
                again = Again::new(timing);
                Whom::All
            } else if same && again.is_due() {
                Whom::Failed
            } else {
                continue;
            };
            looked_at = marks;
            if self.look_again(whom).await {
                changed(self);
            }
            again.looked(self.found().has_failed());
        }
    }

    async fn look_again(&self, whom: Whom) -> bool {
        // Nobody else changes it.
        let before = self.found().clone();
        let found = look::look(&self.host, &self.path, &before, whom).await.since(&before);
        let same = found.is(&before);
        *self.found() = found;
        !same
    }
}
