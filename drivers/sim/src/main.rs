//! `skep-sim`: one simulated cloud in a process of its own, behind a driver socket.

mod arguments;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use skep_driver::Shared;
use skep_driver::plugin::{Program, log_as_json};
use skep_sim::{Agents, SimDriver, SimWorld};
use tracing::info;

use arguments::Arguments;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    log_as_json(&arguments.log);
    skep_tls::install_provider();
    raise_file_limit()?;
    let config = arguments.config()?;
    let agents = Agents::new(Agents::timing());
    let world = SimWorld::new(config, agents.clone()).context("the configuration cannot be used")?;
    let program = Program::start(&arguments.socket).await?;
    let kind = Shared(Arc::new(SimDriver::new(world.clone())));
    let served = program.serve(Arc::new(kind)).await;
    agents.end().await;
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

fn report(world: &SimWorld, path: &Path) -> anyhow::Result<()> {
    let text = serde_json::to_string(&world.took()).context("the report cannot be written as JSON")?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
