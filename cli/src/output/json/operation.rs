//! Operations.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use skep_proto::v1::Operation;

pub(crate) fn operation(operation: &Operation) -> Value {
    let failures: Vec<Value> = operation
        .failures
        .iter()
        .map(|failure| json!({"reason": failure.reason, "count": failure.count, "example": failure.example}))
        .collect();
    json!({
        "id": operation.id,
        "revision": operation.revision,
        "kind": operation.kind,
        "subject": operation.subject,
        "request_id": operation.request_id,
        "actor": operation.actor,
        "state": operation.state,
        "verdict": operation.verdict,
        "items": operation.items,
        "items_done": operation.items_done,
        "items_failed": operation.items_failed,
        "phases": operation.phases.iter().collect::<BTreeMap<_, _>>(),
        "failures": failures,
        "age_ms": operation.age_ms,
        "took_ms": operation.took_ms,
    })
}
