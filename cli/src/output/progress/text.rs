//! The words of progress.

use skep_proto::v1::Operation;

use crate::output::age;

/// The order in which a host goes through its life.
const PHASES: [&str; 15] = [
    "Pending",
    "Provisioning",
    "Booting",
    "Installing",
    "Joining",
    "Starting",
    "Maintaining",
    "Demoting",
    "Leaving",
    "Stopping",
    "Stopped",
    "Deleting",
    "Ready",
    "Failed",
    "Quarantined",
];

/// Phases that have hosts, with how many, in the order of life; ones we have not heard of come last.
pub(crate) fn phases(operation: &Operation) -> Vec<(&str, u32)> {
    let place = |phase: &str| PHASES.iter().position(|known| *known == phase).unwrap_or(PHASES.len());
    let mut phases: Vec<(&str, u32)> = operation
        .phases
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(phase, count)| (phase.as_str(), *count))
        .collect();
    phases.sort_by_key(|(phase, _)| (place(phase), *phase));
    phases
}

/// "create-hosts web: 3/5 done, 1 failed"; without numbers where there is nothing to count.
pub(crate) fn heading(operation: &Operation) -> String {
    let failed = match operation.items_failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    let done = match operation.items {
        0 => String::new(),
        items => format!(": {}/{items} done{failed}", operation.items_done),
    };
    format!("{} {}{done}", operation.kind, operation.subject)
}

/// All that a plain line says but for the time.
pub(crate) fn state(operation: &Operation) -> String {
    let phases: Vec<String> =
        phases(operation).into_iter().map(|(phase, count)| format!("{phase} {count}")).collect();
    let phases = if phases.is_empty() { String::new() } else { format!("; {}", phases.join(", ")) };
    format!("{}{phases}", heading(operation))
}

pub(crate) fn plain(operation: &Operation) -> String {
    format!("[{:>4}] {}\n", age::short(operation.age_ms), state(operation))
}

/// The end: how it went and how long it took, then the failures, grouped.
pub(crate) fn summary(operation: &Operation) -> String {
    let verdict = if operation.verdict == "Aborted" { " and was undone" } else { "" };
    let mut text = format!(
        "{} ({}) {}{verdict} after {}\n",
        heading(operation),
        operation.id,
        state_word(&operation.state),
        age::took(operation.took_ms)
    );
    for failure in &operation.failures {
        let example = match failure.example.as_str() {
            "" => String::new(),
            example => format!(", such as {example}"),
        };
        text.push_str(&format!("  {} x {}{example}\n", failure.count, failure.reason));
    }
    text
}

fn state_word(state: &str) -> &str {
    match state {
        "Succeeded" => "succeeded",
        "PartlyFailed" => "failed in part",
        "Failed" => "failed",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skep_proto::v1::Failure;

    fn operation() -> Operation {
        Operation {
            id: "o1-7".into(),
            kind: "create-hosts".into(),
            subject: "web".into(),
            items: 5,
            items_done: 3,
            items_failed: 1,
            age_ms: 12_300,
            phases: [("Ready", 3), ("Odd", 1), ("Booting", 1), ("Joining", 0)]
                .map(|(phase, count)| (phase.to_owned(), count))
                .into(),
            ..Operation::default()
        }
    }

    #[test]
    fn a_plain_line_counts_phases_in_the_order_of_life() {
        assert_eq!(
            plain(&operation()),
            "[ 12s] create-hosts web: 3/5 done, 1 failed; Booting 1, Ready 3, Odd 1\n"
        );
    }

    #[test]
    fn the_end_groups_failures() {
        let failure = |reason: &str, count, example: &str| Failure {
            reason: reason.into(),
            count,
            example: example.into(),
        };
        let operation = Operation {
            state: "Failed".into(),
            verdict: "Aborted".into(),
            took_ms: 65_000,
            failures: vec![failure("Capacity", 2, "web-4"), failure("BootTimeout", 1, "")],
            ..operation()
        };
        assert_eq!(
            summary(&operation),
            "create-hosts web: 3/5 done, 1 failed (o1-7) failed and was undone after 1 min 5 s\n  2 x Capacity, such as web-4\n  1 x BootTimeout\n"
        );
    }
}
