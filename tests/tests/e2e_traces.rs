//! A collector hears who did what for an operation, from the request to the agent.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "e2e/collector.rs"]
mod collector;

use std::time::Duration;

use skep_tests::bench::Simulation;
use skep_tests::processes::{Processes, Settings};
use skep_tests::wait::until;

use collector::{Collector, Span};

/// Spans are sent ten times a second, and builds for debugging are slow.
const HEARD: Duration = Duration::from_secs(20);

#[test]
fn a_collector_hears_of_an_operation_from_the_request_to_the_agent() {
    let collector = Collector::start();
    let simulation =
        Simulation::start_saying("skep_agent=info", Duration::from_millis(100), Duration::from_millis(50));
    let settings = Settings {
        driver_sockets: vec![simulation.socket()],
        otlp_endpoint: Some(collector.endpoint.clone()),
        ..Settings::default()
    };
    let cluster = Processes::start_with(1, &settings);
    let skep = cluster.skep();
    skep.text(&["swarm", "create", "demo", "--managers", "1", "--workers", "0", "--driver", "sim"]);
    let host = skep.json(&["ls", "-o", "json"])[0]["id"].as_str().unwrap().to_owned();
    let operation = skep.json(&["operation", "ls", "-o", "json"])[0]["id"].as_str().unwrap().to_owned();

    let of_operation =
        |name: &str, span: &Span| span.name == name && span.attributes.get("operation") == Some(&operation);
    let heard = |name: &str| {
        let what = format!("the collector hears of the {name} of {operation}");
        until(HEARD, &what, || collector.find(|span| of_operation(name, span))).0
    };
    let (request, intent, permit) = (heard("request"), heard("intent"), heard("permit"));
    assert!(request.attributes["method"].contains("Swarms/Create"), "{request:?}");
    assert_eq!(intent.attributes["host"], host);
    assert!(intent.attributes["intent"].starts_with("i1-"), "{intent:?}");
    assert_eq!(permit.attributes["host"], host);
    assert_eq!([&intent.trace, &permit.trace], [&request.trace; 2], "one operation is one trace");

    // As the agent was told it with its assignment: version-trace-span-flags.
    let told = format!("00-{}-{}-01", permit.trace, permit.id);
    let log = simulation.log();
    assert!(log.contains(&told), "no agent was told of the trace {told}:\n{log}");
}
