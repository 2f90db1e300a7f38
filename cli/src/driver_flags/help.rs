//! `--help` of a command that makes hosts: the flags of the driver that it names belong to it.

use std::ffi::OsString;

use skep_proto::v1::{Driver, DriverFlag};

use super::sweep;
use crate::context::Context;

/// What clap has to say, and after it what the cluster knows.
pub(crate) async fn help(plain: &clap::Error, arguments: &[OsString], context: &mut Context) -> String {
    let plain = plain.to_string();
    let Some(named) = sweep::named(arguments) else { return plain };
    context.config = named.config;
    let Ok(known) = context.drivers().await else { return plain };
    let named = known.iter().filter(|driver| named.drivers.contains(&driver.name));
    named.fold(plain, |text, driver| text + &flags(driver))
}

fn flags(driver: &Driver) -> String {
    if driver.flags.is_empty() {
        return format!("\n{} has no flags of its own.\n", driver.name);
    }
    let flags: String = driver.flags.iter().map(flag).collect();
    format!("\nFlags of {}:\n{flags}", driver.name)
}

fn flag(flag: &DriverFlag) -> String {
    let name = match flag.kind.as_str() {
        "boolean" => flag.name.clone(),
        kind => format!("{} <{}>", flag.name, kind.to_uppercase()),
    };
    let told = |what: &str, value: &str| match value {
        "" => String::new(),
        value => format!(" [{what}: {value}]"),
    };
    let (env, default) = (told("env", &flag.env), told("default", &flag.default_value));
    format!("      --{name}\n          {}{env}{default}\n", flag.usage)
}
