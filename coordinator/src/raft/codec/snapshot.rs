//! The state as a stream of records, and back.
//!
//! Hosts share their templates: of equal templates only the first is written out, the others name it, and reading
//! gives them one `Arc` again.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

use prost::Message as _;
use skep_core::State;
use skep_core::state::{IntentKind, JoinToken};
use skep_types::{Digest, Template};

use super::pb;
use super::pb::snapshot_record::Kind;
use super::wire::{Field, Unreadable, Wire};

/// One record. The largest are hosts and intents: a template has at most 64 options of 4 KiB, an intent that and some
/// hundred slots.
const RECORD_BYTES: usize = 8 * 1024 * 1024;

/// Writes all records of a state, in an order that only depends on it.
pub(in crate::raft) fn write_state(state: &State, out: &mut impl Write) -> io::Result<()> {
    let mut writer =
        StateWriter { out, templates: HashMap::new(), shared: HashMap::new(), buffer: Vec::new() };
    writer.record(Kind::Header(header(state)))?;
    for host in state.hosts.values() {
        let mut host_pb = host.to_pb();
        writer.share(&host.template, &mut host_pb.template);
        writer.record(Kind::Host(host_pb))?;
    }
    for swarm in state.swarms.values() {
        writer.record(Kind::Swarm(swarm.to_pb()))?;
    }
    for operation in state.operations.values() {
        writer.record(Kind::Operation(operation.to_pb()))?;
    }
    for intent in state.intents.values() {
        let mut intent_pb = intent.to_pb();
        if let (IntentKind::Create { template, .. }, Some(slot)) =
            (&intent.kind, intent_template(&mut intent_pb))
        {
            writer.share(template, slot);
        }
        writer.record(Kind::Intent(intent_pb))?;
    }
    for driver in state.drivers.values() {
        writer.record(Kind::Driver(driver.to_pb()))?;
    }
    for account in state.accounts.values() {
        writer.record(Kind::Account(account.to_pb()))?;
    }
    for coordinator in state.coordinators.values() {
        writer.record(Kind::Coordinator(coordinator.to_pb()))?;
    }
    for person in state.people.values() {
        writer.record(Kind::Person(person.to_pb()))?;
    }
    for (digest, token) in &state.join_tokens {
        writer.record(Kind::JoinToken(pb::JoinTokenRecord {
            digest: digest.to_field(),
            token: token.to_field(),
        }))?;
    }
    for event in &state.events {
        writer.record(Kind::Event(event.to_pb()))?;
    }
    for audit in &state.audit {
        writer.record(Kind::Audit(audit.to_pb()))?;
    }
    Ok(())
}

fn header(state: &State) -> pb::SnapshotHeader {
    pb::SnapshotHeader {
        cluster: state.cluster.to_field(),
        time: state.time.to_field(),
        epoch: state.epoch,
        revision: state.revision,
        last_id: state.last_id,
        last_coordinator: state.last_coordinator,
    }
}

fn intent_template(intent: &mut pb::Intent) -> Option<&mut Option<pb::Template>> {
    match intent.kind.as_mut()?.kind.as_mut()? {
        pb::intent_kind::Kind::Create(create) => Some(&mut create.template),
        pb::intent_kind::Kind::Power(_) | pb::intent_kind::Kind::Destroy(_) => None,
    }
}

struct StateWriter<'a, W> {
    out: &'a mut W,
    /// The numbers of the templates written out, by their bytes.
    templates: HashMap<Vec<u8>, u32>,
    /// The same by where they are, which is quicker to look up.
    shared: HashMap<*const Template, u32>,
    buffer: Vec<u8>,
}

impl<W: Write> StateWriter<'_, W> {
    fn share(&mut self, template: &Arc<Template>, slot: &mut Option<pb::Template>) {
        let next = u32::try_from(self.templates.len()).unwrap_or(u32::MAX).saturating_add(1);
        let by_value = || *self.templates.entry(template.to_pb().encode_to_vec()).or_insert(next);
        let number = *self.shared.entry(Arc::as_ptr(template)).or_insert_with(by_value);
        if number != next {
            *slot = Some(pb::Template { same_as: number, ..Default::default() });
        }
    }

    fn record(&mut self, kind: Kind) -> io::Result<()> {
        self.buffer.clear();
        pb::SnapshotRecord { kind: Some(kind) }
            .encode_length_delimited(&mut self.buffer)
            .map_err(io::Error::other)?;
        self.out.write_all(&self.buffer)
    }
}

/// Reads records back, one after the other.
#[derive(Debug, Default)]
pub(in crate::raft) struct StateReader {
    state: State,
    templates: Vec<Arc<Template>>,
    header: bool,
    buffer: Vec<u8>,
}

