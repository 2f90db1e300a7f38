//! Follows the plugin path for as long as a coordinator runs.
//!
//! ```text
//! every few seconds: the files ─► as they were, or still being written ─► nothing
//!                         └─► others, twice the same ─┐
//! whoever asks (SIGHUP) ──────────────────────────────┴─► look ─► tell
//! ```

use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::scan::{self, Mark};
use super::{Plugins, look};

impl Plugins {
    /// Tells `changed` after each look that found something different, until `stop`. One look at a time, however often
    /// it is `asked` for meanwhile.
    pub async fn follow(&self, asked: mpsc::Receiver<()>, stop: CancellationToken, changed: impl Fn(&Self)) {
        tokio::select! { () = self.look_on(asked, changed) => {}, () = stop.cancelled() => {} }
    }

    async fn look_on(&self, mut asked: mpsc::Receiver<()>, changed: impl Fn(&Self)) {
        let (mut looked_at, mut seen) = (self.looked_at.clone(), self.looked_at.clone());
        loop {
            let by_word = tokio::select! {
                Some(()) = asked.recv() => true,
                () = sleep(self.host.timing.look_every) => false,
            };
            let marks = self.marks().await;
            // A file that is being copied is another one each time.
            let settled = marks == seen;
            seen.clone_from(&marks);
            if !by_word && (!settled || marks == looked_at) {
                continue;
            }
            looked_at = marks;
            if self.look_again().await {
                changed(self);
            }
        }
    }

    async fn look_again(&self) -> bool {
        let found = look::look(&self.host, &self.path).await;
        let mut current = self.found();
        let found = found.since(&current);
        let same = found.is(&current);
        *current = found;
        !same
    }

    /// Away from the threads that serve: a folder of a thousand programs takes a moment.
    async fn marks(&self) -> Vec<Mark> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || scan::marks(&path)).await.unwrap_or_default()
    }
}
