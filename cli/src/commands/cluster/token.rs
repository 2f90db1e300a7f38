//! `skep cluster token`.

use std::time::Duration;

use skep_proto::v1::CreateJoinTokenRequest;
use skep_proto::v1::cluster_client::ClusterClient;

use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::Asking;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long it is good for, such as 15m or 2h: 1 minute to 24 hours.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = time)]
    life: Duration,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let request = CreateJoinTokenRequest {
        mutation: Some(args.asking.mutation()),
        life_ms: u64::try_from(args.life.as_millis()).unwrap_or(u64::MAX),
    };
    let reply = context
        .client()
        .await?
        .call(request, |channel, request| async move {
            ClusterClient::new(channel).create_join_token(request).await
        })
        .await?;
    if args.asking.dry_run {
        let plan = reply.operation.map(|operation| operation.plan).unwrap_or_default();
        return context.print(&plan.iter().map(|line| format!("{line}\n")).collect::<String>());
    }
    if reply.token.is_empty() {
        // A token is told once: this request was answered before, to somebody or to nobody.
        return Err(Failure::Precondition(
            "the token of this request was made already, and is not told twice; ask for another one"
                .to_owned(),
        ));
    }
    context.print(&format!("{}\n", reply.token))
}

fn time(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(span).map_err(|_| "a time is not negative".to_owned())
}
