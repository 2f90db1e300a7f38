//! `skep swarm rm`.

use skep_proto::v1::DeleteSwarmRequest;
use skep_proto::v1::swarms_client::SwarmsClient;

use crate::confirm::confirm;
use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting, finish_all};

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
    // Checked before anybody is asked.
    args.asking.mutation_of_each(&args.swarms)?;
    if !(args.yes || args.asking.dry_run) {
        confirm(context, &format!("Delete {} with all hosts?", args.swarms.join(", "))).await?;
    }
    let client = context.client().await?;
    let (operations, result) = each(context, &args.swarms, async |name| {
        let mutation = Some(args.asking.mutation_of_each(&args.swarms)?);
        let request = DeleteSwarmRequest { mutation, swarm: name.to_owned() };
        client
            .call(request, |channel, request| async move { SwarmsClient::new(channel).delete(request).await })
            .await
    })
    .await;
    finish_all(context, operations, &args.asking, &args.waiting).await?;
    result
}
