//! `skep driver`.

mod describe;
mod install;
mod ls;
mod program;
mod test;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List what can make hosts here; with a name, that driver's flags.
    Ls(ls::Args),
    /// Show what a driver can do, and all that it and its accounts take.
    Describe(describe::Args),
    /// Try a driver program on this machine with every rule of the contract.
    Test(test::Args),
    /// Put a driver program where the coordinator of this machine looks for it.
    Install(install::Args),
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Ls(args) => ls::run(args, context).await,
        Command::Describe(args) => describe::run(args, context).await,
        Command::Test(args) => test::run(args, context).await,
        Command::Install(args) => install::run(args, context).await,
    }
}
