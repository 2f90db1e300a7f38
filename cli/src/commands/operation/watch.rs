//! `skep operation watch`: comes back to operations that were left to themselves.

use skep_proto::v1::GetOperationRequest;
use skep_proto::v1::operations_client::OperationsClient;

use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::mutation::end;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Their ids.
    #[arg(required = true, value_name = "ID")]
    operations: Vec<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let (_, result) = each(context, &args.operations, async |id| {
        let request = GetOperationRequest { operation: id.to_owned() };
        let operation = client
            .call(
                request,
                |channel, request| async move { OperationsClient::new(channel).get(request).await },
            )
            .await?;
        end(context, operation).await
    })
    .await;
    result
}
