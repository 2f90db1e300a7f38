//! `skep-sim`: one simulated cloud in a process of its own, behind a driver socket, an HTTP API, or both.

mod arguments;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use skep_driver::Shared;
use skep_driver::plugin::{Program, log_as_json, until_told};
use skep_sim::{Agents, Cloud, SimDriver, SimWorld};
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
    let served = tokio::try_join!(serve_driver(&arguments, &world), serve_cloud(&arguments, &world));
    agents.end().await;
    if let Some(path) = &arguments.report {
        report(&world, path)?;
    }
    info!(instances = world.live().len(), "simulation ended");
    served?;
    Ok(ExitCode::SUCCESS)
}

async fn serve_driver(arguments: &Arguments, world: &Arc<SimWorld>) -> anyhow::Result<()> {
    let Some(socket) = &arguments.socket else { return Ok(()) };
    let program = Program::start(socket).await?;
    let kind = Shared(Arc::new(SimDriver::new(world.clone())));
    program.serve(Arc::new(kind)).await.context("cannot serve the driver socket")
}

async fn serve_cloud(arguments: &Arguments, world: &Arc<SimWorld>) -> anyhow::Result<()> {
    let Some(address) = arguments.cloud else { return Ok(()) };
    let cloud = Cloud::bind(address, arguments.cloud_key()?, world).await?;
    let shutdown = until_told()?;
    writeln!(std::io::stdout(), "serving {}", cloud.endpoint()?)
        .context("cannot write to standard output")?;
    cloud.serve(shutdown).await.context("cannot serve the cloud")
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
