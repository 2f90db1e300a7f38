//! A driver program for tests: a simulated world without agents, which misbehaves as it is told.

mod stranger;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use skep_driver::plugin::{Program, log_as_json};
use skep_driver::{Access, Driver, DriverError, ErrorKind, Kind};
use skep_sim::{NoSoftware, SimConfig, SimDriver, SimWorld};
use skep_types::DriverDescription;
use tokio::net::UnixListener;

#[derive(Debug, Parser)]
struct Words {
    #[arg(long)]
    fault: Option<Fault>,
    #[arg(long)]
    socket: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fault {
    /// Writes on standard error as fast as it can.
    Flood,
    /// Says that it serves, and never answers.
    Mute,
    /// Says why, and ends.
    Dead,
    /// Refuses every account.
    Locked,
    /// Calls itself by another name.
    Renamed,
    /// Of another version of the protocol.
    Stranger,
}

/// Says on standard error which account it is told.
#[derive(Debug)]
struct Telling {
    driver: Arc<SimDriver>,
    description: DriverDescription,
    fault: Option<Fault>,
}

#[async_trait::async_trait]
impl Kind for Telling {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        if self.fault == Some(Fault::Locked) {
            return Err(DriverError::new(ErrorKind::Auth, "the key is not known"));
        }
        tracing::info!(of = %access.account, "told its account");
        Ok(Arc::clone(&self.driver) as _)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let words = Words::parse();
    log_as_json("info");
    match words.fault {
        Some(Fault::Dead) => anyhow::bail!("the licence has run out"),
        Some(Fault::Mute) => {
            let _deaf = UnixListener::bind(&words.socket)?;
            announce(&words.socket)?;
            std::future::pending::<()>().await;
        }
        Some(Fault::Stranger) => {
            let listener = UnixListener::bind(&words.socket)?;
            announce(&words.socket)?;
            stranger::serve(listener).await?;
        }
        Some(Fault::Flood) => {
            std::thread::spawn(|| {
                loop {
                    tracing::info!("{}", "flood ".repeat(1_000));
                }
            });
        }
        Some(Fault::Locked | Fault::Renamed) | None => {}
    }
    Program::start(&words.socket).await?.serve(Arc::new(telling(words.fault)?)).await?;
    Ok(ExitCode::SUCCESS)
}

fn telling(fault: Option<Fault>) -> anyhow::Result<Telling> {
    let driver = Arc::new(SimDriver::new(SimWorld::new(SimConfig::default(), Arc::new(NoSoftware))?));
    let mut description = driver.describe().clone();
    if fault == Some(Fault::Renamed) {
        description.name = "somebody".parse()?;
    }
    Ok(Telling { driver, description, fault })
}

fn announce(socket: &Path) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "serving unix:{}", socket.display())
}
