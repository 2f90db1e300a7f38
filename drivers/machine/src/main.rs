//! `skep-driver-machine`: the drivers `machine/NAME`, one process for each plugin and account, behind a socket.

mod arguments;

use std::process::ExitCode;

use clap::Parser;
use skep_driver::plugin;
use skep_driver_machine::Machines;

use arguments::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let machines = Machines::new(arguments.settings());
    plugin::main(std::env::args_os().take(1).chain(arguments.words), &machines).await
}
