//! `skep person rm`.

use skep_proto::v1::RemovePersonRequest;
use skep_proto::v1::cluster_client::ClusterClient;

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::{Asking, Removal, Waiting};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Their names.
    #[arg(required = true, value_name = "NAME")]
    people: Vec<String>,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let removal = Removal {
        names: &args.people,
        question: format!("Remove {}?", args.people.join(", ")),
        yes: args.yes,
        asking: &args.asking,
        waiting: &args.waiting,
    };
    let remove = async |client: &Client, mutation, name| {
        let request = RemovePersonRequest { mutation: Some(mutation), name };
        client
            .call(request, |channel, request| async move {
                ClusterClient::new(channel).remove_person(request).await
            })
            .await
    };
    removal.run(context, remove).await
}
