//! `skep-sim`: one simulated cloud in a process of its own, behind a driver socket.

mod arguments;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use skep_driver::Shared;
use skep_sim::{Agents, SimDriver, SimWorld};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use arguments::Arguments;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(arguments.log.clone())
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    skep_tls::install_provider();
    raise_file_limit()?;
    let config = arguments.config()?;
    let agents = Agents::new(Agents::timing());
    let world = SimWorld::new(config, agents.clone()).context("the configuration cannot be used")?;
    let listener = bind(&arguments.socket).await?;
    let shutdown = until_signalled()?;
    announce(&arguments.socket)?;
    let kind = Shared(Arc::new(SimDriver::new(world.clone())));
    let served = skep_driver::plugin::serve(Arc::new(kind), listener, shutdown).await;
    agents.end().await;
    remove(&arguments.socket)?;
    if let Some(path) = &arguments.report {
        report(&world, path)?;
    }
    info!(instances = world.live().len(), "simulation ended");
    served.context("cannot serve the driver socket")?;
    Ok(ExitCode::SUCCESS)
}

/// Each agent holds a connection: as many files as the system lets this process have.
fn raise_file_limit() -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
        .context("cannot raise the limit of open files")
}

/// Takes the place of a process that is gone, never of one that still answers.
async fn bind(socket: &Path) -> anyhow::Result<UnixListener> {
    let shown = socket.display();
    anyhow::ensure!(UnixStream::connect(socket).await.is_err(), "somebody already serves {shown}");
    remove(socket)?;
    UnixListener::bind(socket).with_context(|| format!("cannot listen on {shown}"))
}

fn remove(socket: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", socket.display()))
        }
        _ => Ok(()),
    }
}

fn report(world: &SimWorld, path: &Path) -> anyhow::Result<()> {
    let text = serde_json::to_string(&world.took()).context("the report cannot be written as JSON")?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// One line on standard output tells whoever started this that the socket answers.
fn announce(socket: &Path) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "serving unix:{}", socket.display())
        .context("cannot write to standard output")
}

fn until_signalled() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let shutdown = CancellationToken::new();
    let signalled = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        signalled.cancel();
    });
    Ok(shutdown)
}
