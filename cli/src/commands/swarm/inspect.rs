//! `skep swarm inspect`: one JSON object for each swarm, one after another.

use skep_proto::v1::GetSwarmRequest;
use skep_proto::v1::swarms_client::SwarmsClient;

use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::output::json;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names or ids.
    #[arg(required = true, value_name = "SWARM")]
    swarms: Vec<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let (found, result) = each(context, &args.swarms, async |name| {
        let request = GetSwarmRequest { swarm: name.to_owned() };
        client
            .call(request, |channel, request| async move { SwarmsClient::new(channel).get(request).await })
            .await
    })
    .await;
    for swarm in &found {
        context.print(&json::text(&json::swarm(swarm)))?;
    }
    result
}
