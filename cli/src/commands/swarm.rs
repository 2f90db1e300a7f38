//! `skep swarm`.

mod create;
mod inspect;
mod ls;
mod rm;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a swarm with all its hosts.
    Create(create::Args),
    /// List swarms.
    Ls(ls::Args),
    /// Show everything about swarms, as JSON.
    Inspect(inspect::Args),
    /// Delete swarms with all their hosts.
    Rm(rm::Args),
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Create(args) => create::run(args, context).await,
        Command::Ls(args) => ls::run(args, context).await,
        Command::Inspect(args) => inspect::run(args, context).await,
        Command::Rm(args) => rm::run(args, context).await,
    }
}
