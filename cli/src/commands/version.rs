//! `skep version`.

use skep_proto::v1::VersionRequest;
use skep_proto::v1::cluster_client::ClusterClient;

use crate::context::Context;
use crate::failure::Failure;

pub(crate) async fn run(context: &Context) -> Result<(), Failure> {
    context.print(&format!("skep {}\n", env!("CARGO_PKG_VERSION")))?;
    // Where no cluster is configured there is nobody else to ask.
    if !context.config_path().is_ok_and(|path| path.exists()) {
        return Ok(());
    }
    let reply = context
        .client()
        .await?
        .call(VersionRequest {}, |channel, request| async move {
            ClusterClient::new(channel).version(request).await
        })
        .await?;
    context.print(&format!("cluster {}\n", reply.version))
}
