//! What the coordinator's log has of driver programs. One for each test: they run in processes of their own.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use skep_tests::wait::until;
use tracing_subscriber::fmt::MakeWriter;

use crate::PATIENCE;

#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn start() -> Self {
        let log = Self::default();
        let lines = tracing_subscriber::fmt().json().with_writer(log.clone());
        lines.try_init().unwrap();
        log
    }

    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The process that was told its account after `others`.
    pub(crate) fn told_account(&self, others: usize) -> u32 {
        let told = || {
            let lines = self.lines();
            let mut told = lines.iter().map(|line| &line["fields"]).filter(|fields| {
                fields["message"] == "told its account of=account-1" && fields["driver"] == "sim"
            });
            let fields = told.nth(others)?;
            assert_eq!(fields["account"], "account-1");
            u32::try_from(fields["pid"].as_u64()?).ok()
        };
        until(PATIENCE, "a program is told its account", told).0
    }

    pub(crate) fn has(&self, part: &str) -> bool {
        self.lines().iter().any(|line| line["fields"].to_string().contains(part))
    }

    /// Milliseconds before each try to start a program again.
    pub(crate) fn waits(&self) -> Vec<u64> {
        let lines = self.lines();
        let waits = lines.iter().map(|line| &line["fields"]["wait_ms"]).filter(|wait| !wait.is_null());
        waits.map(|wait| wait.to_string().trim_matches('"').parse().unwrap()).collect()
    }

    /// Lines of a flood, and the bytes of the longest.
    pub(crate) fn flood(&self) -> (usize, usize) {
        let lines = self.lines();
        let messages = lines.iter().filter_map(|line| line["fields"]["message"].as_str());
        let flood: Vec<usize> = messages.filter(|message| message.contains("flood")).map(str::len).collect();
        (flood.len(), flood.into_iter().max().unwrap_or(0))
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
