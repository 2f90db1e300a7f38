//! `skep cluster join`.

use super::skepd;
use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// From `skep cluster token`; good for one coordinator.
    #[arg(long)]
    token: String,
    /// The control address of a coordinator that is there.
    #[arg(long, value_name = "ADDRESS:PORT")]
    peer: String,
    #[command(flatten)]
    coordinator: skepd::Daemon,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let words = args.coordinator.words("join", &[("--token", &args.token), ("--peer", &args.peer)]);
    Err(skepd::become_skepd(context.surroundings.program_folder.as_deref(), words))
}
