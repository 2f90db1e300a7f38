//! Credentials of a command: when it is run again, and what holds while that fails.

use std::io::{self, Write};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

const HOUR: u64 = 3600;

/// An account whose command prints another key each time.
struct Signed {
    lab: Lab,
    log: Log,
    _guard: DefaultGuard,
}

impl Signed {
    /// For `life` seconds, from each run of the command.
    fn new(life: u64) -> Self {
        let (lab, log) = (Lab::new(), Log::default());
        let lines = tracing_subscriber::fmt().with_writer(log.clone()).without_time().with_ansi(false);
        let guard = tracing::subscriber::set_default(lines.finish());
        let signed = Self { lab, log, _guard: guard };
        signed.prints(life);
        let command = CredentialSource::Command { name: "sign-in".to_owned(), arguments: Vec::new() };
        signed.lab.change(|account| account.settings.credentials = command);
        signed
    }

    fn does(&self, what: &str) {
        let path = self.lab.folder.path().join("sign-in");
        let script = format!("#!/bin/sh\necho x >>$0.runs\n{what}\n");
        // By another name first: a script that is being written cannot be run.
        let new = path.with_extension("new");
        std::fs::write(&new, script).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&new, &path).unwrap();
    }

    /// Good for `life` seconds from now.
    fn prints(&self, life: u64) {
        let expires = i64::try_from(self.lab.clock.wall().0 + life).unwrap();
        let expires = jiff::Timestamp::from_second(expires).unwrap();
        let key = "k$(wc -l <$0.runs)";
        self.does(&format!(
            r#"echo "{{\"credentials\": {{\"key\": \"{key}\"}}, \"expires_at\": \"{expires}\"}}""#
        ));
    }

    fn runs(&self) -> usize {
        let runs = std::fs::read_to_string(self.lab.folder.path().join("sign-in.runs"));
        runs.unwrap_or_default().lines().count()
    }

    fn at(&self, seconds: u64) {
        self.lab.clock.0.store(seconds, Ordering::Relaxed);
    }

    async fn ready(&self) -> Result<(), DriverError> {
        self.lab.accounts.ready(&prod()).await
    }

    async fn destroys(&self) -> Result<(), DriverError> {
        self.lab.accounts.acting(&prod(), &self.lab.lease)?.destroy("c", &[]).await.map(drop)
    }

    fn revoke(&self, key: &str) {
        self.lab.kind.revoked.lock().unwrap().push(key.to_owned());
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn count(&self, part: &str) -> usize {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(part)).count()
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

#[tokio::test]
async fn they_are_read_again_five_minutes_before_they_expire() {
    let signed = Signed::new(HOUR);
    for seconds in [0, 1, HOUR - 301] {
        signed.at(seconds);
        signed.ready().await.unwrap();
    }
    assert_eq!((signed.lab.keys(), signed.runs()), (vec!["k1".to_owned()], 1));
    signed.at(HOUR - 300);
    signed.prints(HOUR);
    signed.ready().await.unwrap();
    signed.ready().await.unwrap();
    assert_eq!((signed.lab.keys(), signed.runs()), (vec!["k1".to_owned(), "k2".to_owned()], 2));
}

#[tokio::test]
async fn a_tenth_of_a_short_life_is_enough() {
    let signed = Signed::new(100);
    signed.ready().await.unwrap();
    signed.at(89);
    signed.ready().await.unwrap();
    assert_eq!(signed.runs(), 1);
    signed.at(90);
    signed.prints(100);
    signed.ready().await.unwrap();
    assert_eq!(signed.runs(), 2);
}

/// A driver that was opened is not opened again for nothing.
#[tokio::test]
async fn the_same_credentials_go_on() {
    let signed = Signed::new(HOUR);
    signed.ready().await.unwrap();
    signed.at(HOUR - 300);
    signed.does(r#"echo '{"credentials": {"key": "k1"}}'"#);
    signed.ready().await.unwrap();
    signed.at(HOUR * 24);
    signed.ready().await.unwrap();
    assert_eq!((signed.lab.keys(), signed.runs()), (vec!["k1".to_owned()], 2));
}

#[tokio::test]
async fn while_that_fails_those_before_are_used_until_they_expire() {
    let signed = Signed::new(HOUR);
    signed.ready().await.unwrap();
    signed.does("echo nobody is signed in >&2; exit 4");
    for (seconds, runs) in [(HOUR - 300, 2), (HOUR - 271, 2), (HOUR - 270, 3), (HOUR - 1, 4)] {
        signed.at(seconds);
        signed.ready().await.unwrap();
        signed.destroys().await.unwrap();
        assert_eq!(signed.runs(), runs, "at {seconds}");
    }
    assert_eq!(signed.log.count("they are still good"), 3);
    assert_eq!(signed.log.count("nobody is signed in"), 3);
    // However short a time ago the last try was.
    for seconds in [HOUR, HOUR + 1, HOUR + 29] {
        signed.at(seconds);
        let error = signed.ready().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth);
        assert!(error.message.contains("nobody is signed in"), "{error}");
        assert_eq!(signed.destroys().await.unwrap_err().kind, ErrorKind::Unavailable, "nothing was sent");
    }
    assert_eq!(signed.lab.keys(), ["k1"]);
    signed.prints(HOUR);
    signed.destroys().await.unwrap();
    assert_eq!(signed.lab.keys().len(), 2);
}

#[tokio::test]
async fn those_that_have_expired_already_are_not_used() {
    let signed = Signed::new(HOUR);
    signed.at(HOUR);
    let error = signed.ready().await.unwrap_err();
    assert!(error.message.contains("expired"), "{error}");
}

/// A call that was refused did nothing: it is made once more when there are others.
#[tokio::test]
async fn a_refused_call_has_them_read_early_at_most_once_a_minute() {
    let signed = Signed::new(HOUR);
    signed.ready().await.unwrap();
    signed.at(60);
    signed.revoke("k1");
    signed.destroys().await.unwrap();
    assert_eq!((signed.lab.keys(), signed.runs()), (vec!["k1".to_owned(), "k2".to_owned()], 2));
    signed.revoke("k2");
    signed.at(119);
    for _ in 0..3 {
        let error = signed.destroys().await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Auth, "k2 was revoked"));
    }
    assert_eq!(signed.runs(), 2);
    signed.at(120);
    signed.does("exit 4");
    for _ in 0..3 {
        assert_eq!(signed.destroys().await.unwrap_err().kind, ErrorKind::Auth);
    }
    assert_eq!((signed.runs(), signed.log.count("they are still good")), (3, 1));
    signed.at(180);
    signed.prints(HOUR);
    signed.destroys().await.unwrap();
    assert_eq!(signed.lab.keys().len(), 3);
}

