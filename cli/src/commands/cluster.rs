//! `skep cluster`.

mod init;
mod join;
mod rm;
mod skepd;
mod status;
mod token;
mod transfer;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show the coordinators and what they hold.
    Status(status::Args),
    /// Make a cluster: its first coordinator's folder, here, and your configuration. `skepd run` starts it.
    Init(init::Args),
    /// Make one more coordinator's folder, here. `skepd run` starts it.
    Join(join::Args),
    /// Print a token that lets one more coordinator join.
    #[command(alias = "join-token")]
    Token(token::Args),
    /// Hand leadership to another coordinator.
    Transfer(transfer::Args),
    /// Take a coordinator out of the cluster.
    Rm(rm::Args),
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Status(args) => status::run(args, context).await,
        Command::Init(args) => init::run(args, context),
        Command::Join(args) => join::run(args, context),
        Command::Token(args) => token::run(args, context).await,
        Command::Transfer(args) => transfer::run(args, context).await,
        Command::Rm(args) => rm::run(args, context).await,
    }
}
