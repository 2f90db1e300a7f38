//! Connections that a coordinator opened, because this host cannot reach it. They come from the front door's port,
//! through a socket that only root's processes can open; from there on they are like one that was dialled: the agent is
//! the TLS client, and trusts nobody but its cluster.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};

/// Where coordinators' connections are handed over. Clones share it.
#[derive(Debug, Clone)]
pub struct Called(Arc<UnixListener>);

impl Called {
    /// Beside the agent's other files.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("session.sock")
    }

    /// Takes the place of an agent that is gone; the data folder is for one at a time.
    pub fn listen(data_dir: &Path) -> io::Result<Self> {
        let path = Self::path(data_dir);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        Ok(Self(Arc::new(UnixListener::bind(path)?)))
    }

    pub(crate) async fn next(&self) -> io::Result<UnixStream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }
}

/// The next one, or never where none can come.
pub(super) async fn next(called: Option<&Called>) -> UnixStream {
    let Some(called) = called else { return std::future::pending().await };
    match called.next().await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::warn!(%error, "no connection can be handed over any more");
            std::future::pending().await
        }
    }
}
