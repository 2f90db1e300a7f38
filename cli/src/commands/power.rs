//! `skep start|stop|restart|kill`.

use skep_proto::v1::hosts_client::HostsClient;
use skep_proto::v1::{PowerAction, PowerHostsRequest};

use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting, finish};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names or ids.
    #[arg(required = true, value_name = "HOST")]
    hosts: Vec<String>,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(args: Args, action: PowerAction, context: &Context) -> Result<(), Failure> {
    let request = PowerHostsRequest {
        mutation: Some(args.asking.mutation()),
        hosts: args.hosts,
        action: action.into(),
    };
    let operation = context
        .client()
        .await?
        .call(request, |channel, request| async move { HostsClient::new(channel).power(request).await })
        .await?;
    finish(context, operation, &args.asking, &args.waiting).await
}
