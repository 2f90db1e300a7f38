//! `skep driver ls`.

use skep_proto::v1::{BrokenDriver, Driver};

use super::describe;
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
        (Some(name), Format::Table) => describe::flags(&driver_flags::find(drivers, name)?.flags),
        (None, Format::Json) => listed(drivers, context.broken_drivers().await?),
        (None, Format::Table) => all(drivers, context.broken_drivers().await?),
    };
    context.print(&text)
}

/// Programs that cannot be used come last: on which coordinator, and why.
fn all(drivers: &[Driver], broken: &[BrokenDriver]) -> String {
    table::table(
        &["NAME", "IDEMPOTENCY", "BATCH", "POWER", "ACCOUNTS", "COORDINATORS", "STATE"],
        drivers.iter().map(row).chain(broken.iter().map(broken_row)),
    )
}

/// As in the table. What is broken has its reason under `broken`, where a driver has nothing.
fn listed(drivers: &[Driver], broken: &[BrokenDriver]) -> String {
    let all = drivers.iter().map(json::driver).chain(broken.iter().map(json::broken_driver));
    json::text(&all.collect())
}

fn row(driver: &Driver) -> Vec<String> {
    vec![
        driver.name.clone(),
        driver.idempotency.clone(),
        driver.batch_max.to_string(),
        driver.power.clone(),
        describe::accounts(driver),
        driver.coordinators.join(", "),
        if driver.coordinators.is_empty() { "on no coordinator" } else { "usable" }.to_owned(),
    ]
}

fn broken_row(broken: &BrokenDriver) -> Vec<String> {
    let nothing = String::new;
    let state = format!("broken: {}", broken.reason);
    vec![broken.name.clone(), nothing(), nothing(), nothing(), nothing(), broken.coordinator.clone(), state]
}
