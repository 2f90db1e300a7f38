//! What a plugin writes: its address first, then lines for the log, for as long as it lives.
//!
//! Both pipes are read to their end whatever comes: a plugin that nobody reads stands still. Lines are cut, counted,
//! and freed of secrets and control characters before anybody sees them.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::oneshot;
use tracing::{debug, info, warn};

use super::process::Stopper;
use super::{Launch, Mask, PluginError};

/// Of a line; the rest is passed over.
const LINE_BYTES: usize = 4 * 1024;
/// Lines, and bytes of each, that an error repeats when a plugin dies.
const LAST_WORDS: usize = 8;
const LAST_WORD_BYTES: usize = 256;
/// How Go begins to tell of a panic. The reason comes first; the stacks of all threads follow.
const PANICS: [&str; 2] = ["panic: ", "fatal error: "];

/// One plugin's output, over both pipes.
#[derive(Debug)]
pub(super) struct Output {
    driver: String,
    machine: String,
    mask: Mask,
    bytes_max: u64,
    lines_max: u64,
    bytes: AtomicU64,
    lines: AtomicU64,
    last_words: Mutex<VecDeque<String>>,
    stopper: Stopper,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pipe {
    Out,
    Err,
}

impl Output {
    pub(super) fn new(launch: &Launch, stopper: Stopper) -> Arc<Self> {
        Arc::new(Self {
            driver: launch.driver.clone(),
            machine: launch.machine.clone(),
            mask: launch.mask.clone(),
            bytes_max: launch.limits.output_bytes,
            lines_max: launch.limits.log_lines,
            bytes: AtomicU64::new(0),
            lines: AtomicU64::new(0),
            last_words: Mutex::default(),
            stopper,
        })
    }

    /// The last lines, in one.
    pub(super) fn last_words(&self) -> String {
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        if words.is_empty() { "none".to_owned() } else { Vec::from(words.clone()).join(" | ") }
    }

    /// Standard output. The plugin is connected at the address in its first line.
    pub(super) async fn drain_out(
        self: Arc<Self>,
        pipe: impl AsyncRead + Unpin,
        address: oneshot::Sender<SocketAddr>,
    ) {
        let mut pipe = BufReader::new(pipe);
        // At its end the process ends as well, and says more.
        let Ok(Some(line)) = self.line(&mut pipe).await else { return };
        match line.trim().parse::<SocketAddr>() {
            // Another address would have us talk to whom the plugin likes.
            Ok(at) if at.ip().is_loopback() => drop(address.send(at)),
            _ => self.stopper.stop(PluginError::NoAddress { line: shortened(&self.clean(&line)) }),
        }
        self.drain(pipe, Pipe::Out).await;
    }

    pub(super) async fn drain_err(self: Arc<Self>, pipe: impl AsyncRead + Unpin) {
        self.drain(BufReader::new(pipe), Pipe::Err).await;
    }

    async fn drain(&self, mut pipe: impl AsyncBufRead + Unpin, from: Pipe) {
        while let Ok(Some(line)) = self.line(&mut pipe).await {
            self.tell(&self.clean(&line), from);
        }
    }

    fn tell(&self, line: &str, from: Pipe) {
        self.remember(line);
        let told = self.lines.fetch_add(1, Ordering::Relaxed);
        if told == self.lines_max {
            warn!(
                driver = self.driver,
                machine = self.machine,
                lines = told,
                "the plugin says too much; no more of it is logged"
            );
        } else if told < self.lines_max {
            match from {
                Pipe::Out => info!(driver = self.driver, machine = self.machine, line, "plugin"),
                Pipe::Err => debug!(driver = self.driver, machine = self.machine, line, "plugin"),
            }
        }
    }

    fn remember(&self, line: &str) {
        let mut words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let panics = |line: &str| PANICS.iter().any(|panic| line.starts_with(panic));
        if panics(line) {
            words.clear();
        } else if words.len() == LAST_WORDS {
            if words.front().is_some_and(|first| panics(first)) {
                return;
            }
            words.pop_front();
        }
        words.push_back(shortened(line));
    }

    /// Secrets first: some of them have control characters, and some go on where a line is cut.
    fn clean(&self, line: &str) -> String {
        let masked = self.mask.front(line, LINE_BYTES);
        masked.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }

    /// The next line without its end, or as much of it as shows that it is too long; None after the last.
    async fn line(&self, pipe: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut begun = false;
        loop {
            let buffer = pipe.fill_buf().await?;
            if buffer.is_empty() {
                return Ok(begun.then(|| String::from_utf8_lossy(&line).into_owned()));
            }
            begun = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            line.extend_from_slice(&part[..part.len().min(LINE_BYTES + 1 - line.len())]);
            let taken = end.map_or(buffer.len(), |end| end + 1);
            pipe.consume(taken);
            self.count(taken as u64);
            if end.is_some() {
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
        }
    }

    fn count(&self, bytes: u64) {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.bytes_max {
            self.stopper.stop(PluginError::Flooded(self.bytes_max));
        }
    }
}

fn shortened(line: &str) -> String {
    line[..line.floor_char_boundary(LAST_WORD_BYTES)].to_owned()
}
