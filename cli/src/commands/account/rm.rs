//! `skep account rm`.

use skep_proto::v1::RemoveAccountRequest;
use skep_proto::v1::drivers_client::DriversClient;

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::{Asking, Removal, Waiting};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Their names.
    #[arg(required = true, value_name = "NAME")]
    accounts: Vec<String>,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let removal = Removal {
        names: &args.accounts,
        question: format!("Remove {}?", args.accounts.join(", ")),
        yes: args.yes,
        asking: &args.asking,
        waiting: &args.waiting,
    };
    let remove = async |client: &Client, mutation, name| {
        let request = RemoveAccountRequest { mutation: Some(mutation), name };
        client
            .call(request, |channel, request| async move {
                DriversClient::new(channel).remove_account(request).await
            })
            .await
    };
    removal.run(context, remove).await
}
