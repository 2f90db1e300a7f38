//! `skep-driver-amazonec2`: the driver `amazonec2`, one process for each account, behind a socket.

use std::process::ExitCode;
use std::sync::Arc;

use skep_driver::plugin::{self, Only};
use skep_driver_amazonec2::AmazonEc2;

#[tokio::main]
async fn main() -> ExitCode {
    plugin::main(std::env::args_os(), &Only(Arc::new(AmazonEc2::default()))).await
}
