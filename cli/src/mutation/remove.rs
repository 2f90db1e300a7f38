//! Commands that remove what they are given the names of, with a request for each.

use skep_proto::v1::{Mutation, Operation};

use super::{Asking, Waiting, finish_all};
use crate::client::Client;
use crate::confirm::confirm;
use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;

/// What is to be removed, and how.
#[derive(Debug)]
pub(crate) struct Removal<'a> {
    pub(crate) names: &'a [String],
    /// Asked where nothing is said with `--yes`.
    pub(crate) question: String,
    pub(crate) yes: bool,
    pub(crate) asking: &'a Asking,
    pub(crate) waiting: &'a Waiting,
}

impl Removal<'_> {
    /// Makes the request for each name, once the person agreed to all of them, and waits for what they began.
    pub(crate) async fn run(
        self,
        context: &Context,
        request: impl AsyncFn(&Client, Mutation, String) -> Result<Operation, Failure>,
    ) -> Result<(), Failure> {
        // Checked before anybody is asked.
        self.asking.mutation_of_each(self.names)?;
        if !(self.yes || self.asking.dry_run) {
            confirm(context, &self.question).await?;
        }
        let client = context.client().await?;
        let (operations, result) = each(context, self.names, async |name| {
            request(client, self.asking.mutation_of_each(self.names)?, name.to_owned()).await
        })
        .await;
        finish_all(context, operations, self.asking, self.waiting).await?;
        result
    }
}
