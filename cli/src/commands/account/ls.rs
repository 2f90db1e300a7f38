//! `skep account ls`.

use skep_proto::v1::drivers_client::DriversClient;
use skep_proto::v1::{Account, Bucket, ListAccountsRequest};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, json, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How to print.
    #[arg(long, short, value_enum, default_value = "table")]
    output: Format,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let accounts = context
        .client()
        .await?
        .call(ListAccountsRequest {}, |channel, request| async move {
            DriversClient::new(channel).list_accounts(request).await
        })
        .await?
        .accounts;
    let headings = ["NAME", "DRIVER", "OWNER", "HOSTS", "CREDENTIALS", "LIMITS", "COORDINATORS"];
    context.print(&match args.output {
        Format::Json => json::list(&accounts, json::account),
        Format::Table => table::table(&headings, accounts.iter().map(row)),
    })
}

fn row(account: &Account) -> Vec<String> {
    let credentials = match &account.credential_command {
        Some(command) => format!("by {}", command.name),
        None => account.credentials.join(", "),
    };
    let limits = account.limits.clone().unwrap_or_default();
    let calls = limits.calls.iter().map(|(class, bucket)| told(class, "", bucket));
    let instances = limits.instances.iter().map(|(class, bucket)| told(class, " instances", bucket));
    let in_flight = format!("{} in flight", limits.calls_in_flight_max);
    let limits: Vec<String> = std::iter::once(in_flight).chain(calls).chain(instances).collect();
    vec![
        account.name.clone(),
        account.driver.clone(),
        account.owner.clone(),
        account.hosts.to_string(),
        credentials,
        limits.join(", "),
        if account.coordinators.is_empty() { "all".to_owned() } else { account.coordinators.join(", ") },
    ]
}

fn told(class: &str, what: &str, bucket: &Bucket) -> String {
    format!("{class}{what} {}/min burst {}", bucket.per_minute, bucket.burst)
}
