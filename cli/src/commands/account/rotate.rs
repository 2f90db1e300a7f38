//! `skep account rotate`.

use skep_proto::v1::drivers_client::DriversClient;
use skep_proto::v1::{Driver, RotateAccountCredentialsRequest};

use super::credentials::Credentials;
use crate::context::Context;
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
    let driver = driver_of(&args.name, context).await?;
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

async fn driver_of<'a>(account: &str, context: &'a Context) -> Result<&'a Driver, Failure> {
    let has = |driver: &&Driver| driver.accounts.iter().any(|known| known.name == account);
    let driver = context.drivers().await?.iter().find(has);
    driver.ok_or_else(|| {
        Failure::Usage(format!("there is no account {account:?}; `skep account ls` lists them"))
    })
}
