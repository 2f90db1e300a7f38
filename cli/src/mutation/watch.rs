//! Stays with an operation until it has finished, over the loss of coordinators.

use std::ops::ControlFlow;

use skep_proto::v1::operations_client::OperationsClient;
use skep_proto::v1::{GetOperationRequest, Operation};
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use crate::client::Follower;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::progress::Progress;

struct Watcher<'a> {
    operation: String,
    progress: Progress<'a>,
}

impl Follower for Watcher<'_> {
    type Message = Operation;
    type Seen = Operation;

    async fn open(&self, channel: Channel) -> Result<Response<Streaming<Operation>>, Status> {
        let request = GetOperationRequest { operation: self.operation.clone() };
        OperationsClient::new(channel).watch(request).await
    }

    fn message(&mut self, operation: Operation) -> Result<ControlFlow<Operation>, Failure> {
        self.progress.show(&operation);
        Ok(if finished(&operation) { ControlFlow::Break(operation) } else { ControlFlow::Continue(()) })
    }

    /// A coordinator that stops: another one goes on telling.
    fn ended(&mut self) -> ControlFlow<Operation> {
        ControlFlow::Continue(())
    }
}

pub(crate) fn finished(operation: &Operation) -> bool {
    operation.state != "Running"
}

/// The operation at its end. Interrupted, it says how to come back.
pub(crate) async fn watch(context: &Context, operation: &str) -> Result<Operation, Failure> {
    let progress = Progress::new(&context.surroundings.streams);
    let mut watcher = Watcher { operation: operation.to_owned(), progress };
    let seen = context.client().await?.follow(&mut watcher).await;
    watcher.progress.clear();
    match seen {
        Err(Failure::Interrupted) => {
            context.tell(&format!(
                "skep: detached; the operation goes on. To come back: {}\n",
                come_back(operation)
            ));
            Err(Failure::Detached)
        }
        Err(failure @ Failure::Unreachable { .. }) => {
            context.tell(&format!(
                "skep: the operation goes on by itself. To come back: {}\n",
                come_back(operation)
            ));
            Err(failure)
        }
        seen => seen,
    }
}

fn come_back(operation: &str) -> String {
    format!("skep operation watch {operation}")
}
