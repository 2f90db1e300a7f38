//! What one account in one region knows beside its instances, and what each request does to it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::behaviour::{Behaviour, Seen, count};
use crate::buckets::{self, Buckets};
use crate::form::Form;
use crate::hosts::Hosts;
use crate::tokens::{Tokens, Used};
use crate::upstream::Upstream;
use crate::{WorldError, xml};

/// The image that stands for whatever a public parameter names.
const IMAGE: &str = "ami-12c6146b";

/// An answer to a request; [`Reply::Lost`] closes the connection instead.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer { status: u16, xml: String },
    Lost,
}

#[derive(Debug)]
pub(crate) struct Account {
    upstream: Upstream,
    /// Real machines for the instances; without, they exist in the emulator only.
    hosts: Option<Arc<Hosts>>,
    creating: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) behaviour: Behaviour,
    pub(crate) seen: Seen,
    buckets: Buckets,
    tokens: Tokens,
    made: HashMap<String, Instant>,
    terminated: HashSet<String>,
    /// Of spot requests that are over once their instance ends.
    one_time: HashSet<String>,
    addresses: HashMap<String, Ipv4Addr>,
}

/// Done, as the emulator answered it.
struct Done {
    status: u16,
    xml: String,
}

impl Account {
    pub(crate) fn new(upstream: Upstream, hosts: Option<Arc<Hosts>>, behaviour: Behaviour) -> Self {
        Self {
            upstream,
            hosts,
            creating: tokio::sync::Mutex::default(),
            state: Mutex::new(State { behaviour, ..State::default() }),
        }
    }

