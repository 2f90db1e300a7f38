//! `skep account rotate`.

use skep_proto::v1::RotateAccountCredentialsRequest;
use skep_proto::v1::drivers_client::DriversClient;

use super::credentials::Credentials;
use crate::context::Context;
use crate::driver_flags;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting, finish};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account. All of its credentials are replaced.
    name: String,
    #[command(flatten)]
    credentials: Credentials,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let driver = driver_flags::of_account(context.drivers().await?, &args.name)?;
    let (credentials, credential_command) = args.credentials.read(driver, context)?;
    let mutation = Some(args.asking.mutation());
    let request =
        RotateAccountCredentialsRequest { mutation, name: args.name, credentials, credential_command };
    let operation = context
        .client()
        .await?
        .call(request, |channel, request| async move {
            DriversClient::new(channel).rotate_account_credentials(request).await
        })
        .await?;
    finish(context, operation, &args.asking, &args.waiting).await
}
