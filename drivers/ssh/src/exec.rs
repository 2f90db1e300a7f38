//! Runs one of our scripts at the machine: the script and its data travel on stdin, what it says is kept in bounds.
//!
//! ```text
//! command:  [sudo …] sh -c 'eval "$(dd bs=1 count=4096)"' skep "$SSH_CONNECTION"
//! stdin:    [password\n] script, padded to 4096 bytes │ data
//! ```
//! The command is the same for every script and every machine, understood by any login shell, and all that `ps` and
//! sudo's log see. `dd bs=1` takes the script and not a byte of the data, which no shell promises of itself.

mod pace;

use std::time::Duration;

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelWriteHalf};
use tokio::sync::watch;
use tokio::time::timeout;

use self::pace::Pace;
use crate::sudo::Root;
use crate::{Connection, Error, Kind};

/// Every script is padded to this.
const SCRIPT_BYTES: usize = 4096;
/// Of each of stdout and stderr the last so many bytes are kept: what went wrong stands at the end.
const OUTPUT_BYTES_MAX: usize = 32 * 1024;

/// A script of ours. Never made from input.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    text: &'static str,
    /// For messages: "looking at the machine".
    what: &'static str,
    as_root: bool,
    limit: Duration,
}

/// What a script said, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// 0 is success; 128 and more is a signal.
    pub status: u32,
    pub stdout: String,
    pub stderr: String,
}

impl Script {
    /// # Panics
    ///
    /// When compiled as a constant: of a text that is too long.
    pub const fn new(text: &'static str, what: &'static str, limit: Duration) -> Self {
        assert!(text.len() < SCRIPT_BYTES);
        Self { text, what, as_root: false, limit }
    }

    #[must_use]
    pub const fn as_root(self) -> Self {
        Self { as_root: true, ..self }
    }

    pub(crate) fn what(&self) -> &'static str {
        self.what
    }
}

