//! The coordinator's side: a [`Driver`] whose calls end in another process.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use hyper_util::rt::TokioIo;
use skep_proto::driver as pb;
use skep_proto::driver::driver_client::DriverClient;
use skep_types::{DriverDescription, InstanceRef, PowerAction, Template, limits};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::bytes::Bytes;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, ConnectError, Response, Status, Streaming};
use tower::service_fn;

use super::carry::{BUFFER_BYTES, WAITING, carry};
use super::from_wire::{self, WireError};
use super::{PROTOCOL, to_wire};
use crate::{
    Access, CreateIntent, Driver, DriverError, ErrorKind, Instance, Method, Page, Placed, Target, Tunnel,
};

/// A plugin on this machine answers a connect at once, or is not there.
const CONNECT: Duration = Duration::from_secs(5);

type Client = DriverClient<Channel>;

/// A driver behind a Unix socket. Connects again by itself when the plugin was restarted; each call ends within
/// [`limits::DRIVER_CALL`].
#[derive(Debug, Clone)]
pub struct PluginDriver {
    client: Client,
    description: DriverDescription,
    /// What the program is told again when it was started anew.
    access: Option<Access>,
}

impl PluginDriver {
    /// Asks the plugin at `socket` what it is. Its description is taken once, for as long as this value lives.
    pub async fn connect(socket: &Path) -> Result<Self, DriverError> {
        let client = client(socket);
        let answer = client.clone().describe(pb::DescribeRequest {}).await;
        let description = answer.map_err(|status| read_failure("describe", status))?.into_inner();
        same_protocol(description.protocol)?;
        let description = from_wire::description(description).map_err(|error| nonsense("describe", error))?;
        Ok(Self { client, description, access: None })
    }

    /// The account that all later calls act for.
    pub async fn configure(&mut self, access: Access) -> Result<(), DriverError> {
        self.tell(&access).await?;
        self.access = Some(access);
        Ok(())
    }

    /// Whether it still answers at all. Asks for what it has to have at hand.
    pub async fn ping(&self) -> Result<(), DriverError> {
        let answer = self.client.clone().describe(pb::DescribeRequest {}).await;
        answer.map(drop).map_err(|status| read_failure("describe", status))
    }

    async fn tell(&self, access: &Access) -> Result<(), DriverError> {
        let reply = self.client.clone().configure(to_wire::access(access.clone())).await;
        let reply = reply.map_err(|status| read_failure("configure", status))?.into_inner();
        reply.error.map_or(Ok(()), |error| Err(from_wire::error(error)))
    }

    /// The driver's own answer, out of the call's three layers: transport, message, driver.
    async fn ask<Q, P, T, Asked>(
        &self,
        method: Method,
        request: Q,
        go: impl Fn(Client, Q) -> Asked,
        convert: impl FnOnce(P) -> Result<Result<T, DriverError>, WireError>,
    ) -> Result<T, DriverError>
    where
        Q: Clone,
        Asked: Future<Output = Result<Response<P>, Status>>,
    {
        let mut reply = go(self.client.clone(), request.clone()).await;
        if let (Err(status), Some(access)) = (&reply, &self.access)
            && status.code() == Code::FailedPrecondition
        {
            self.tell(access).await?;
            reply = go(self.client.clone(), request).await;
        }
        let reply = reply.map_err(|status| failure(method, status))?.into_inner();
        match convert(reply) {
            Ok(answer) => answer,
            Err(error) if method.has_effect() => {
                let message = format!("the driver program answered {method} with nonsense");
                Err(DriverError::new(ErrorKind::Ambiguous, message).caused_by(error))
            }
            Err(error) => Err(nonsense(method.label(), error)),
        }
    }
}

fn same_protocol(theirs: u32) -> Result<(), DriverError> {
    if theirs == PROTOCOL {
        return Ok(());
    }
    let message = format!(
        "the driver program speaks version {theirs} of the driver protocol, this coordinator {PROTOCOL}: use a \
         program of this release"
    );
    Err(DriverError::new(ErrorKind::Unsupported, message))
}

fn client(socket: &Path) -> Client {
    let socket = socket.to_owned();
    let connector = service_fn(move |_| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    // The address is never resolved: the connector knows only the socket. HTTP/2 wants an authority all the same.
    let channel = Endpoint::from_static("http://driver.invalid")
        .connect_timeout(CONNECT)
        .timeout(limits::DRIVER_CALL)
        .connect_with_connector_lazy(connector);
    DriverClient::new(channel)
        .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES)
        .max_encoding_message_size(limits::GRPC_MESSAGE_BYTES)
}

/// The kind of a call that the plugin did not answer.
fn failure(method: Method, status: Status) -> DriverError {
    let kind = match status.code() {
        // A program that does not know the call has not begun it.
        Code::Unimplemented => ErrorKind::Unsupported,
        // Ours refuse by this what they cannot read, before their driver sees it. What others mean by it is their own.
        Code::InvalidArgument if !method.has_effect() => ErrorKind::Internal,
        _ if !method.has_effect() || never_connected(&status) => ErrorKind::Unavailable,
        _ => ErrorKind::Ambiguous,
    };
    DriverError::new(kind, format!("the driver program did not answer {method}")).caused_by(status)
}

fn read_failure(call: &str, status: Status) -> DriverError {
    DriverError::new(ErrorKind::Unavailable, format!("the driver program did not answer {call}"))
        .caused_by(status)
}

