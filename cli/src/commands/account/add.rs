//! `skep account add`.

use std::collections::BTreeMap;

use skep_proto::v1::AddAccountRequest;
use skep_proto::v1::drivers_client::DriversClient;

use super::credentials::Credentials;
use super::limits::Limits;
use super::pair;
use crate::context::Context;
use crate::driver_flags;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting, finish};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A DNS label.
    name: String,
    /// The driver it is an account of.
    #[arg(long, value_name = "DRIVER")]
    driver: String,
    /// A setting of the driver's accounts, such as an endpoint; `skep driver describe DRIVER` lists them. May be given
    /// several times.
    #[arg(long = "option", value_name = "KEY=VALUE")]
    options: Vec<String>,
    /// A coordinator that can reach it; all that have the driver, unless given. May be given several times.
    #[arg(long = "coordinator", value_name = "COORDINATOR")]
    coordinators: Vec<String>,
    /// Replace everything that an account of this name has.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    credentials: Credentials,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let driver = driver_flags::find(context.drivers().await?, &args.driver)?;
    let given: BTreeMap<String, String> = args
        .options
        .iter()
        .map(|text| pair("option", text).map(|(key, value)| (key.to_owned(), value.to_owned())))
        .collect::<Result<_, _>>()?;
    let options = driver_flags::complete_account(&given, driver, &context.surroundings.variables)?;
    let (credentials, credential_command) = args.credentials.read(driver, context)?;
    let request = AddAccountRequest {
        mutation: Some(args.asking.mutation()),
        name: args.name,
        driver: args.driver,
        options,
        credentials,
        credential_command,
        limits: Some(args.limits.read()?),
        coordinators: args.coordinators,
        replace: args.replace,
    };
    let operation = context
        .client()
        .await?
        .call(
            request,
            |channel, request| async move { DriversClient::new(channel).add_account(request).await },
        )
        .await?;
    finish(context, operation, &args.asking, &args.waiting).await
}