/// Its refusal is not the account's last word, and costs no host.
#[tokio::test]
async fn a_call_whose_credentials_expired_on_its_way_is_made_again_when_there_are_others() {
    let signed = Signed::new(HOUR);
    signed.ready().await.unwrap();
    signed.does("exit 4");
    signed.at(HOUR - 1);
    signed.ready().await.unwrap();
    let (_, used) = signed.lab.accounts.used(&prod()).unwrap();
    let driver = used.opening.current().await.unwrap();
    assert!(!used.opening.refused(&driver).await, "they are good, and were read a moment ago");
    signed.at(HOUR);
    assert!(used.opening.refused(&driver).await);
    assert_eq!(signed.destroys().await.unwrap_err().kind, ErrorKind::Unavailable);
}

/// What is stored is what the record says, however often it is looked at.
#[tokio::test]
async fn what_is_stored_is_not_read_early() {
    let lab = Lab::new();
    lab.accounts.ready(&prod()).await.unwrap();
    lab.clock.0.store(HOUR, Ordering::Relaxed);
    lab.kind.revoked.lock().unwrap().push("one".to_owned());
    let driver = lab.accounts.acting(&prod(), &lab.lease).unwrap();
    assert_eq!(driver.destroy("c", &[]).await.unwrap_err().kind, ErrorKind::Auth);
    assert_eq!(lab.keys(), ["one"]);
    lab.rotate("two");
    driver.destroy("c", &[]).await.unwrap();
}
