//! Runs one command line and says what came out.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use skep::{Streams, Surroundings};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::fake::Fake;

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A person's shell: a folder with a configuration, and variables.
pub(crate) struct Shell {
    pub(crate) folder: TempDir,
    pub(crate) interrupt: CancellationToken,
    fake: Option<Fake>,
    variables: Vec<(String, String)>,
}

/// What a command line left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit: {}\n--- stdout\n{}--- stderr\n{}", self.code, self.out, self.err)
    }
}

impl Shell {
    /// With a configuration that names three coordinators, all of them `fake`.
    pub(crate) fn new(fake: &Fake) -> Self {
        let shell = Self { fake: Some(fake.clone()), ..Self::without_cluster() };
        shell.write_config(&["c1:1", "c2:1", "c3:1"]);
        shell
    }

    pub(crate) fn without_cluster() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            interrupt: CancellationToken::new(),
            fake: None,
            variables: Vec::new(),
        }
    }

    pub(crate) fn write_config(&self, coordinators: &[&str]) {
        let text = format!(
            "cluster = \"c0\"\ncoordinators = {coordinators:?}\nca = \"ca.pem\"\ncertificate = \"person.pem\"\nkey = \"person.key\"\n"
        );
        std::fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// `line` is what stands after `skep`.
    pub(crate) async fn run(&self, line: &str) -> Outcome {
        let (out, err) = (Buffer::default(), Buffer::default());
        let mut arguments = vec![OsString::from("skep")];
        arguments.extend(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from));
        let own = [("SKEP_CONFIG".to_owned(), self.config().display().to_string())];
        let surroundings = Surroundings {
            variables: own.into_iter().chain(self.variables.clone()).collect(),
            streams: Streams {
                out: Arc::new(Mutex::new(out.clone())),
                err: Arc::new(Mutex::new(err.clone())),
                live: false,
                asks: false,
            },
            interrupt: self.interrupt.clone(),
            now: || "2026-01-02T03:04:05Z".parse().unwrap(),
            program_folder: Some("/nonexistent".into()),
            dial: self.fake.as_ref().map(Fake::dial),
        };
        let exit = skep::run(arguments, surroundings).await;
        let place = self.folder.path().to_str().unwrap();
        Outcome {
            code: exit.code(),
            out: out.text().replace(place, "FOLDER"),
            err: err.text().replace(place, "FOLDER"),
        }
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
