//! `skep person`.

mod ls;
mod put;
mod rm;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List people.
    Ls(ls::Args),
    /// Make a person, or change its role.
    Put(put::Args),
    /// Remove people; their certificates are worth nothing from then on.
    Rm(rm::Args),
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Ls(args) => ls::run(args, context).await,
        Command::Put(args) => put::run(args, context).await,
        Command::Rm(args) => rm::run(args, context).await,
    }
}
