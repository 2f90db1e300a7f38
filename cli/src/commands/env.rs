//! `skep env`: what points `docker` at a host or a swarm, in the words of a shell.

use crate::access::{self, Access};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::shell::Shell;

const VARIABLES: [&str; 4] = ["DOCKER_TLS_VERIFY", "DOCKER_HOST", "DOCKER_CERT_PATH", "SKEP_HOST_NAME"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A host's name or id.
    #[arg(required_unless_present_any = ["swarm", "unset"], conflicts_with_all = ["swarm", "unset"])]
    host: Option<String>,
    /// A manager of this swarm instead of a host.
    #[arg(long, value_name = "NAME", conflicts_with = "unset")]
    swarm: Option<String>,
    /// The shell to write for; else the one of SHELL.
    #[arg(long, value_enum)]
    shell: Option<Shell>,
    /// Unset the variables instead.
    #[arg(long, short)]
    unset: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let path = context.surroundings.variables.get("SHELL");
    let shell = args.shell.or_else(|| path.map(Shell::of_path)).unwrap_or(Shell::Bash);
    let (lines, command) = match (args.host, args.swarm) {
        (Some(host), _) => {
            let access = access::to_host(context, &host).await?;
            (set(shell, &access), format!("skep env {}", access.host))
        }
        // The command as it was given: the swarm, not the manager that happened to answer.
        (None, Some(swarm)) => {
            (set(shell, &access::to_swarm(context, &swarm).await?), format!("skep env --swarm {swarm}"))
        }
        (None, None) => (VARIABLES.map(|name| shell.unset(name)).concat(), "skep env --unset".to_owned()),
    };
    context.print(&lines)?;
    context.print(&shell.hint(&command))
}

fn set(shell: Shell, access: &Access) -> String {
    let folder = access.folder.to_string_lossy();
    let values = ["1", access.url.as_str(), &folder, access.host.as_str()];
    VARIABLES.iter().zip(values).map(|(name, value)| shell.set(name, value)).collect()
}
