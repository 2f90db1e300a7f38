//! `skep config`: the flags that point `docker` at a host.

use crate::access;
use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A host's name or id.
    #[arg(required_unless_present = "swarm", conflicts_with = "swarm")]
    host: Option<String>,
    /// A manager of this swarm instead of a host.
    #[arg(long, value_name = "NAME")]
    swarm: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let access = match (args.host, args.swarm) {
        (Some(host), _) => access::to_host(context, &host).await?,
        (None, swarm) => access::to_swarm(context, &swarm.unwrap_or_default()).await?,
    };
    let file = |name: &str| access.folder.join(name).display().to_string();
    context.print(&format!(
        "--tlsverify\n--tlscacert=\"{}\"\n--tlscert=\"{}\"\n--tlskey=\"{}\"\n-H={}\n",
        file("ca.pem"),
        file("cert.pem"),
        file("key.pem"),
        access.url
    ))
}
