//! `skep account test`.

use skep_proto::v1::TestAccountRequest;
use skep_proto::v1::drivers_client::DriversClient;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account.
    name: String,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let request = TestAccountRequest { name: args.name.clone() };
    let reply = context
        .client()
        .await?
        .call(
            request,
            |channel, request| async move { DriversClient::new(channel).test_account(request).await },
        )
        .await?;
    if reply.outcome == "ok" {
        let seconds = std::time::Duration::from_millis(reply.took_ms).as_secs_f32();
        let told =
            format!("ok: {} instances, from {}, in {seconds:.1} s\n", reply.instances, reply.coordinator);
        return context.print(&told);
    }
    let (name, outcome) = (args.name, reply.outcome);
    Err(Failure::Precondition(format!(
        "{} cannot use account {name}: {outcome}: {}",
        reply.coordinator, reply.message
    )))
}
