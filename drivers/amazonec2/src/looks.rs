//! One looker for everybody who waits: questions that come together are answered by the same few describes.
//!
//! ```text
//!  observe, power, destroy ─ids─► queue ─► gather ─► describe, 200 ids a call ─► answers to all who asked
//! ```
//! While one round is under way the next one gathers, so however many hosts are waited for, there is one request at a
//! time, and it carries all of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ec2::types::Instance as Described;
use skep_driver::{DriverError, ErrorKind};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use crate::client::{Ec2, filter};
use crate::errors::{Effect, again, refusal};
use crate::tags;

/// Values that EC2 takes in one filter.
const IDS_A_CALL: usize = 200;
/// Pages of one call: the most that EC2 gives.
pub(crate) const PAGE: i32 = 1_000;
/// Questions that wait for the next round; more wait at the door.
const QUEUE: usize = 1_024;
/// Questions of one moment come in this close to each other.
const GATHER: Duration = Duration::from_millis(10);

/// Instances by id, whosever they are; an id that is not there is unknown to EC2, or not yet known everywhere.
pub(crate) type Seen = HashMap<String, Described>;

#[derive(Debug)]
pub(crate) struct Looks {
    questions: mpsc::Sender<Question>,
    /// The looker ends with the driver.
    _looker: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Question {
    ids: Vec<String>,
    answer: oneshot::Sender<Result<Arc<Seen>, DriverError>>,
}

impl Looks {
    pub(crate) fn start(ec2: Ec2) -> Self {
        let (questions, queue) = mpsc::channel(QUEUE);
        Self { questions, _looker: AbortOnDropHandle::new(tokio::spawn(answer_all(ec2, queue))) }
    }

    pub(crate) async fn at(&self, ids: Vec<String>) -> Result<Arc<Seen>, DriverError> {
        if ids.is_empty() {
            return Ok(Arc::default());
        }
        let ended = || DriverError::new(ErrorKind::Internal, "the looker has ended");
        let (answer, answered) = oneshot::channel();
        self.questions.send(Question { ids, answer }).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

async fn answer_all(ec2: Ec2, mut queue: mpsc::Receiver<Question>) {
    while let Some(first) = queue.recv().await {
        tokio::time::sleep(GATHER).await;
        let mut questions = vec![first];
        while questions.len() < QUEUE
            && let Ok(next) = queue.try_recv()
        {
            questions.push(next);
        }
        let looked = look(&ec2, &questions).await.map(Arc::new);
        for question in questions {
            // Whoever went away meanwhile needs no answer.
            question.answer.send(looked.as_ref().map(Arc::clone).map_err(again)).ok();
        }
    }
}

async fn look(ec2: &Ec2, questions: &[Question]) -> Result<Seen, DriverError> {
    let ids: BTreeSet<&str> = questions.iter().flat_map(|q| q.ids.iter().map(String::as_str)).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let mut seen = Seen::new();
    for some in ids.chunks(IDS_A_CALL) {
        // Asked for by filter: one unknown id would fail a call that names them.
        let found = pages(ec2, vec![filter("instance-id", some)]).await?;
        seen.extend(found.into_iter().filter_map(|one| Some((one.instance_id()?.to_owned(), one))));
    }
    Ok(seen)
}

/// Everything that the intent made, as far as it can be seen.
pub(crate) async fn of_intent(ec2: &Ec2, cluster: &str, intent: &str) -> Result<Vec<Described>, DriverError> {
    let by = |tag: &str, value: &str| filter(&format!("tag:{tag}"), [value]);
    pages(ec2, vec![by(tags::CLUSTER, cluster), by(tags::INTENT, intent)]).await
}

async fn pages(ec2: &Ec2, filters: Vec<aws_sdk_ec2::types::Filter>) -> Result<Vec<Described>, DriverError> {
    let asked = ec2.sdk.describe_instances().set_filters(Some(filters)).max_results(PAGE);
    let mut pages = asked.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(refusal("EC2 did not describe the instances", Effect::Reads))?;
        found.extend(
            page.reservations().iter().flat_map(|reservation| reservation.instances().iter().cloned()),
        );
    }
    Ok(found)
}
