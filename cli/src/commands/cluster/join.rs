//! `skep cluster join`.

use std::path::PathBuf;

use super::skepd;
use crate::context::Context;
use crate::failure::Failure;

/// Where skepd looks for the token.
const TOKEN: &str = "SKEP_JOIN_TOKEN";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// From `skep cluster token`; good for one coordinator. Everybody on this machine can see it here: prefer
    /// --token-file, or the variable SKEP_JOIN_TOKEN.
    #[arg(long, conflicts_with = "token_file")]
    token: Option<String>,
    /// A file that holds the token.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The control address of a coordinator that is there.
    #[arg(long, value_name = "ADDRESS:PORT")]
    peer: String,
    #[command(flatten)]
    coordinator: skepd::Daemon,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let mut more = vec![("--peer", args.peer.as_ref())];
    if let Some(file) = &args.token_file {
        more.push(("--token-file", file.as_os_str()));
    }
    let words = args.coordinator.words("join", &more);
    let token = args.token.as_deref().map(|token| (TOKEN, token));
    Err(skepd::become_skepd(context.surroundings.program_folder.as_deref(), words, token))
}
