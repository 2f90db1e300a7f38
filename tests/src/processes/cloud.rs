//! One `skep-sim` process as a cloud: what driver programs in other languages are tried against.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::simulator;

/// Ends when it is dropped, and with the test's process however that ends: it holds its input.
#[derive(Debug)]
pub struct Cloud {
    process: Child,
    endpoint: String,
    /// Its configuration and its key.
    _folder: TempDir,
}

impl Cloud {
    /// `config` is TOML, as of `skep-sim --config`. Returns when it answers.
    pub fn start(config: &str, key: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("skep-cloud-").tempdir().unwrap();
        let (config_file, key_file) = (folder.path().join("sim.toml"), folder.path().join("key"));
        std::fs::write(&config_file, config).unwrap();
        std::fs::write(&key_file, key).unwrap();
        let mut command = Command::new(simulator());
        command.args(["--cloud", "127.0.0.1:0", "--log", "error", "--config"]).arg(config_file);
        command.arg("--cloud-key-file").arg(key_file).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut cloud = Self { process, endpoint: String::new(), _folder: folder };
        // One line, or the end of its output when it could not start.
        said.read_line(&mut cloud.endpoint).unwrap();
        let endpoint = cloud.endpoint.trim_end().strip_prefix("serving ");
        cloud.endpoint = endpoint.expect("skep-sim serves").to_owned();
        cloud
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
