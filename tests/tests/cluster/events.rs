//! A watch of events goes on where it was, on another coordinator.

use std::time::Duration;

use skep_proto::v1 as pb;
use skep_tests::inprocess::{InProcess, Operator, create, delete};
use tokio::time::timeout;

use super::three;

/// Without a new event for this long, the stream is looked at elsewhere.
const SILENCE: Duration = Duration::from_millis(500);

type Told = (String, String, String);

fn told(event: &pb::Event) -> Told {
    (event.revision.clone(), event.subject_id.clone(), event.reason.clone())
}

/// Reads from one coordinator until the stream ends, is silent, or gave `most` events.
async fn read(operator: &Operator, id: u64, request: pb::WatchEventsRequest, most: usize) -> Vec<pb::Event> {
    let mut events = Vec::new();
    let Ok(answer) = operator.at(id).unwrap().events.watch(request).await else { return events };
    let mut stream = answer.into_inner();
    while events.len() < most {
        match timeout(SILENCE, stream.message()).await {
            Ok(Ok(Some(event))) => events.push(event),
            Ok(Ok(None) | Err(_)) | Err(_) => return events,
        }
    }
    events
}

/// Everything after a revision, a few events from each coordinator in turn, until `last` was told.
async fn follow(cluster: &InProcess, mut after: String, last: &Told) -> Vec<Told> {
    let operator = cluster.operator().unwrap();
    let mut seen = Vec::new();
    let ids = cluster.ids();
    for turn in 0..1000 {
        let request = pb::WatchEventsRequest { after_revision: after.clone(), ..Default::default() };
        let events = read(&operator, ids[turn % ids.len()], request, 3).await;
        after = events.last().map_or(after, |event| event.revision.clone());
        seen.extend(events.iter().map(told));
        if seen.last() == Some(last) {
            return seen;
        }
    }
    panic!("never told: {last:?}; told so far: {seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_tells_everything_once_across_coordinators_and_crashes() {
    let cluster = three().await;
    let operator = cluster.operator().unwrap();
    let list =
        operator.ask(async |c| c.hosts.clone().list(pb::ListHostsRequest::default()).await).await.unwrap();
    cluster.create(create("web", 5)).await.unwrap();
    let leader = cluster.leader().await.unwrap();
    cluster.crash(leader).await;
    cluster.delete(delete("gone", (1..=5).map(|number| format!("web-{number}")))).await.unwrap();
    cluster.restart(leader).await.unwrap();
    cluster.at_rest().await.unwrap();
    let all = pb::WatchEventsRequest {
        after_revision: list.revision.clone(),
        no_follow: true,
        ..Default::default()
    };
    let all: Vec<Told> =
        read(&operator, cluster.leader().await.unwrap(), all, usize::MAX).await.iter().map(told).collect();
    assert!(all.len() > 20, "{all:?}");
    let followed = follow(&cluster, list.revision, all.last().unwrap()).await;
    assert_eq!(followed, all);
}
