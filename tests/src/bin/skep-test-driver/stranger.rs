//! A driver of a protocol that nobody here knows: it says so, and answers nothing else.

use skep_proto::driver as pb;
use skep_proto::driver::driver_server::{Driver, DriverServer};
use tokio::net::UnixListener;
use tokio_stream::Empty;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, Streaming};

const VERSION: u32 = 99;

struct Stranger;

pub(super) async fn serve(listener: UnixListener) -> Result<(), tonic::transport::Error> {
    let server = tonic::transport::Server::builder().add_service(DriverServer::new(Stranger));
    server.serve_with_incoming(UnixListenerStream::new(listener)).await
}

macro_rules! unanswered {
    ($($method:ident $request:ident $reply:ident;)+) => {
        #[tonic::async_trait]
        impl Driver for Stranger {
            async fn describe(
                &self,
                _: Request<pb::DescribeRequest>,
            ) -> Result<Response<pb::Description>, Status> {
                Ok(Response::new(pb::Description { protocol: VERSION, ..pb::Description::default() }))
            }

            type TunnelStream = Empty<Result<pb::TunnelReply, Status>>;

            async fn tunnel(
                &self,
                _: Request<Streaming<pb::TunnelRequest>>,
            ) -> Result<Response<Self::TunnelStream>, Status> {
                Err(Status::unimplemented("tunnel"))
            }

            $(
                async fn $method(&self, _: Request<pb::$request>) -> Result<Response<pb::$reply>, Status> {
                    Err(Status::unimplemented(stringify!($method)))
                }
            )+
        }
    };
}

unanswered! {
    configure ConfigureRequest ConfigureReply;
    check CheckRequest CheckReply;
    ensure EnsureRequest EnsureReply;
    list ListRequest ListReply;
    observe TargetsRequest ObserveReply;
    power PowerRequest ResultsReply;
    destroy TargetsRequest ResultsReply;
    console ConsoleRequest ConsoleReply;
    attest AttestRequest AttestReply;
}
