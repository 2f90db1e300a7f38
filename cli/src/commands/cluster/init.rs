//! `skep cluster init`.

use super::skepd;
use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    coordinator: skepd::Daemon,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let words = args.coordinator.words("init", &[]);
    Err(skepd::become_skepd(context.surroundings.program_folder.as_deref(), words))
}
