//! `skep-driver-amazonec2`: the driver `amazonec2`, one process for each account, behind a socket.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use skep_driver::plugin::{self, Only};
use skep_driver_amazonec2::AmazonEc2;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let name = "amazonec2".parse().context("a driver's name is a DNS label")?;
    Ok(plugin::main(std::env::args_os(), &Only(Arc::new(AmazonEc2::new(name)))).await)
}
