//! `skep driver ls`.

use skep_proto::v1::{Driver, DriverFlag};

use crate::context::Context;
use crate::driver_flags;
use crate::failure::Failure;
use crate::output::{Format, json, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show the flags of this driver.
    driver: Option<String>,
    /// How to print.
    #[arg(long, short, value_enum, default_value = "table")]
    output: Format,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let drivers = context.drivers().await?;
    let text = match (&args.driver, args.output) {
        (Some(name), Format::Json) => json::text(&json::driver(driver_flags::find(drivers, name)?)),
        (Some(name), Format::Table) => flags(driver_flags::find(drivers, name)?),
        (None, Format::Json) => json::list(drivers, json::driver),
        (None, Format::Table) => table::table(
            &["NAME", "IDEMPOTENCY", "BATCH", "POWER", "ACCOUNTS", "COORDINATORS"],
            drivers.iter().map(row),
        ),
    };
    context.print(&text)
}

fn row(driver: &Driver) -> Vec<String> {
    let accounts: Vec<String> = driver
        .accounts
        .iter()
        .map(|account| match account.owner.as_str() {
            "" => account.name.clone(),
            owner => format!("{} ({owner})", account.name),
        })
        .collect();
    vec![
        driver.name.clone(),
        driver.idempotency.clone(),
        driver.batch_max.to_string(),
        if driver.power { "yes" } else { "no" }.to_owned(),
        accounts.join(", "),
        driver.coordinators.join(", "),
    ]
}

fn flags(driver: &Driver) -> String {
    let row = |flag: &DriverFlag| {
        vec![
            format!("--{}", flag.name),
            flag.kind.clone(),
            flag.env.clone(),
            flag.default_value.clone(),
            flag.usage.clone(),
        ]
    };
    table::table(&["FLAG", "KIND", "VARIABLE", "DEFAULT", "USAGE"], driver.flags.iter().map(row))
}
