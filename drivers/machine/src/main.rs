//! `skep-driver-machine`: the drivers `machine/NAME`, one process for each plugin and account, behind a socket.

mod arguments;

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use skep_driver::plugin::{Program, log_as_json};
use skep_driver_machine::{MachineKind, find};

use arguments::{Arguments, Command};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Variants) => {
            let names = find::variants(&arguments.path).into_iter().map(|name| name + "\n");
            let text: String = names.collect();
            std::io::stdout().write_all(text.as_bytes()).context("cannot write to standard output")
        }
        None => Box::pin(serve(&arguments)).await,
    }
}

async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    log_as_json(&arguments.log);
    let (socket, variant) =
        arguments.socket.as_ref().zip(arguments.variant.as_deref()).context("no socket")?;
    let kind = MachineKind::discover(variant, arguments.settings()).await?;
    Program::start(socket).await?.serve(Arc::new(kind)).await.context("cannot serve the driver socket")
}
