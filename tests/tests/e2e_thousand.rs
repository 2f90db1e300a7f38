//! A thousand hosts from one request, on three coordinators as programs: of a simulated cloud, and of an emulated EC2 that
//! loses what it answers.

use std::time::Duration;

use skep_tests::bench::{Bulk, BulkOptions, Ec2Options, bulk, ec2};
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

/// Of create calls; ten make a thousand instances.
const CALLS_MAX: u32 = 40;
/// As many as make the thousand: only those that were under way at the owner's end.
const UNHEARD_MAX: u32 = 10;

#[test]
fn a_thousand_instances_are_made_once_though_replies_and_their_owner_are_lost() {
    let took = ec2(&Ec2Options { instances: HOSTS, lost_percent: 33, kill_owner: true, bound: BOUND });
    let calls = took.seen.requests_of("RunInstances");
    let (seconds, least) = (took.took.as_secs_f64(), took.least.as_secs_f64());
    print(&format!(
        "known after {seconds:.1} s, {:.2} times what EC2's buckets and the emulator's own work take; {calls} create calls",
        seconds / least
    ));
    assert_eq!((took.doubles, took.orphans), (0, 0), "{took:?}");
    assert!(calls <= CALLS_MAX, "{took:?}");
    assert!(took.seen.unheard_of("RunInstances") <= UNHEARD_MAX, "{took:?}");
}