    /// Every change is whole while the lock is held.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn handle(&self, authorization: &str, body: &[u8]) -> Result<Reply, WorldError> {
        let form = Form::parse(body);
        if !self.admits(&form) {
            return Ok(refused(503, "RequestLimitExceeded", "Request limit exceeded."));
        }
        if let Some(refusal) = self.unstoppable(&form) {
            return Ok(refusal);
        }
        let done = match form.action() {
            "RunInstances" => match self.create(authorization, &form).await? {
                Ok(done) => done,
                Err(refusal) => return Ok(refusal),
            },
            _ => self.pass(authorization, &form).await?,
        };
        Ok(self.answer(&form, done)?)
    }

    /// The caller of a request went away before its reply came.
    pub(crate) fn nobody_heard(&self, body: &[u8], reply: &Reply) {
        if matches!(reply, Reply::Answer { status: 200, .. }) {
            count(&mut self.state().seen.unheard, Form::parse(body).action());
        }
    }

    /// Counts the request, and takes its token.
    fn admits(&self, form: &Form) -> bool {
        let action = form.action();
        let mut state = self.state();
        count(&mut state.seen.requests, action);
        let (bucket, size) = buckets::of_action(action);
        let admitted = !state.behaviour.throttle || state.buckets.take(bucket, size, 1, Instant::now());
        if !admitted {
            count(&mut state.seen.throttled, action);
        }
        admitted
    }

    async fn create(&self, authorization: &str, form: &Form) -> Result<Result<Done, Reply>, WorldError> {
        let slot = self.state().tokens.slot(form.get("ClientToken").unwrap_or_default());
        let mut used = slot.lock().await;
        match &*used {
            Some(before) if before.form != *form => {
                let message =
                    "Arguments on this idempotent request are inconsistent with arguments used before.";
                return Ok(Err(refused(400, "IdempotentParameterMismatch", message)));
            }
            Some(Used { answer: Some(xml), .. }) => return Ok(Ok(Done { status: 200, xml: xml.clone() })),
            _ => {}
        }
        let granted = match self.grant(form) {
            Ok(granted) => granted,
            Err(refusal) => {
                if matches!(&refusal, Reply::Answer { status: 500, .. }) {
                    *used = Some(Used { form: form.clone(), answer: None });
                }
                return Ok(Err(refusal));
            }
        };
        // The emulator is one interpreter: side by side each create only takes longer, and nobody knows how long alone.
        let working = self.creating.lock().await;
        let began = Instant::now();
        let done = self
            .upstream
            .ask(authorization, &granted.encode())
            .await
            .map(|(status, xml)| Done { status, xml })?;
        drop(working);
        if done.status == 200 {
            self.state().seen.creates.push(began.elapsed());
            self.record(&granted, &done.xml)?;
            *used = Some(Used { form: form.clone(), answer: Some(done.xml.clone()) });
        }
        Ok(Ok(done))
    }

    /// The request as the emulator gets it: with as many instances as there is room for.
    fn grant(&self, form: &Form) -> Result<Form, Reply> {
        let (least, most) = (form.number("MinCount"), form.number("MaxCount"));
        let shapes = form.shapes();
        let mut state = self.state();
        if state.behaviour.exceeds_quota(&shapes) {
            let message = "You have requested more vCPU capacity than your current limit allows.";
            return Err(refused(400, "VcpuLimitExceeded", message));
        }
        let granted = state.behaviour.granted(&shapes, most);
        if granted < least {
            let message = "We currently do not have sufficient capacity of the type you asked for.";
            return Err(refused(500, "InsufficientInstanceCapacity", message));
        }
        let admitted = !state.behaviour.throttle
            || state.buckets.take("instances", buckets::INSTANCES, granted, Instant::now());
        if !admitted {
            count(&mut state.seen.throttled, "RunInstances");
            return Err(refused(503, "RequestLimitExceeded", "Request limit exceeded."));
        }
        state.behaviour.take(&shapes, granted);
        let mut form = form.clone();
        // The emulator makes as many as the smaller number says.
        form.set("MinCount", granted.to_string());
        form.set("MaxCount", granted.to_string());
        if form.get("ImageId").is_some_and(|image| image.starts_with("resolve:ssm:")) {
            form.set("ImageId", IMAGE);
        }
        Ok(form)
    }

    fn record(&self, form: &Form, xml: &str) -> Result<(), WorldError> {
        let ids = xml::instances(xml)?;
        {
            let mut state = self.state();
            let now = Instant::now();
            state.seen.made += u32::try_from(ids.len()).unwrap_or(u32::MAX);
            state.made.extend(ids.iter().map(|id| (id.clone(), now)));
            if form.is_spot() && !form.is_persistent() {
                state.one_time.extend(ids.iter().cloned());
            }
        }
        let Some(hosts) = &self.hosts else { return Ok(()) };
        let user_data = STANDARD.decode(form.get("UserData").unwrap_or_default()).unwrap_or_default();
        for id in &ids {
            let address = hosts.boot(id, &user_data)?;
            self.state().addresses.insert(id.clone(), address);
        }
        Ok(())
    }

    async fn pass(&self, authorization: &str, form: &Form) -> Result<Done, WorldError> {
        if let (Some(hosts), "GetConsoleOutput") = (&self.hosts, form.action()) {
            let text = hosts.console(form.get("InstanceId").unwrap_or_default()).await?;
            return Ok(Done { status: 200, xml: xml::console(&STANDARD.encode(text)) });
        }
        let (status, xml) = self.upstream.ask(authorization, &form.encode()).await?;
        if (form.action(), status) == ("TerminateInstances", 200) {
            self.state().terminated.extend(form.list("InstanceId"));
        }
        if let (Some(hosts), 200) = (&self.hosts, status) {
            hosts.follow(form.action(), &form.list("InstanceId"), form.get("Force") == Some("true"));
        }
        Ok(Done { status, xml })
    }

    /// The refusal of a stop that concerns a spot instance which can only end; all of the call is refused with it.
    fn unstoppable(&self, form: &Form) -> Option<Reply> {
        if form.action() != "StopInstances" {
            return None;
        }
        let state = self.state();
        let id = form.list("InstanceId").into_iter().find(|id| state.one_time.contains(id))?;
        let message = format!("The Spot Instance '{id}' has a one-time request, and cannot be stopped.");
        Some(refused(400, "UnsupportedOperation", &message))
    }

    /// Made and not terminated.
    pub(crate) fn living(&self) -> BTreeSet<String> {
        let state = self.state();
        state.made.keys().filter(|id| !state.terminated.contains(*id)).cloned().collect()
    }

    /// What the caller gets of what was done.
    fn answer(&self, form: &Form, done: Done) -> Result<Reply, xml::Unreadable> {
        let mut state = self.state();
        let action = form.action();
        let reads = buckets::of_action(action).0 == "reading";
        if !reads && done.status == 200 && fastrand::u8(0..100) < state.behaviour.lost_percent {
            count(&mut state.seen.lost, action);
            return Ok(Reply::Lost);
        }
        if !["DescribeInstances", "RunInstances"].contains(&action) || done.status != 200 {
            return Ok(Reply::Answer { status: done.status, xml: done.xml });
        }
        let (now, delay) = (Instant::now(), state.behaviour.visible_after);
        let young = |id: &str| state.made.get(id).is_some_and(|made| now.duration_since(*made) < delay);
        let hidden = |id: &str| action == "DescribeInstances" && young(id);
        let changes = xml::Changes {
            hidden,
            addresses: &state.addresses,
            called: if state.behaviour.outside { &xml::PUBLIC } else { &xml::ALL },
            // They come when an instance starts.
            without: if action == "RunInstances" { &xml::PUBLIC } else { &[] },
        };
        Ok(Reply::Answer { status: 200, xml: xml::rewritten(&done.xml, &changes)? })
    }
}

fn refused(status: u16, code: &str, message: &str) -> Reply {
    Reply::Answer { status, xml: xml::refusal(code, message) }
}