impl Output {
    /// The end of what was said, for an error: stderr, or stdout where that is empty.
    pub(crate) fn last_words(&self) -> String {
        const CHARS_MAX: usize = 600;
        let text = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let text = text.trim();
        let from = text.char_indices().rev().nth(CHARS_MAX - 1).map_or(0, |(at, _)| at);
        text[from..].chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

impl Connection {
    /// Runs `script` to its end with `data` on stdin. A status other than 0 is an answer, not an error.
    pub async fn run(&self, script: Script, data: Vec<Bytes>) -> Result<Output, Error> {
        let root = if script.as_root { self.root().await? } else { &Root::Already };
        self.run_with(root, script, data).await
    }

    pub(crate) async fn run_with(
        &self,
        root: &Root,
        script: Script,
        data: Vec<Bytes>,
    ) -> Result<Output, Error> {
        let mut stdin = Vec::with_capacity(data.len() + 2);
        stdin.extend(root.password_line());
        stdin.push(padded(script.text));
        stdin.extend(data);
        let command = format!("{}{SHELL}", root.prefix());
        self.exec(command, stdin, script.what, script.limit).await
    }

    pub(crate) async fn exec(
        &self,
        command: String,
        stdin: Vec<Bytes>,
        what: &'static str,
        limit: Duration,
    ) -> Result<Output, Error> {
        let late = || Kind::TimedOut { address: self.address().to_owned(), doing: what, after: limit };
        match timeout(limit, Box::pin(self.exec_unbounded(command, stdin, what))).await {
            Ok(result) => result,
            Err(_) => Err(late().into()),
        }
    }

    async fn exec_unbounded(
        &self,
        command: String,
        stdin: Vec<Bytes>,
        what: &'static str,
    ) -> Result<Output, Error> {
        let link = &self.inner.target;
        let channel = link.handle.channel_open_session().await.map_err(|error| link.explain(what, error))?;
        channel.exec(true, command).await.map_err(|error| link.explain(what, error))?;
        let (mut from, to) = channel.split();
        let mut collected = Collected::default();
        let (windows, told) = watch::channel(0);
        let writing = write(to, stdin, Pace::new(told));
        tokio::pin!(writing);
        let mut written = false;
        loop {
            tokio::select! {
                message = from.wait() => {
                    if let Some(ChannelMsg::WindowAdjusted { new_size }) = message {
                        windows.send_replace(new_size);
                    } else if !message.is_some_and(|message| collected.take(message)) {
                        break;
                    }
                }
                // What could not be written was not wanted: the status tells.
                _ = &mut writing, if !written => written = true,
            }
        }
        collected.finish(self.address(), what, link.notes.goodbye())
    }
}

/// Its name and the connection as the machine sees it are the script's `$0` and `$1`.
const SHELL: &str = r#"sh -c 'eval "$(dd bs=1 count=4096 2>/dev/null)"' skep "$SSH_CONNECTION""#;

fn padded(text: &str) -> Bytes {
    let mut padded = text.as_bytes().to_vec();
    padded.resize(SCRIPT_BYTES, b'\n');
    padded.into()
}

async fn write(to: ChannelWriteHalf<Msg>, stdin: Vec<Bytes>, mut pace: Pace) -> Result<(), russh::Error> {
    for mut bytes in stdin {
        while !bytes.is_empty() {
            let piece = bytes.split_to(pace.take(bytes.len()).await);
            to.data_bytes(piece).await?;
        }
    }
    to.eof().await
}

#[derive(Debug, Default)]
struct Collected {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: Option<u32>,
    refused: bool,
}

impl Collected {
    /// Whether there may be more.
    fn take(&mut self, message: ChannelMsg) -> bool {
        match message {
            ChannelMsg::Data { data } => keep_end(&mut self.stdout, &data),
            ChannelMsg::ExtendedData { data, .. } => keep_end(&mut self.stderr, &data),
            ChannelMsg::ExitStatus { exit_status } => self.status = Some(exit_status),
            // As shells tell it; which signal it was stands in stderr, if anywhere.
            ChannelMsg::ExitSignal { .. } => self.status = Some(128),
            ChannelMsg::Failure => {
                self.refused = true;
                return false;
            }
            ChannelMsg::Close => return false,
            _ => {}
        }
        true
    }

    fn finish(self, address: &str, what: &'static str, said: String) -> Result<Output, Error> {
        let address = address.to_owned();
        if self.refused {
            let why = "it runs no commands".to_owned();
            return Err(Kind::Protocol { address, why }.into());
        }
        let Some(status) = self.status else {
            return Err(Kind::Dropped { address, doing: what, said }.into());
        };
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Output { status, stdout: text(self.stdout), stderr: text(self.stderr) })
    }
}

fn keep_end(kept: &mut Vec<u8>, data: &[u8]) {
    kept.extend_from_slice(data);
    if kept.len() > OUTPUT_BYTES_MAX {
        kept.drain(..kept.len() - OUTPUT_BYTES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_output_is_kept() {
        let mut kept = Vec::new();
        for number in 0..10_000 {
            keep_end(&mut kept, format!("line {number}\n").as_bytes());
        }
        assert_eq!(kept.len(), OUTPUT_BYTES_MAX);
        assert!(kept.ends_with(b"line 9999\n"));
    }

    #[test]
    fn last_words_are_those_of_stderr_on_one_line() {
        let output = |stdout: &str, stderr: &str| Output {
            status: 1,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        };
        assert_eq!(output("out", " bad\nworse\n").last_words(), "bad worse");
        assert_eq!(output("out\n", "\n").last_words(), "out");
        assert_eq!(output("", &"ü".repeat(10_000)).last_words().chars().count(), 600);
    }

    #[test]
    fn scripts_are_padded_with_what_a_shell_ignores() {
        let padded = padded("true");
        assert_eq!(padded.len(), SCRIPT_BYTES);
        assert!(padded.starts_with(b"true\n\n"));
        assert!(SHELL.contains(&format!("count={SCRIPT_BYTES} ")));
    }

    #[test]
    fn a_channel_that_ends_without_a_status_was_cut_off() {
        let mut collected = Collected::default();
        assert!(collected.take(ChannelMsg::Data { data: Bytes::from_static(b"x") }));
        assert!(!collected.take(ChannelMsg::Close));
        let error = collected.finish("h:22", "looking", String::new()).unwrap_err();
        assert!(matches!(error.kind, Kind::Dropped { .. }), "{error}");
    }
}
