//! The spans of an operation: one trace for each operation, whoever works on it.
//!
//! ```text
//! request  the coordinator that was asked    ─┐
//! intent   the owner of the account           ├─ the operation's trace ─► traceparent ─► the agent
//! permit   where the agent's stream ends     ─┘
//! ```
//!
//! The trace's id is a function of the operation's, so coordinators agree on it without a word in the log.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use skep_core::State;
use skep_core::state::{Host, Intent, Permit};
use skep_types::{ClusterId, OperationId};
use tracing::Span;
use tracing::field::{Empty, display};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Hosts named in one span: an intent may have a thousand.
const HOSTS: usize = 8;

/// A mutation, before it is known as an operation. Not to be entered before [`accepted`]: a span that has begun stays in
/// the trace it began in.
pub(crate) fn request(method: &str) -> Span {
    tracing::info_span!(parent: None, "request", method, operation = Empty)
}

pub(crate) fn accepted(request: &Span, cluster: &ClusterId, operation: OperationId) {
    request.record("operation", display(operation));
    join(request, cluster, operation);
}

/// A driver call, with all that is done to settle it.
pub(crate) fn intent(cluster: &ClusterId, state: &State, intent: &Intent) -> Span {
    let span = tracing::info_span!(
        parent: None,
        "intent",
        intent = %intent.id,
        account = %intent.account,
        hosts = intent.hosts().len(),
        host = named(intent),
        operation = Empty,
    );
    // Of several operations that share a call, the first one's.
    if let Some(operation) = intent.hosts().iter().find_map(|host| state.host(*host)).map(|host| of(host)) {
        span.record("operation", display(operation));
        join(&span, cluster, operation);
    }
    span
}

/// What an agent is told to do.
pub(crate) fn permit(cluster: &ClusterId, host: &Host, permit: &Permit) -> Span {
    let (operation, task) = (of(host), permit.task.label());
    let span =
        tracing::info_span!(parent: None, "permit", host = %host.id, %operation, permit = %permit.id, task);
    join(&span, cluster, operation);
    span
}

/// The operation that waits for the host; at rest, the one that made it.
fn of(host: &Host) -> OperationId {
    host.item_of.unwrap_or(host.created_by)
}

fn named(intent: &Intent) -> String {
    let hosts: Vec<String> = intent.hosts().iter().take(HOSTS).map(ToString::to_string).collect();
    hosts.join(" ")
}

fn join(span: &Span, cluster: &ClusterId, operation: OperationId) {
    // An error says that spans are not exported.
    let _alone = span.set_parent(Context::new().with_remote_span_context(trace(cluster, operation)));
}

fn trace(cluster: &ClusterId, operation: OperationId) -> SpanContext {
    let digest = skep_tls::sha256(format!("{cluster}/{operation}").as_bytes()).0;
    let part = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| digest[at + byte]));
    let trace_id = TraceId::from(u128::from(part(0)) << 64 | u128::from(part(8)));
    SpanContext::new(trace_id, SpanId::from(part(16)), TraceFlags::SAMPLED, true, TraceState::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_one_trace_and_no_other_has_it() {
        let cluster: ClusterId = "0198c5a0-0000-7000-8000-000000000001".parse().unwrap();
        let other: ClusterId = "0198c5a0-0000-7000-8000-000000000002".parse().unwrap();
        let of = |cluster: &ClusterId, counter| trace(cluster, OperationId::new(1, counter)).trace_id();
        assert_eq!(of(&cluster, 1), of(&cluster, 1));
        assert_ne!(of(&cluster, 1), of(&cluster, 2));
        assert_ne!(of(&cluster, 1), of(&other, 1));
        assert!(trace(&cluster, OperationId::new(1, 1)).is_valid());
    }
}
