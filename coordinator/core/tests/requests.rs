//! What people ask for: refused with the field's name, or accepted; once; and recorded in either case.

mod accounts;
mod admin;
mod create;
mod delete;
mod power;
mod repeated;

use skep_core::command::{Reply, Request};
use skep_types::{Code, Refusal};

use crate::support::{Cluster, request};

/// Refused, recorded, and nothing else changed.
fn refused(cluster: &mut Cluster, what: Request) -> Refusal {
    let before = cluster.state.clone();
    let id = format!("refused-{}", before.revision);
    let reply = cluster.request(request(&id, what));
    let Reply::Refused(refusal) = reply else { panic!("accepted: {reply:?}") };
    let record = cluster.state.audit.last().expect("an audit record");
    assert_eq!(record.verdict, refusal.to_string());
    assert_eq!(record.request_id.as_str(), id);
    let mut after = cluster.state.clone();
    after.audit = before.audit.clone();
    after.revision = before.revision;
    assert!(after == before, "a refused request changed something");
    refusal
}

/// The field that the caller has to mend.
fn field(cluster: &mut Cluster, what: Request) -> String {
    let refusal = refused(cluster, what);
    let first = refusal.violations.first().expect("a violation");
    assert!(
        refusal.violations.iter().all(|other| other.field == first.field && !other.description.is_empty())
    );
    first.field.clone()
}

fn code(cluster: &mut Cluster, what: Request) -> Code {
    refused(cluster, what).code
}
