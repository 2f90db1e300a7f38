//! A thousand hosts from one request, on three coordinators as programs and a simulated cloud.

use std::time::Duration;

use skep_tests::bench::{Bulk, BulkOptions, bulk};
use skep_tests::print;

const HOSTS: u32 = 1000;
/// The driver takes some 12 s; debug builds of all that runs here, on two busy cores, take the rest. How quick it is in
/// earnest is for `tests/bench.sh bulk` to say.
const BOUND: Duration = Duration::from_secs(110);

#[test]
fn a_thousand_hosts_of_one_request_are_ready() {
    let options = BulkOptions {
        hosts: HOSTS,
        create: Duration::from_secs(10),
        boot: Duration::from_millis(100),
        bound: BOUND,
    };
    let Bulk { operation, ready, driver, log_entries, .. } = bulk(&options);
    let ready = ready.as_secs_f64();
    print(&format!(
        "ready after {ready:.1} s; {:.1} s of it are the driver's; {log_entries} entries",
        driver.own_s
    ));
    assert_eq!(operation.state, "Succeeded", "{operation:?}");
    assert_eq!((operation.items_done, operation.items_failed), (HOSTS, 0));
    // Each once, over all replays and failures there might have been.
    assert_eq!(driver.instances, u64::from(HOSTS));
}
