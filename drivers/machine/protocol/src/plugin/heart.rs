//! The heartbeat. A plugin that has not felt one for ten seconds ends, in the middle of whatever it does.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::process::Stopper;
use super::{Limits, PluginError, flags, nothing};
use crate::rpc::{CallError, Client};

/// Beats until the process is stopped or the connection gone.
pub(super) fn start(
    service: &'static str,
    rpc: Arc<Client>,
    stopper: Stopper,
    limits: Limits,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        tokio::select! {
            () = stopper.stopped() => {}
            () = beat(service, &rpc, &stopper, limits) => {}
        }
    })
}

async fn beat(service: &str, rpc: &Client, stopper: &Stopper, limits: Limits) {
    let method = format!("{service}.Heartbeat");
    let mut ticks = interval(limits.beat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match timeout(limits.silence, rpc.call(&method, flags::NOTHING, &nothing())).await {
            Ok(Err(CallError::Broken(_))) => return,
            // A plugin of before 0.5.1 has no such method, and needs none: that it says so shows that it is there.
            Ok(_) => {}
            Err(_) => return stopper.stop(PluginError::Hung { method: "a heartbeat" }),
        }
    }
}
