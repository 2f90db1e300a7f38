//! `skep account`.

mod add;
mod credentials;
mod limits;
mod ls;
mod rm;
mod rotate;
mod set_limits;
mod test;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make an account of a driver: its settings, credentials and limits.
    Add(add::Args),
    /// List accounts.
    Ls(ls::Args),
    /// Remove accounts that no host uses.
    Rm(rm::Args),
    /// Set what calls of the driver an account may make; what is not given is as the driver says.
    SetLimits(set_limits::Args),
    /// Give an account other credentials; no host is touched.
    Rotate(rotate::Args),
    /// Open the account's driver and list its instances.
    Test(test::Args),
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Add(args) => add::run(args, context).await,
        Command::Ls(args) => ls::run(args, context).await,
        Command::Rm(args) => rm::run(args, context).await,
        Command::SetLimits(args) => set_limits::run(args, context).await,
        Command::Rotate(args) => rotate::run(args, context).await,
        Command::Test(args) => test::run(args, context).await,
    }
}

/// KEY=VALUE of the flag `--flag`.
fn pair<'a>(flag: &str, text: &'a str) -> Result<(&'a str, &'a str), Failure> {
    crate::pair::pair(text).ok_or_else(|| Failure::Usage(format!("--{flag} takes KEY=VALUE")))
}
