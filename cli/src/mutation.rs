//! What every command that changes something has in common: how it asks, and how it waits.

mod finish;
mod remove;
mod watch;

use skep_proto::v1::Mutation;
use uuid::Uuid;

pub(crate) use finish::{end, finish, finish_all};
pub(crate) use remove::Removal;

use crate::failure::Failure;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Request")]
pub(crate) struct Asking {
    /// The request's id; asked again with the same id, it is the same operation and nothing is done twice.
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: Option<String>,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Refuse if the object has changed since this revision, as `inspect` shows it.
    #[arg(long, value_name = "REVISION")]
    pub(crate) if_revision: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Request")]
pub(crate) struct Waiting {
    /// Print the operation's id and do not wait for its end.
    #[arg(long, short = 'd')]
    pub(crate) no_wait: bool,
}

impl Asking {
    /// For a command that makes one request.
    pub(crate) fn mutation(&self) -> Mutation {
        Mutation {
            request_id: self.request_id.clone().unwrap_or_else(|| Uuid::now_v7().to_string()),
            dry_run: self.dry_run,
            if_revision: self.if_revision.clone().unwrap_or_default(),
        }
    }

    /// For a command that makes a request for each of `names`: ids and revisions belong to one of them.
    pub(crate) fn mutation_of_each(&self, names: &[String]) -> Result<Mutation, Failure> {
        if names.len() > 1 && (self.request_id.is_some() || self.if_revision.is_some()) {
            return Err(Failure::Usage(
                "--request-id and --if-revision go with one name at a time".to_owned(),
            ));
        }
        Ok(self.mutation())
    }
}
