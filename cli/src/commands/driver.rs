//! `skep driver`.

mod ls;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List what can make hosts here; with a name, that driver's flags.
    Ls(ls::Args),
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Ls(args) => ls::run(args, context).await,
    }
}
