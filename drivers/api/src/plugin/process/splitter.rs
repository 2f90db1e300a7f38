//! Lines out of chunks, each bounded, and how many of them may be repeated.

use std::time::Duration;

use tokio::time::Instant;

/// What of a line is kept; a program's JSON with a stack trace fits.
const LINE_BYTES: usize = 8 * 1024;
/// A program may tell a story at once, and then speak now and then.
const LINES_BURST: u32 = 500;
const LINE_EVERY: Duration = Duration::from_millis(50);

/// Cuts what is read into lines; what a line has too much is left out.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    line: Vec<u8>,
    too_long: bool,
}

impl Splitter {
    /// Calls `each` with every line that ends in `chunk`.
    pub(super) fn push(&mut self, chunk: &[u8], mut each: impl FnMut(String)) {
        let mut rest = chunk;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.keep(&rest[..end]);
            rest = &rest[end + 1..];
            self.end(&mut each);
        }
        self.keep(rest);
    }

    /// What stands behind the last line's end.
    pub(super) fn finish(&mut self, mut each: impl FnMut(String)) {
        if !self.line.is_empty() {
            self.end(&mut each);
        }
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LINE_BYTES - self.line.len();
        self.too_long |= part.len() > room;
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn end(&mut self, each: &mut impl FnMut(String)) {
        let mut line = String::from_utf8_lossy(&self.line).trim_end().to_owned();
        if self.too_long {
            line.push('…');
        }
        self.line.clear();
        self.too_long = false;
        if !line.is_empty() {
            each(line);
        }
    }
}

/// A token bucket of lines.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    since: Instant,
    dropped: u64,
}

/// Whether a line may be repeated.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Say,
    /// The first after some that were left out: how many.
    SayAfter(u64),
    Drop,
}

impl Allowance {
    pub(super) fn new(now: Instant) -> Self {
        Self { left: LINES_BURST, since: now, dropped: 0 }
    }

    pub(super) fn ask(&mut self, now: Instant) -> Verdict {
        let earned = (now - self.since).as_millis() / LINE_EVERY.as_millis();
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            self.left = self.left.saturating_add(earned).min(LINES_BURST);
            self.since = now;
        }
        if self.left == 0 {
            self.dropped += 1;
            return Verdict::Drop;
        }
        self.left -= 1;
        match std::mem::take(&mut self.dropped) {
            0 => Verdict::Say,
            dropped => Verdict::SayAfter(dropped),
        }
    }

    pub(super) fn is_exceeded(&self) -> bool {
        self.left == 0
    }

    /// Lines left out that nothing was said of yet.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_where_they_end_and_where_they_are_too_long() {
        let mut lines = Vec::new();
        let mut splitter = Splitter::default();
        for chunk in ["on", "e\n\ntwo\r\nthr", "ee"] {
            splitter.push(chunk.as_bytes(), |line| lines.push(line));
        }
        splitter.finish(|line| lines.push(line));
        assert_eq!(lines, ["one", "two", "three"]);

        lines.clear();
        for _ in 0..100 {
            splitter.push(&[b'x'; 1000], |line| lines.push(line));
        }
        splitter.push(b"\nshort\n", |line| lines.push(line));
        assert_eq!(lines[0].len(), LINE_BYTES + '…'.len_utf8());
        assert_eq!(lines[1], "short");
    }

    #[test]
    fn a_flood_is_counted_instead_of_repeated() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        for _ in 0..LINES_BURST {
            assert_eq!(allowance.ask(start), Verdict::Say);
        }
        for _ in 0..1_000 {
            assert_eq!(allowance.ask(start), Verdict::Drop);
        }
        let later = start + LINE_EVERY * 2;
        assert_eq!(allowance.ask(later), Verdict::SayAfter(1_000));
        assert_eq!(allowance.ask(later), Verdict::Say);
        assert_eq!(allowance.ask(later), Verdict::Drop);
    }
}
