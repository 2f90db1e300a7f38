//! What a plugin says, without the account's secrets.

use std::io::Write;
use std::sync::{Arc, Mutex};

use skep_machine_protocol::{Action, Mask};
use tracing::subscriber::DefaultGuard;

use crate::setup::{Bench, list, refusal, text};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Of this thread, from now on.
    fn begin() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// All that is logged of a plugin which prints its secret.
async fn told(secret: &str) -> String {
    let (log, _guard) = Log::begin();
    let bench = Bench::new();
    let mut launch = bench.testhost();
    launch.mask = Mask::new([secret.to_owned()]);
    let plugin = bench.configured(launch, &[("secret", text(secret))]).await;
    plugin.act(Action::PreCreateCheck).await.unwrap();
    plugin.close().await.unwrap();
    log.text()
}

#[tokio::test]
async fn output_is_logged_without_secrets() {
    let told = told("hunter2").await;
    assert!(told.contains("the secret is [secret]") && told.contains("(m1) PreCreateCheck"), "{told}");
    assert!(!told.contains("hunter2"));
}

#[tokio::test]
async fn a_secret_of_many_lines_is_in_none_of_the_logs() {
    let told = told("-----BEGIN KEY-----\nMIIEvQIBADAN\n\tBgkqhkiG9w0B\n-----END KEY-----\n").await;
    for line in ["BEGIN", "MIIEvQIBADAN", "BgkqhkiG9w0B", "END"] {
        assert!(!told.contains(line), "{told}");
    }
    assert_eq!(told.matches("[secret]").count(), 4, "{told}");
}

#[tokio::test]
async fn nothing_of_a_secret_is_logged_where_its_line_is_cut() {
    let told = told(&"hunter2 ".repeat(1000)).await;
    assert!(told.contains("the secret is [secret]") && !told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn errors_are_told_without_secrets() {
    let bench = Bench::new();
    let mut launch = bench.testhost();
    launch.mask = Mask::new(["as asked".to_owned()]);
    let plugin = bench.configured(launch, &[("fail", list(&["Stop"]))]).await;
    assert_eq!(refusal(plugin.act(Action::Stop).await), "Stop fails [secret]");
}

#[tokio::test]
async fn nothing_of_a_secret_is_in_an_error_where_it_is_cut() {
    let bench = Bench::new();
    let mut launch = bench.testhost();
    launch.mask = Mask::new(["hunter2".repeat(10)]);
    // A path that is too long for a file, and is told with the error.
    let cloud = format!("/{}{}", "x".repeat(4070), "hunter2".repeat(10));
    let plugin = bench.configured(launch, &[("cloud", text(&cloud))]).await;
    let told = refusal(plugin.act(Action::Remove).await);
    assert!(told.ends_with("xxx[secret]") && told.len() < 4096 + "[secret]".len(), "{told}");
}