impl StateReader {
    /// Reads until the end of the stream.
    pub(in crate::raft) fn read(mut self, from: &mut impl BufRead) -> io::Result<State> {
        while self.fill(from)? {
            let record = pb::SnapshotRecord::decode(self.buffer.as_slice());
            let added = record.map_err(Unreadable::from).and_then(|record| self.add(record));
            added.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        if !self.header {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the snapshot has no header"));
        }
        Ok(self.state.reindexed())
    }

    /// Brings the next record's bytes into the buffer. False at the end of the stream.
    fn fill(&mut self, from: &mut impl BufRead) -> io::Result<bool> {
        if from.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let length = read_length(from)?;
        if length > RECORD_BYTES {
            let problem = format!("a record of {length} bytes is larger than any that is written");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        self.buffer.resize(length, 0);
        from.read_exact(&mut self.buffer)?;
        Ok(true)
    }

    fn add(&mut self, record: pb::SnapshotRecord) -> Result<(), Unreadable> {
        match record.kind.ok_or_else(Unreadable::missing)? {
            Kind::Header(header) => self.add_header(header).map_err(|error| error.within("header")),
            Kind::Host(host) => self.add_host(host).map_err(|error| error.within("host")),
            Kind::Intent(intent) => self.add_intent(intent).map_err(|error| error.within("intent")),
            kind => self.add_plain(kind),
        }
    }

    fn add_header(&mut self, header: pb::SnapshotHeader) -> Result<(), Unreadable> {
        self.state.cluster = Field::from_field(header.cluster)?;
        self.state.time = Field::from_field(header.time)?;
        self.state.epoch = header.epoch;
        self.state.revision = header.revision;
        self.state.last_id = header.last_id;
        self.state.last_coordinator = header.last_coordinator;
        self.header = true;
        Ok(())
    }

    fn add_host(&mut self, mut host: pb::Host) -> Result<(), Unreadable> {
        let template = self.resolve(&mut host.template)?;
        let mut host = skep_core::state::Host::from_pb(host)?;
        host.template = template;
        self.state.hosts.insert(host.id, Arc::new(host));
        Ok(())
    }

    fn add_intent(&mut self, mut intent: pb::Intent) -> Result<(), Unreadable> {
        let shared = intent_template(&mut intent).map(|slot| self.resolve(slot)).transpose()?;
        let mut intent = skep_core::state::Intent::from_pb(intent)?;
        if let (IntentKind::Create { template, .. }, Some(shared)) = (&mut intent.kind, shared) {
            *template = shared;
        }
        self.state.intents.insert(intent.id, Arc::new(intent));
        Ok(())
    }

    fn add_plain(&mut self, kind: Kind) -> Result<(), Unreadable> {
        let state = &mut self.state;
        match kind {
            Kind::Swarm(swarm) => {
                let swarm = skep_core::state::Swarm::from_pb(swarm)?;
                state.swarms.insert(swarm.id, Arc::new(swarm));
            }
            Kind::Operation(operation) => {
                let operation = skep_core::state::Operation::from_pb(operation)?;
                state.operations.insert(operation.id, Arc::new(operation));
            }
            Kind::Driver(driver) => {
                let driver = skep_types::DriverDescription::from_pb(driver)?;
                state.drivers.insert(driver.name.clone(), Arc::new(driver));
            }
            Kind::Account(account) => {
                let account = skep_core::state::Account::from_pb(account)?;
                state.accounts.insert(account.name.clone(), Arc::new(account));
            }
            Kind::Coordinator(coordinator) => {
                let coordinator = skep_core::state::Coordinator::from_pb(coordinator)?;
                state.coordinators.insert(coordinator.id, Arc::new(coordinator));
            }
            Kind::Person(person) => {
                let person = skep_core::state::Person::from_pb(person)?;
                state.people.insert(person.name.clone(), Arc::new(person));
            }
            Kind::JoinToken(record) => {
                let token: JoinToken = Field::from_field(record.token)?;
                state.join_tokens.insert(Digest::from_field(record.digest)?, token);
            }
            Kind::Event(event) => state.events.push_back(Wire::from_pb(event)?),
            Kind::Audit(audit) => state.audit.push_back(Wire::from_pb(audit)?),
            Kind::Header(_) | Kind::Host(_) | Kind::Intent(_) => {}
        }
        Ok(())
    }

    /// The template of a record; a reference is replaced by what it names.
    fn resolve(&mut self, slot: &mut Option<pb::Template>) -> Result<Arc<Template>, Unreadable> {
        let number = slot.as_ref().ok_or_else(Unreadable::missing)?.same_as;
        let Some(position) = number.checked_sub(1) else {
            let template: Arc<Template> =
                Field::from_field(slot.clone()).map_err(|error| error.within("template"))?;
            self.templates.push(template.clone());
            return Ok(template);
        };
        let known = usize::try_from(position).ok().and_then(|position| self.templates.get(position)).cloned();
        let known =
            known.ok_or_else(|| Unreadable::new(format_args!("template {number} was not written before")))?;
        // The record's own conversion wants a whole template; the shared one takes its place afterwards.
        *slot = known.to_field();
        Ok(known)
    }
}

/// A varint of protobuf.
pub(in crate::raft) fn read_length(from: &mut impl BufRead) -> io::Result<usize> {
    let mut length = 0_usize;
    for shift in (0..=28).step_by(7) {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "a record's length is no varint of at most 5 bytes"))
}
