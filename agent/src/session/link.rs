//! The sending half of a session, and its first two messages.

use std::time::Duration;

use skep_proto::agent as pb;
use skep_proto::agent::agent_message::Message;
use skep_proto::agent::coordinator_message::Message as FromCoordinator;
use skep_proto::agent::session_client::SessionClient;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

use super::failure::{End, Failure};

/// Messages that wait to be sent. A coordinator that lets more pile up does not read: the session is given up, and
/// the next one begins with everything that counts.
const OUTBOX: usize = 16;

pub(super) struct Link {
    outbox: mpsc::Sender<pb::AgentMessage>,
    sequence: u64,
}

impl Link {
    /// Hello and Welcome, within `within`.
    pub(super) async fn open(
        channel: Channel,
        hello: pb::Hello,
        within: Duration,
    ) -> Result<(Self, Streaming<pb::CoordinatorMessage>, pb::Welcome), End> {
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let mut link = Self { outbox, sequence: 0 };
        link.send(Message::Hello(hello))?;
        let welcome = async {
            let mut inbound =
                SessionClient::new(channel).open(ReceiverStream::new(messages)).await?.into_inner();
            match inbound.message().await?.and_then(|first| first.message) {
                Some(FromCoordinator::Welcome(welcome)) => Ok((inbound, welcome)),
                Some(FromCoordinator::Goodbye(goodbye)) => Err(End::Goodbye(goodbye)),
                _ => Err(Failure::Lost("the first message is not a Welcome".to_owned()).into()),
            }
        };
        match timeout(within, welcome).await {
            Ok(opened) => opened.map(|(inbound, welcome)| (link, inbound, welcome)),
            Err(_) => Err(Failure::Lost("no Welcome in time".to_owned()).into()),
        }
    }

    pub(super) fn send(&mut self, message: Message) -> Result<(), Failure> {
        self.sequence += 1;
        let message = pb::AgentMessage { sequence: self.sequence, message: Some(message) };
        self.outbox.try_send(message).map_err(|_| Failure::Lost("the coordinator does not read".to_owned()))
    }
}
