//! An operation under way: one line per phase that is redrawn, or plain lines where nothing can be redrawn.

mod live;
mod text;

use skep_proto::v1::Operation;

use crate::surroundings::Streams;
use live::Live;
pub(crate) use text::summary;

/// Plain lines go to logs: one a second, by the operation's own clock, says enough.
const PLAIN_INTERVAL_MS: u64 = 1_000;

#[derive(Debug)]
pub(crate) struct Progress<'a> {
    streams: &'a Streams,
    live: Option<Live>,
    /// What the last plain line said, and at which age of the operation.
    told: Option<(String, u64)>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(streams: &'a Streams) -> Self {
        Self { streams, live: streams.live.then(Live::new), told: None }
    }

    pub(crate) fn show(&mut self, operation: &Operation) {
        match &mut self.live {
            Some(live) => live.show(operation),
            None => self.tell(operation),
        }
    }

    fn tell(&mut self, operation: &Operation) {
        let text = text::state(operation);
        let tell = match &self.told {
            None => true,
            Some((last, at)) => *last != text && operation.age_ms >= at + PLAIN_INTERVAL_MS,
        };
        if tell {
            self.streams.tell(&text::plain(operation));
            self.told = Some((text, operation.age_ms));
        }
    }

    /// Takes the redrawn lines away.
    pub(crate) fn clear(&mut self) {
        if let Some(live) = self.live.take() {
            live.clear();
        }
    }
}
