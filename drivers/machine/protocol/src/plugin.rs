//! A plugin: a program that serves one driver for one machine, for as long as it is asked to.
//!
//! ```text
//! Launch ─► process ── first line of output: the address ──► rpc::Client
//!             │ output: logs, counted                          │ calls, each with its time
//!             │                                                │ heartbeat, every five seconds
//!             ▼                                                ▼
//!          supervise ◄────────────── stop(why) ────────── hung, flooding, lying, not wanted any more
//!             └─► ended(why): what every call under way, and every later one, is told
//! ```
//!
//! A plugin has no way to be told to stop what it does: it is asked to close, or killed with its process group. One
//! that ended by itself or closed leaves its children alone: some are the machines it made.

mod calls;
mod error;
mod flags;
mod heart;
mod launch;
mod limits;
mod mask;
mod output;
mod process;

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use calls::{Action, MachineState, Property};
pub use error::PluginError;
pub use flags::{CreateFlag, FlagValue};
pub use launch::{Launch, PluginUser};
pub use limits::Limits;
pub use mask::Mask;

use crate::gob::{TypeId, Value};
use crate::rpc::{CallError, Client, ConnectionError};
use process::Process;

/// The version of the protocol; there is no other.
const VERSION: i64 = 1;
/// The service's name, and the one it had before version 0.5.1.
const SERVICES: [&str; 2] = ["RPCServerDriver", "RpcServerDriver"];

/// Of an error's text: what people read, and what is kept, is shorter.
const ERROR_BYTES: usize = 4 * 1024;

/// One running plugin. Dropped, it is killed.
#[derive(Debug)]
pub struct Plugin {
    service: &'static str,
    rpc: Arc<Client>,
    process: Process,
    /// None until the service's name is known.
    heart: Option<JoinHandle<()>>,
    limits: Limits,
    mask: Mask,
}

impl Plugin {
    pub async fn start(launch: Launch) -> Result<Self, PluginError> {
        let limit = launch.limits.start;
        let (process, address) = Process::start(&launch)?;
        let connected = async {
            // Without an address the process has ended, or is about to be.
            let address = address.await.ok()?;
            let stream = TcpStream::connect(address).await.map_err(ConnectionError::Io);
            Some(match stream {
                Ok(stream) => Client::connect(stream, flags::argument_types()).await,
                Err(error) => Err(error),
            })
        };
        let rpc = match timeout(limit, connected).await {
            Ok(Some(Ok(rpc))) => Arc::new(rpc),
            Ok(Some(Err(error))) => return Err(process.stop(PluginError::Protocol(Arc::new(error))).await),
            Ok(None) => return Err(process.ended().await),
            Err(_) => return Err(process.stop(PluginError::Hung { method: "its start" }).await),
        };
        let (service, mask, limits) = (SERVICES[0], launch.mask, launch.limits);
        let mut plugin = Self { service, rpc, process, heart: None, limits, mask };
        plugin.agree_on_version().await?;
        let heart = heart::start(plugin.service, Arc::clone(&plugin.rpc), plugin.process.stopper(), limits);
        plugin.heart = Some(heart);
        Ok(plugin)
    }

    async fn agree_on_version(&mut self) -> Result<(), PluginError> {
        let mut answer = self.version().await;
        if let Err(PluginError::Refused(_)) = answer {
            self.service = SERVICES[1];
            answer = self.version().await;
        }
        match answer? {
            VERSION => Ok(()),
            other => Err(self.process.stop(PluginError::Version(other)).await),
        }
    }

    /// Asks it to end, and sees to it that it does.
    pub async fn close(mut self) -> Result<(), PluginError> {
        let limit = self.limits.close;
        let ended = async {
            let method = format!("{}.Close", self.service);
            // It ends in the middle of the reply, often.
            let _ = self.rpc.call(&method, flags::NOTHING, &nothing()).await;
            self.process.ended().await
        };
        let outcome = match timeout(limit, ended).await {
            Ok(PluginError::Died { status, .. }) if status.success() => Ok(()),
            Ok(error) => Err(error),
            Err(_) => Err(self.process.stop(PluginError::Hung { method: "Close" }).await),
        };
        self.join().await;
        outcome
    }

    /// Ends it at once, with its process group.
    pub async fn kill(mut self) {
        self.process.stop(PluginError::Stopped).await;
        self.join().await;
    }

    /// The process's number, for people who look.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// All tasks end with the process.
    async fn join(&mut self) {
        if let Some(heart) = &mut self.heart {
            let _ = heart.await;
        }
        self.process.join().await;
    }

    async fn call(&self, method: &'static str, id: TypeId, argument: &Value) -> Result<Value, PluginError> {
        let limit = self.limits.of(method);
        let name = format!("{}.{method}", self.service);
        match timeout(limit, self.rpc.call(&name, id, argument)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(CallError::Refused(text))) => {
                Err(PluginError::Refused(self.mask.front(&text, ERROR_BYTES)))
            }
            Ok(Err(CallError::Argument(error))) => Err(PluginError::Argument(error)),
            Ok(Err(CallError::Broken(reason))) => Err(self.broken(reason).await),
            Err(_) => Err(self.process.stop(PluginError::Hung { method }).await),
        }
    }

    /// A connection that was closed mostly says that the process has ended, which says more.
    async fn broken(&self, reason: Arc<ConnectionError>) -> PluginError {
        if !reason.is_lie()
            && let Ok(ended) = timeout(self.limits.close, self.process.ended()).await
        {
            return ended;
        }
        self.process.stop(PluginError::Protocol(reason)).await
    }

    /// The reply as what it should be; a plugin that answers with something else is ended.
    async fn read<T>(
        &self,
        method: &'static str,
        reply: &Value,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, PluginError> {
        match read(reply) {
            Some(value) => Ok(value),
            None => Err(self.process.stop(PluginError::WrongReply { method }).await),
        }
    }
}

/// Go's `struct{}`.
fn nothing() -> Value {
    Value::Struct(Vec::new())
}
