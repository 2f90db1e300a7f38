//! `skep person rm`.

use skep_proto::v1::RemovePersonRequest;
use skep_proto::v1::cluster_client::ClusterClient;

use crate::confirm::confirm;
use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting, finish_all};

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
    // Checked before anybody is asked.
    args.asking.mutation_of_each(&args.people)?;
    if !(args.yes || args.asking.dry_run) {
        confirm(context, &format!("Remove {}?", args.people.join(", "))).await?;
    }
    let client = context.client().await?;
    let (operations, result) = each(context, &args.people, async |name| {
        let mutation = Some(args.asking.mutation_of_each(&args.people)?);
        let request = RemovePersonRequest { mutation, name: name.to_owned() };
        client
            .call(request, |channel, request| async move {
                ClusterClient::new(channel).remove_person(request).await
            })
            .await
    })
    .await;
    finish_all(context, operations, &args.asking, &args.waiting).await?;
    result
}
