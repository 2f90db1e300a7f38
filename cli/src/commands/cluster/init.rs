//! `skep cluster init`.

use super::skepd;
use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The first admin: you.
    #[arg(long, value_name = "NAME")]
    admin: Option<String>,
    #[command(flatten)]
    coordinator: skepd::Daemon,
}

/// The configuration that skepd writes for the admin is the one that this program reads.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let config = context.config_path()?;
    let mut more = vec![("--operator-config", config.as_os_str())];
    if let Some(admin) = &args.admin {
        more.push(("--admin", admin.as_ref()));
    }
    let words = args.coordinator.words("init", &more);
    Err(skepd::become_skepd(context.surroundings.program_folder.as_deref(), words, None))
}
