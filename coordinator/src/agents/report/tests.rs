//! What makes a host unwell.

use skep_proto::agent::Resources;
use skep_types::ClusterTime;

use super::*;

/// A machine of 100 bytes of either, with that much left.
fn report(disk: u64, memory: u64) -> Report {
    let resources = Resources {
        disk_total_bytes: 100,
        disk_available_bytes: disk,
        memory_total_bytes: 100,
        memory_available_bytes: memory,
        ..Resources::default()
    };
    Report { resources: Some(resources), ..Report::default() }
}

/// The reason told of a host of which nothing is known yet.
fn reason(report: &Report, clock_offset: Duration) -> String {
    match health(report, clock_offset, &Conditions::default()) {
        Some(Observed::Health { status, reason, .. }) => {
            assert_eq!(status == ConditionStatus::True, reason == "Healthy");
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_host_is_healthy_with_room_and_the_right_time() {
    let second = Duration::from_secs(1);
    let cases = [
        (report(5, 5), Duration::ZERO, "Healthy"),
        (report(5, 5), CLOCK_OFFSET, "Healthy"),
        (report(5, 5), CLOCK_OFFSET + second, "ClockOffset"),
        (report(4, 5), Duration::ZERO, "DiskLow"),
        (report(5, 4), Duration::ZERO, "MemoryLow"),
        // What stops containers is told before what will stop connections.
        (report(4, 5), CLOCK_OFFSET + second, "DiskLow"),
    ];
    for (report, offset, expected) in cases {
        assert_eq!(reason(&report, offset), expected, "{report:?}, {offset:?}");
    }
}

#[test]
fn a_clock_that_stays_wrong_is_told_once_and_its_mending_once() {
    let (wrong, right) = (CLOCK_OFFSET * 2, Duration::ZERO);
    let mut known = Conditions::default();
    let mut told = |offset| {
        let observed = health(&report(50, 50), offset, &known);
        if let Some(Observed::Health { status, reason, message }) = &observed {
            known.set(ConditionKind::Healthy, *status, reason, message, ClusterTime(0));
        }
        observed.is_some()
    };
    assert_eq!([told(wrong), told(wrong), told(right), told(right)], [true, false, true, false]);
}

#[test]
fn a_report_without_resources_says_nothing_of_health() {
    assert_eq!(health(&Report::default(), CLOCK_OFFSET * 2, &Conditions::default()), None);
}
