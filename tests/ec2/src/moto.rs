//! The emulator, as a process of its own.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::WorldError;

/// Python takes two seconds to start it; a machine under load, ten times that.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Moto {
    process: Child,
    pub(crate) port: u16,
}

impl Moto {
    pub(crate) async fn start() -> Result<Self, WorldError> {
        let program = program();
        // Somebody else may take the port meanwhile; then the emulator ends, and so does the test.
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let process = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| WorldError::NoMoto { program, source })?;
        let mut moto = Self { process, port };
        moto.answers().await?;
        Ok(moto)
    }

    async fn answers(&mut self) -> Result<(), WorldError> {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            let ended = self.process.try_wait()?.is_some();
            if ended || Instant::now() > deadline {
                return Err(WorldError::MotoSilent);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

/// Where `tests/run.sh` puts it: beside the other tools of the cache folder.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("SKEP_MOTO") {
        return named.into();
    }
    let cache = std::env::var_os("SKEP_CACHE").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/skep");
    cache.unwrap_or_else(home).join("moto/bin/moto_server")
}
