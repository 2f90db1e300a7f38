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
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, ConnectError, Response, Status};
use tower::service_fn;

use super::from_wire::{self, WireError};
use super::to_wire;
use crate::{CreateIntent, Driver, DriverError, ErrorKind, Instance, Method, Page, Placed};

/// A plugin on this machine answers a connect at once, or is not there.
const CONNECT: Duration = Duration::from_secs(5);

/// A driver behind a Unix socket. Connects again by itself when the plugin was restarted; each call ends within
/// [`limits::DRIVER_CALL`].
#[derive(Debug)]
pub struct PluginDriver {
    client: DriverClient<Channel>,
    description: DriverDescription,
}

impl PluginDriver {
    /// Asks the plugin at `socket` what it is. Its description is taken once, for as long as this value lives.
    pub async fn connect(socket: &Path) -> Result<Self, DriverError> {
        let client = client(socket);
        let answer = client.clone().describe(pb::DescribeRequest {}).await;
        let description = answer.map_err(|status| read_failure("describe", status))?.into_inner();
        let description = from_wire::description(description).map_err(|error| nonsense("describe", error))?;
        Ok(Self { client, description })
    }
}

fn client(socket: &Path) -> DriverClient<Channel> {
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
        Code::Unimplemented => ErrorKind::Unsupported,
        // Refused by our own edge in the plugin, before its driver saw it.
        Code::InvalidArgument => ErrorKind::Internal,
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

/// The driver's own answer, out of the call's three layers: transport, message, driver.
fn answer<P, T>(
    method: Method,
    reply: Result<Response<P>, Status>,
    convert: impl FnOnce(P) -> Result<Result<T, DriverError>, WireError>,
) -> Result<T, DriverError> {
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

fn named(cluster: &str, instances: &[InstanceRef]) -> pb::InstancesRequest {
    pb::InstancesRequest {
        cluster: cluster.to_owned(),
        instances: instances.iter().map(to_wire::instance_ref).collect(),
    }
}

#[async_trait]
impl Driver for PluginDriver {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        let request = pb::CheckRequest { template: Some(to_wire::template(template)) };
        let verdict = |reply: pb::CheckReply| Ok(reply.error.map_or(Ok(()), |e| Err(from_wire::error(e))));
        answer(Method::Check, self.client.clone().check(request).await, verdict)
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        let reply = self.client.clone().ensure(to_wire::intent(intent)).await;
        answer(Method::Ensure, reply, from_wire::ensured)
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        let page_token = page_token.unwrap_or_default().to_owned();
        let request = pb::ListRequest { cluster: cluster.to_owned(), page_token };
        answer(Method::List, self.client.clone().list(request).await, from_wire::listed)
    }

    async fn observe(
        &self,
        cluster: &str,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        let reply = self.client.clone().observe(named(cluster, instances)).await;
        answer(Method::Observe, reply, |reply| from_wire::observed(reply, instances.len()))
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let request = pb::PowerRequest {
            cluster: cluster.to_owned(),
            action: to_wire::power_action(action).into(),
            instances: instances.iter().map(to_wire::instance_ref).collect(),
        };
        let reply = self.client.clone().power(request).await;
        answer(Method::Power, reply, |reply| from_wire::results(reply, instances.len()))
    }

    async fn destroy(
        &self,
        cluster: &str,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let reply = self.client.clone().destroy(named(cluster, instances)).await;
        answer(Method::Destroy, reply, |reply| from_wire::results(reply, instances.len()))
    }

    async fn console(&self, cluster: &str, instance: &InstanceRef) -> Result<String, DriverError> {
        let request = pb::ConsoleRequest {
            cluster: cluster.to_owned(),
            instance: Some(to_wire::instance_ref(instance)),
        };
        let output =
            |reply: pb::ConsoleReply| Ok(reply.error.map_or(Ok(reply.output), |e| Err(from_wire::error(e))));
        answer(Method::Console, self.client.clone().console(request).await, output)
    }
}
