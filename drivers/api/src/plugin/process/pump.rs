//! Reads what a program writes, so that it never waits for us, and says some of it again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::splitter::{Allowance, Splitter, Verdict};
use super::{LogLine, LogSink};

const CHUNK_BYTES: usize = 16 * 1024;
/// Between two chunks of a flood: a program that writes as fast as it can is slowed down to 320 kB/s, not stopped, and
/// costs us next to nothing.
const FLOOD_PAUSE: Duration = Duration::from_millis(50);
/// What is told of a program's last words.
const TAIL_LINES: usize = 3;
const TAIL_CHARS: usize = 300;
/// What a program writes when it can be called.
const READY: &str = "serving ";

/// The last lines of a program, for whoever says why it is gone.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    fn add(&self, message: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == TAIL_LINES {
            lines.pop_front();
        }
        lines.push_back(message.chars().take(TAIL_CHARS).collect());
    }

    /// To be appended to a sentence.
    pub(super) fn told(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        if lines.is_empty() { String::new() } else { format!("; it said last: {}", lines.join(" / ")) }
    }
}

#[derive(Clone)]
pub(super) struct Pump {
    pid: u32,
    logs: LogSink,
    tail: Tail,
}

impl Pump {
    pub(super) fn new(pid: u32, logs: LogSink, tail: Tail) -> Self {
        Self { pid, logs, tail }
    }

    pub(super) async fn errors(self, from: impl AsyncRead + Unpin) {
        self.lines(from, |_| false).await;
    }

    /// The same for standard output, where it says that it serves.
    pub(super) async fn output(self, from: impl AsyncRead + Unpin, ready: oneshot::Sender<()>) {
        let mut ready = Some(ready);
        let announces = |line: &str| {
            let said = line.starts_with(READY);
            if let Some(ready) = ready.take_if(|_| said) {
                let _ = ready.send(());
            }
            said
        };
        self.lines(from, announces).await;
    }

    async fn lines(self, mut from: impl AsyncRead + Unpin, mut announces: impl FnMut(&str) -> bool) {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut splitter = Splitter::default();
        let mut allowance = Allowance::new(Instant::now());
        while let Ok(read) = from.read(&mut chunk).await
            && read > 0
        {
            splitter.push(&chunk[..read], |line| {
                if !announces(&line) {
                    self.say(&mut allowance, &line);
                }
            });
            if allowance.is_exceeded() {
                sleep(FLOOD_PAUSE).await;
            }
        }
        splitter.finish(|line| self.say(&mut allowance, &line));
        if allowance.dropped() > 0 {
            (self.logs)(self.pid, left_out(allowance.dropped()));
        }
    }

    fn say(&self, allowance: &mut Allowance, line: &str) {
        let verdict = allowance.ask(Instant::now());
        if let Verdict::SayAfter(dropped) = verdict {
            (self.logs)(self.pid, left_out(dropped));
        }
        if verdict != Verdict::Drop {
            let line = LogLine::read(line);
            self.tail.add(&line.message);
            (self.logs)(self.pid, line);
        }
    }
}

fn left_out(dropped: u64) -> LogLine {
    LogLine::warning(format!("{dropped} lines of the driver program were left out: it writes too many"))
}
