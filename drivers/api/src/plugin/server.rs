//! The plugin's side: one kind of driver behind one Unix socket, opened for one account.

use std::sync::Arc;

use skep_proto::driver as pb;
use skep_proto::driver::driver_server::{Driver as Service, DriverServer};
use skep_types::limits;
use tokio::net::UnixListener;
use tokio::sync::{RwLock, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::carry::{WAITING, carry};
use super::from_wire::{self, WireError};
use super::to_wire;
use crate::{Driver, Kind};

/// Calls at once on one connection: an account's calls in flight, its poller, and room to spare.
const CONCURRENT_CALLS: usize = 256;
/// Tunnels and calls on one connection; one agent's session takes one or two.
const STREAMS: u32 = 16 * 1024;
/// What a connection may have on the way: one tunnel that stands still must not hold the others.
const WINDOW_BYTES: u32 = 16 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
#[error("serving the driver socket failed")]
pub struct ServeError(#[from] tonic::transport::Error);

/// Serves `kind` until `shutdown`; calls under way are finished. Who may connect is the socket's file mode.
pub async fn serve(
    kind: Arc<dyn Kind>,
    listener: UnixListener,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let service = DriverServer::new(Served { kind, opened: RwLock::new(None), shutdown: shutdown.clone() })
        .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES)
        .max_encoding_message_size(limits::GRPC_MESSAGE_BYTES);
    tonic::transport::Server::builder()
        .concurrency_limit_per_connection(CONCURRENT_CALLS)
        .max_concurrent_streams(STREAMS)
        .initial_connection_window_size(WINDOW_BYTES)
        .timeout(limits::DRIVER_CALL)
        .add_service(service)
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), shutdown.cancelled_owned())
        .await?;
    Ok(())
}

struct Served {
    kind: Arc<dyn Kind>,
    /// For the account that was configured last.
    opened: RwLock<Option<Arc<dyn Driver>>>,
    /// Ends the tunnels, which would hold the connection open.
    shutdown: CancellationToken,
}

impl Served {
    async fn driver(&self) -> Result<Arc<dyn Driver>, Status> {
        let opened = self.opened.read().await.clone();
        opened
            .ok_or_else(|| Status::failed_precondition("no account was configured yet: call Configure first"))
    }
}

/// Nothing was done: the request never reached the driver.
fn refuse(error: WireError) -> Status {
    Status::invalid_argument(error.to_string())
}

#[tonic::async_trait]
impl Service for Served {
    async fn describe(&self, _: Request<pb::DescribeRequest>) -> Result<Response<pb::Description>, Status> {
        Ok(Response::new(to_wire::description(self.kind.describe())))
    }

    async fn configure(
        &self,
        request: Request<pb::ConfigureRequest>,
    ) -> Result<Response<pb::ConfigureReply>, Status> {
        let access = from_wire::access(request.into_inner()).map_err(refuse)?;
        let error = match self.kind.open(access).await {
            Ok(driver) => {
                *self.opened.write().await = Some(driver);
                None
            }
            Err(error) => Some(to_wire::error(&error)),
        };
        Ok(Response::new(pb::ConfigureReply { error }))
    }

    async fn check(&self, request: Request<pb::CheckRequest>) -> Result<Response<pb::CheckReply>, Status> {
        let template = request.into_inner().template.unwrap_or_default();
        let template = from_wire::template(template).map_err(refuse)?;
        let error = self.driver().await?.check(&template).await.err();
        Ok(Response::new(pb::CheckReply { error: error.as_ref().map(to_wire::error) }))
    }

    async fn ensure(&self, request: Request<pb::EnsureRequest>) -> Result<Response<pb::EnsureReply>, Status> {
        let intent = from_wire::intent(request.into_inner()).map_err(refuse)?;
        Ok(Response::new(to_wire::ensured(self.driver().await?.ensure(&intent).await)))
    }

    async fn list(&self, request: Request<pb::ListRequest>) -> Result<Response<pb::ListReply>, Status> {
        let request = request.into_inner();
        let token = Some(request.page_token.as_str()).filter(|token| !token.is_empty());
        Ok(Response::new(to_wire::listed(self.driver().await?.list(&request.cluster, token).await)))
    }

    async fn observe(
        &self,
        request: Request<pb::TargetsRequest>,
    ) -> Result<Response<pb::ObserveReply>, Status> {
        let request = request.into_inner();
        let targets = from_wire::targets(request.targets).map_err(refuse)?;
        Ok(Response::new(to_wire::observed(self.driver().await?.observe(&request.cluster, &targets).await)))
    }

    async fn power(&self, request: Request<pb::PowerRequest>) -> Result<Response<pb::ResultsReply>, Status> {
        let request = request.into_inner();
        let action = from_wire::power_action(request.action).map_err(refuse)?;
        let targets = from_wire::targets(request.targets).map_err(refuse)?;
        Ok(Response::new(to_wire::results(
            self.driver().await?.power(&request.cluster, action, &targets).await,
        )))
    }

    async fn destroy(
        &self,
        request: Request<pb::TargetsRequest>,
    ) -> Result<Response<pb::ResultsReply>, Status> {
        let request = request.into_inner();
        let targets = from_wire::targets(request.targets).map_err(refuse)?;
        Ok(Response::new(to_wire::results(self.driver().await?.destroy(&request.cluster, &targets).await)))
    }

    async fn console(
        &self,
        request: Request<pb::ConsoleRequest>,
    ) -> Result<Response<pb::ConsoleReply>, Status> {
        let request = request.into_inner();
        let target = from_wire::target(request.target.unwrap_or_default()).map_err(refuse)?;
        let reply = match self.driver().await?.console(&request.cluster, &target).await {
            Ok(output) => pb::ConsoleReply { output, error: None },
            Err(failed) => pb::ConsoleReply { output: String::new(), error: Some(to_wire::error(&failed)) },
        };
        Ok(Response::new(reply))
    }

    async fn attest(&self, request: Request<pb::AttestRequest>) -> Result<Response<pb::AttestReply>, Status> {
        let request = request.into_inner();
        let answer = self.driver().await?.attest(&request.cluster, &request.evidence).await;
        Ok(Response::new(to_wire::attested(answer)))
    }

    type TunnelStream = ReceiverStream<Result<pb::TunnelReply, Status>>;

    async fn tunnel(
        &self,
        request: Request<Streaming<pb::TunnelRequest>>,
    ) -> Result<Response<Self::TunnelStream>, Status> {
        let mut requests = request.into_inner();
        let first = requests.message().await?.unwrap_or_default();
        let (cluster, target, port) = from_wire::opened(first).map_err(refuse)?;
        let opened = self.driver().await?.tunnel(&cluster, &target, port).await;
        let (replies, stream) = mpsc::channel(WAITING);
        let error = opened.as_ref().err().map(to_wire::error);
        // There is room for the first, and the receiver is at hand.
        let _ = replies.try_send(Ok(pb::TunnelReply { error, data: Bytes::new() }));
        if let Ok(tunnel) = opened {
            let incoming = requests.map_while(|request| request.ok().map(|request| request.data));
            let reply = |data| Ok(pb::TunnelReply { error: None, data });
            let carried = async move { carry(tunnel.into_inner(), incoming, replies, reply).await };
            tokio::spawn(self.shutdown.clone().run_until_cancelled_owned(carried));
        }
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}
