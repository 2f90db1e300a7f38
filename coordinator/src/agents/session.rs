//! One agent's stream: what it says goes to the record, what the record says goes to it.

mod stream;

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use skep_proto::agent::session_server::Session;
use skep_proto::agent::{AgentMessage, CoordinatorMessage, Hello, agent_message};
use skep_types::{Code, Refusal};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::Registry;
use crate::api::PeerCertificates;
use crate::api::status::status;
use crate::context::Context;
use crate::trust::Caller;
use stream::{Agent, AgentStream};

/// Messages on their way to one agent: an agent that reads more slowly than this is closed.
const OUTGOING: usize = 16;
/// The agent says Hello at once.
const HELLO: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Debug)]
pub struct SessionService {
    context: Context,
    registry: Arc<Registry>,
}

impl SessionService {
    pub fn new(context: Context, registry: Arc<Registry>) -> Self {
        Self { context, registry }
    }
}

#[tonic::async_trait]
impl Session for SessionService {
    type OpenStream = Pin<Box<dyn Stream<Item = Result<CoordinatorMessage, Status>> + Send>>;

    async fn open(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::OpenStream>, Status> {
        // The layer in front has checked it against the live record.
        let Some(Caller::Host { id: host, .. }) = request.extensions().get::<Caller>().cloned() else {
            return Err(status(&Refusal::new(Code::Forbidden, "only an agent opens a session")));
        };
        let dialled = request.extensions().get::<PeerCertificates>().is_some_and(|peer| peer.dialled);
        let mut incoming = request.into_inner();
        let hello = hello(&mut incoming).await?;
        let newer = || Refusal::new(Code::Precondition, "a newer session of this host is open");
        let place = self.registry.enter(host, hello.session_number).ok_or_else(|| status(&newer()))?;
        let (outgoing, messages) = mpsc::channel(OUTGOING);
        let agent = Agent { host, hello, dialled };
        let stream = AgentStream::new(self.context.clone(), agent, outgoing, place);
        let span = tracing::debug_span!("session", %host);
        tokio::spawn(tracing::Instrument::instrument(stream.run(incoming), span));
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }
}

async fn hello(incoming: &mut Streaming<AgentMessage>) -> Result<Hello, Status> {
    let first = tokio::time::timeout(HELLO, incoming.message()).await;
    let first = first.map_err(|_| Status::deadline_exceeded("no hello came"))??;
    match first.and_then(|message| message.message) {
        Some(agent_message::Message::Hello(hello)) if hello.session_number > 0 => Ok(hello),
        _ => Err(status(&Refusal::field("message", "the first message is a hello with a session number"))),
    }
}
