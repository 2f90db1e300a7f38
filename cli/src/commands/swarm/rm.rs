//! `skep swarm rm`.

use skep_proto::v1::DeleteSwarmRequest;
use skep_proto::v1::swarms_client::SwarmsClient;

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::{Asking, Removal, Waiting};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names or ids.
    #[arg(required = true, value_name = "SWARM")]
    swarms: Vec<String>,
    /// Do not ask.
    #[arg(long, short, visible_short_alias = 'f', visible_alias = "force")]
    yes: bool,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let removal = Removal {
        names: &args.swarms,
        question: format!("Delete {} with all hosts?", args.swarms.join(", ")),
        yes: args.yes,
        asking: &args.asking,
        waiting: &args.waiting,
    };
    let remove = async |client: &Client, mutation, name| {
        let request = DeleteSwarmRequest { mutation: Some(mutation), swarm: name };
        client
            .call(request, |channel, request| async move { SwarmsClient::new(channel).delete(request).await })
            .await
    };
    removal.run(context, remove).await
}
