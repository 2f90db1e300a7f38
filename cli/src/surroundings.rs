//! Everything a command touches outside the cluster, gathered so that tests can replace it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::client::Dial;

/// Environment variables, as they were at the start.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// An empty variable is one that is not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

type Sink = Arc<Mutex<dyn Write + Send>>;

/// Results go to `out`, everything else to `err`.
#[derive(Clone)]
pub struct Streams {
    pub out: Sink,
    pub err: Sink,
    /// Whether `err` is a terminal that lines may be redrawn on.
    pub live: bool,
    /// Whether somebody is there to answer questions.
    pub asks: bool,
}

impl Streams {
    pub fn print(&self, text: &str) -> io::Result<()> {
        write(&self.out, text)
    }

    /// Chatter: that nobody can read it is no reason to fail.
    pub fn tell(&self, text: &str) {
        let _ = write(&self.err, text);
    }
}

fn write(sink: &Sink, text: &str) -> io::Result<()> {
    let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
    sink.write_all(text.as_bytes())?;
    sink.flush()
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("live", &self.live).field("asks", &self.asks).finish_non_exhaustive()
    }
}

pub struct Surroundings {
    pub variables: Variables,
    pub streams: Streams,
    /// Cancelled by Ctrl-C.
    pub interrupt: CancellationToken,
    /// Wall time, for the dates beside events.
    pub now: fn() -> jiff::Timestamp,
    /// The folder of this program: `skepd` stands beside it.
    pub program_folder: Option<PathBuf>,
    /// How to reach a coordinator; None to do it with the configuration's certificate.
    pub dial: Option<Dial>,
}

impl Surroundings {
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self {
            variables: variables.collect(),
            streams: Streams {
                out: Arc::new(Mutex::new(io::stdout())),
                err: Arc::new(Mutex::new(io::stderr())),
                live: io::stderr().is_terminal(),
                asks: io::stdin().is_terminal(),
            },
            interrupt: CancellationToken::new(),
            now: jiff::Timestamp::now,
            program_folder: std::env::current_exe().ok().and_then(|path| path.parent().map(PathBuf::from)),
            dial: None,
        }
    }

    /// Whether the person at the terminal says yes. Only where `streams.asks`.
    pub async fn confirm(&self, question: &str) -> io::Result<bool> {
        self.streams.tell(&format!("{question} [y/N] "));
        let answer = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).map(|_| line)
        });
        tokio::select! {
            () = self.interrupt.cancelled() => Ok(false),
            answer = answer => {
                let answer = answer.map_err(io::Error::other)??;
                Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
            }
        }
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("streams", &self.streams).finish_non_exhaustive()
    }
}
