//! `skep operation`.

mod ls;
mod watch;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List operations.
    Ls(ls::Args),
    /// Stay with operations until they have finished.
    Watch(watch::Args),
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Ls(args) => ls::run(args, context).await,
        Command::Watch(args) => watch::run(args, context).await,
    }
}