/// Only a connect that failed proves that nothing was sent.
fn never_connected(status: &Status) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = status.source();
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn nonsense(call: &str, error: WireError) -> DriverError {
    DriverError::new(ErrorKind::Internal, format!("the driver program answered {call} with nonsense"))
        .caused_by(error)
}

fn named(cluster: &str, targets: &[Target]) -> pb::TargetsRequest {
    pb::TargetsRequest { cluster: cluster.to_owned(), targets: targets.iter().map(to_wire::target).collect() }
}

#[async_trait]
impl Driver for PluginDriver {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        let request = pb::CheckRequest { template: Some(to_wire::template(template)) };
        let verdict = |reply: pb::CheckReply| Ok(reply.error.map_or(Ok(()), |e| Err(from_wire::error(e))));
        self.ask(
            Method::Check,
            request,
            |mut client: Client, request| async move { client.check(request).await },
            verdict,
        )
        .await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        let request = to_wire::intent(intent);
        let go = |mut client: Client, request| async move { client.ensure(request).await };
        self.ask(Method::Ensure, request, go, from_wire::ensured).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        let page_token = page_token.unwrap_or_default().to_owned();
        let request = pb::ListRequest { cluster: cluster.to_owned(), page_token };
        let go = |mut client: Client, request| async move { client.list(request).await };
        self.ask(Method::List, request, go, from_wire::listed).await
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        let request = named(cluster, targets);
        let go = |mut client: Client, request| async move { client.observe(request).await };
        self.ask(Method::Observe, request, go, |reply| from_wire::observed(reply, targets.len())).await
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let request = pb::PowerRequest {
            cluster: cluster.to_owned(),
            action: to_wire::power_action(action).into(),
            targets: targets.iter().map(to_wire::target).collect(),
        };
        let go = |mut client: Client, request| async move { client.power(request).await };
        self.ask(Method::Power, request, go, |reply| from_wire::results(reply, targets.len())).await
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let request = named(cluster, targets);
        let go = |mut client: Client, request| async move { client.destroy(request).await };
        self.ask(Method::Destroy, request, go, |reply| from_wire::results(reply, targets.len())).await
    }

    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError> {
        let request =
            pb::ConsoleRequest { cluster: cluster.to_owned(), target: Some(to_wire::target(target)) };
        let go = |mut client: Client, request| async move { client.console(request).await };
        let output =
            |reply: pb::ConsoleReply| Ok(reply.error.map_or(Ok(reply.output), |e| Err(from_wire::error(e))));
        self.ask(Method::Console, request, go, output).await
    }

    async fn attest(&self, cluster: &str, evidence: &[u8]) -> Result<Option<InstanceRef>, DriverError> {
        let request =
            pb::AttestRequest { cluster: cluster.to_owned(), evidence: Bytes::copy_from_slice(evidence) };
        let go = |mut client: Client, request| async move { client.attest(request).await };
        self.ask(Method::Attest, request, go, from_wire::attested).await
    }

    async fn tunnel(&self, cluster: &str, target: &Target, port: u16) -> Result<Tunnel, DriverError> {
        let opened = |(first, requests, replies): Opened| match first.error {
            Some(failed) => Ok(Err(from_wire::error(failed))),
            None => Ok(Ok(tunnel(requests, replies))),
        };
        self.ask(Method::Tunnel, to_wire::opening(cluster, target, port), open, opened).await
    }
}

/// Both directions of a tunnel, and the first answer.
type Opened = (pb::TunnelReply, mpsc::Sender<pb::TunnelRequest>, Streaming<pb::TunnelReply>);

async fn open(mut client: Client, first: pb::TunnelRequest) -> Result<Response<Opened>, Status> {
    let (requests, stream) = mpsc::channel(WAITING);
    // There is room for the first, and the receiver is at hand.
    let _ = requests.try_send(first);
    let mut replies = client.tunnel(ReceiverStream::new(stream)).await?.into_inner();
    let first = replies.message().await?;
    let first = first.ok_or_else(|| Status::unavailable("the stream ended before it began"))?;
    Ok(Response::new((first, requests, replies)))
}

/// Its bytes are carried for as long as somebody holds it.
fn tunnel(requests: mpsc::Sender<pb::TunnelRequest>, replies: Streaming<pb::TunnelReply>) -> Tunnel {
    let (near, far) = tokio::io::duplex(BUFFER_BYTES);
    let incoming = replies.map_while(|reply| reply.ok().map(|reply| reply.data));
    let request = |data| pb::TunnelRequest { open: None, data };
    tokio::spawn(async move { carry(far, incoming, requests, request).await });
    Tunnel::new(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A create that is taken for refused is over, and what it has made would be nobody's.
    #[test]
    fn no_status_but_an_unknown_call_proves_that_nothing_was_done() {
        for method in Method::ALL {
            for code in (0..=16).map(Code::from_i32) {
                let kind = failure(method, Status::new(code, "")).kind;
                let wanted = match code {
                    Code::Unimplemented => ErrorKind::Unsupported,
                    _ if method.has_effect() => ErrorKind::Ambiguous,
                    Code::InvalidArgument => ErrorKind::Internal,
                    _ => ErrorKind::Unavailable,
                };
                assert_eq!(kind, wanted, "{code:?} of {method}");
            }
        }
    }
}
