//! `skep driver describe`.

use skep_proto::v1::{Driver, DriverCredential, DriverFlag, DriverLimit};

use crate::context::Context;
use crate::driver_flags;
use crate::failure::Failure;
use crate::output::{Format, age, json, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// As `driver ls` names it.
    driver: String,
    /// How to print.
    #[arg(long, short, value_enum, default_value = "table")]
    output: Format,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let driver = driver_flags::find(context.drivers().await?, &args.driver)?;
    context.print(&match args.output {
        Format::Json => json::text(&json::driver(driver)),
        Format::Table => text(driver),
    })
}

fn text(driver: &Driver) -> String {
    let mut text = abilities(driver);
    let mut part = |title: &str, lines: String| {
        // The headings of an empty table say nothing.
        if lines.lines().count() > 1 {
            text.push_str(&format!("\n{title}\n{lines}"));
        }
    };
    part("For hosts:", flags(&driver.flags));
    part("For accounts:", flags(&driver.account_flags));
    part("Credentials of an account:", credentials(&driver.credentials));
    part("Limits, unless the account has its own:", limits(&driver.limits));
    text
}

fn abilities(driver: &Driver) -> String {
    let yes = |able: bool| if able { "yes" } else { "no" }.to_owned();
    let naming = if driver.named_slots { "each with its own name" } else { "alike" };
    let lines = [
        ("Name", driver.name.clone()),
        ("Idempotency", idempotency(driver)),
        ("Instances of a call", format!("up to {}, {naming}", driver.batch_max)),
        ("Calls in flight", format!("up to {}", driver.calls_in_flight_max)),
        ("Settles within", format!("{} ms", driver.settle_ms)),
        ("Power", driver.power.clone()),
        ("Console", yes(driver.console)),
        ("Agent comes by", driver.way_in.clone()),
        ("Adopts machines", yes(driver.adopts)),
        ("Attests instances", yes(driver.attests)),
        ("Tunnels", yes(driver.tunnels)),
        ("Addresses change", yes(driver.addresses_change)),
        ("Accounts", accounts(driver)),
        ("Coordinators", driver.coordinators.join(", ")),
    ];
    lines.map(|(name, value)| format!("{}\n", format!("{name:<20} {value}").trim_end())).concat()
}

fn idempotency(driver: &Driver) -> String {
    match driver.token_retention_ms {
        0 => driver.idempotency.clone(),
        kept => format!("{}, kept for {}", driver.idempotency, age::short(kept)),
    }
}

pub(super) fn accounts(driver: &Driver) -> String {
    let accounts = driver.accounts.iter().map(|account| match account.owner.as_str() {
        "" => account.name.clone(),
        owner => format!("{} ({owner})", account.name),
    });
    accounts.collect::<Vec<_>>().join(", ")
}

pub(super) fn flags(flags: &[DriverFlag]) -> String {
    let row = |flag: &DriverFlag| {
        vec![
            format!("--{}", flag.name),
            flag.kind.clone(),
            flag.env.clone(),
            flag.default_value.clone(),
            flag.usage.clone(),
        ]
    };
    table::table(&["FLAG", "KIND", "VARIABLE", "DEFAULT", "USAGE"], flags.iter().map(row))
}

fn credentials(credentials: &[DriverCredential]) -> String {
    let row = |credential: &DriverCredential| {
        let needed = if credential.required { "yes" } else { "no" };
        vec![credential.name.clone(), needed.to_owned(), credential.env.clone(), credential.usage.clone()]
    };
    table::table(&["NAME", "NEEDED", "VARIABLE", "USAGE"], credentials.iter().map(row))
}

fn limits(limits: &[DriverLimit]) -> String {
    let row = |limit: &DriverLimit| {
        let of = if limit.per_instance { "instances" } else { "calls" };
        vec![limit.class.clone(), of.to_owned(), limit.per_minute.to_string(), limit.burst.to_string()]
    };
    table::table(&["CLASS", "OF", "A MINUTE", "AT ONCE"], limits.iter().map(row))
}
