//! A driver in fifty lines of memory, and the mistakes one can make writing a real one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use skep_driver::{
    Bootstrap, CreateIntent, Driver, DriverError, ErrorKind, Instance, InstanceState, Page, Placed, Slot,
    Target, Tunnel, flags,
};
use skep_types::{
    Batch, DriverDescription, FlagDescription, FlagKind, HostId, Idempotency, InstanceRef, IntentId, Limits,
    PowerAction, PowerActions, ProviderId, Secret, SlotNaming, Template, WayIn,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    Nothing,
    FlagWithoutPrefix,
    TakesAnyOption,
    CheckMakesSomething,
    ForgetsIntents,
    ReplayMakesMore,
    InheritedMakesMore,
    LooksBeforeItLeaps,
    HidesShortfall,
    ListsEverybody,
    PagesOverlap,
    DestroysAnything,
    TakesForeignForGone,
    FindsByNameAlone,
    ObserveDropsUnknown,
    StopTwiceFails,
    StartGivesNewAddress,
    DestroyTwiceFails,
    DestroyOnlyHides,
    NamesByItself,
    NoZone,
    EndlessConsole,
}

/// What all handles of one account share.
/// The size of which there is no second one in the box.
pub(crate) const TOO_LARGE: &str = "99";

#[derive(Debug, Default)]
pub(crate) struct Account {
    made: Mutex<BTreeMap<String, Made>>,
    room: Mutex<Option<usize>>,
}

#[derive(Debug, Clone)]
struct Made {
    cluster: String,
    shown: Instance,
}

#[derive(Debug)]
pub(crate) struct Toy {
    defect: Defect,
    account: Arc<Account>,
    description: DriverDescription,
}

impl Account {
    pub(crate) fn set_room(&self, room: Option<u32>) {
        let made = self.made.lock().unwrap().len();
        *self.room.lock().unwrap() = room.map(|room| made + room as usize);
    }

    pub(crate) fn count(&self) -> usize {
        self.made.lock().unwrap().len()
    }

    fn make(&self, intent: &CreateIntent, name: &str, defect: Defect) -> Option<Instance> {
        let mut made = self.made.lock().unwrap();
        let large = intent.template.options.get("toy-size").is_some_and(|size| size == TOO_LARGE);
        let one_is_there = made.values().any(|made| made.shown.intent == Some(intent.intent));
        if large && one_is_there || self.room.lock().unwrap().is_some_and(|room| made.len() >= room) {
            return None;
        }
        let number = made.len() + 1;
        let id = format!("toy-{number}");
        let shown = Instance {
            instance: InstanceRef {
                provider_id: id.parse().unwrap(),
                name: if defect == Defect::NamesByItself { format!("toy{number}") } else { name.to_owned() },
            },
            intent: Some(intent.intent).filter(|_| defect != Defect::ForgetsIntents),
            state: InstanceState::Running,
            private_address: Some([127, 0, 0, u8::try_from(number % 250).unwrap()].into()),
            public_address: None,
            zone: if defect == Defect::NoZone { String::new() } else { "toy-a".to_owned() },
            kept: None,
        };
        made.insert(id, Made { cluster: intent.cluster.clone(), shown: shown.clone() });
        Some(shown)
    }
}

impl Toy {
    pub(crate) fn new(defect: Defect, account: Arc<Account>) -> Self {
        let prefix = if defect == Defect::FlagWithoutPrefix { "my" } else { "toy" };
        let flag = FlagDescription {
            name: format!("{prefix}-size"),
            kind: FlagKind::Integer,
            usage: "How big".to_owned(),
            default: "1".to_owned(),
            env: "TOY_SIZE".to_owned(),
        };
        let description = DriverDescription {
            name: "toy".parse().unwrap(),
            flags: vec![flag],
            account_flags: Vec::new(),
            credentials: Vec::new(),
            way_in: WayIn::UserData,
            idempotency: Idempotency::UniqueName,
            batch: Batch { max: 10, naming: SlotNaming::Named },
            calls_in_flight_max: 2,
            limits: Limits::default(),
            settle: Duration::ZERO,
            power: PowerActions::All,
            adopts: false,
            attests: true,
            tunnels: true,
            addresses_change: true,
            console: true,
        };
        Self { defect, account, description }
    }

    fn is(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    fn found(&self, cluster: &str, id: &ProviderId) -> Result<Made, DriverError> {
        let made = self.account.made.lock().unwrap();
        let found = made.get(id.as_str()).filter(|made| made.cluster == cluster);
        found.cloned().ok_or_else(|| DriverError::new(ErrorKind::NotFound, format!("no instance {id}")))
    }

    fn is_foreign(&self, cluster: &str, id: &ProviderId) -> bool {
        self.account.made.lock().unwrap().get(id.as_str()).is_some_and(|made| made.cluster != cluster)
    }

    fn existing(&self, intent: &CreateIntent, slot: &Slot) -> Option<Made> {
        let made = self.account.made.lock().unwrap();
        let same =
            |m: &&Made| m.shown.instance.name == slot.name && m.shown.state != InstanceState::Destroyed;
        let forgotten = self.is(Defect::ReplayMakesMore)
            || self.is(Defect::InheritedMakesMore) && intent.inherited.is_some();
        made.values().find(same).cloned().filter(|_| !forgotten).filter(|m| {
            self.is(Defect::FindsByNameAlone)
                || (m.cluster == intent.cluster && m.shown.intent == Some(intent.intent))
                || self.is(Defect::ForgetsIntents)
        })
    }

    fn set(&self, id: &ProviderId, change: impl FnOnce(&mut Instance)) {
        if let Some(made) = self.account.made.lock().unwrap().get_mut(id.as_str()) {
            change(&mut made.shown);
        }
    }

    fn switch(&self, cluster: &str, action: PowerAction, instance: &InstanceRef) -> Result<(), DriverError> {
        let found = self.found(cluster, &instance.provider_id)?;
        let state = match action {
            PowerAction::Start | PowerAction::Restart => InstanceState::Running,
            PowerAction::Stop | PowerAction::Kill => InstanceState::Stopped,
        };
        if self.is(Defect::StopTwiceFails) && found.shown.state == state && action == PowerAction::Stop {
            return Err(DriverError::new(ErrorKind::Internal, "it is stopped already"));
        }
        self.set(&instance.provider_id, |shown| {
            if self.is(Defect::StartGivesNewAddress) && state == InstanceState::Running {
                shown.private_address = Some([127, 9, 9, 9].into());
            }
            shown.state = state;
        });
        Ok(())
    }

    fn remove(&self, cluster: &str, instance: &InstanceRef) -> Result<(), DriverError> {
        if self.is_foreign(cluster, &instance.provider_id) && !self.is(Defect::DestroysAnything) {
            let kind = if self.is(Defect::TakesForeignForGone) {
                ErrorKind::NotFound
            } else {
                ErrorKind::Unsupported
            };
            return Err(DriverError::new(kind, "it is somebody else's"));
        }
        if !self.is(Defect::DestroysAnything) {
            let found = self.found(cluster, &instance.provider_id)?;
            if self.is(Defect::DestroyTwiceFails) && found.shown.state == InstanceState::Destroyed {
                return Err(DriverError::new(ErrorKind::NotFound, "it is gone"));
            }
        }
        if !self.is(Defect::DestroyOnlyHides) {
            self.set(&instance.provider_id, |shown| shown.state = InstanceState::Destroyed);
        }
        Ok(())
    }
}

#[async_trait]
impl Driver for Toy {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        if self.is(Defect::CheckMakesSomething) {
            // In the cluster of the rule that looks.
            let intent = CreateIntent { cluster: "toy-run-c3".to_owned(), ..intent(9, 1) };
            self.account.make(&intent, "probe", self.defect);
        }
        if self.is(Defect::TakesAnyOption) {
            return Ok(());
        }
        flags::read(&self.description.flags, template).map(drop)
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        let mut placed = Placed::default();
        for slot in &intent.slots {
            let existing = self.existing(intent, slot);
            if self.is(Defect::LooksBeforeItLeaps) {
                // Somebody else looks in between.
                tokio::task::yield_now().await;
            }
            match existing
                .map(|made| made.shown)
                .or_else(|| self.account.make(intent, &slot.name, self.defect))
            {
                Some(instance) => placed.instances.push(instance),
                None if self.is(Defect::HidesShortfall) => {}
                None => placed.shortfall = Some(DriverError::new(ErrorKind::Capacity, "the toy box is full")),
            }
        }
        Ok(placed)
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        let made = self.account.made.lock().unwrap();
        let ours = |m: &&Made| self.is(Defect::ListsEverybody) || m.cluster == cluster;
        let living = |m: &&Made| m.shown.state != InstanceState::Destroyed;
        let all: Vec<Instance> = made.values().filter(ours).filter(living).map(|m| m.shown.clone()).collect();
        let from: usize = page_token.map_or(0, |token| token.parse().unwrap());
        let page = all.iter().skip(from).take(2).cloned().collect();
        let step = if self.is(Defect::PagesOverlap) { 1 } else { 2 };
        let next = (from + 2 < all.len()).then(|| (from + step).to_string());
        Ok(Page { instances: page, next })
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        let looks =
            targets.iter().map(|t| self.found(cluster, &t.instance.provider_id).map(|made| made.shown));
        Ok(looks.filter(|look| look.is_ok() || !self.is(Defect::ObserveDropsUnknown)).collect())
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        Ok(targets.iter().map(|target| self.switch(cluster, action, &target.instance)).collect())
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        Ok(targets.iter().map(|target| self.remove(cluster, &target.instance)).collect())
    }

    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError> {
        self.found(cluster, &target.instance.provider_id)?;
        Ok("x".repeat(if self.is(Defect::EndlessConsole) { 1 << 20 } else { 100 }))
    }

    /// Evidence is the instance's id; whoever has none is known by its address.
    async fn attest(&self, cluster: &str, evidence: &[u8]) -> Result<Option<InstanceRef>, DriverError> {
        if evidence.is_empty() {
            return Ok(None);
        }
        let id = String::from_utf8_lossy(evidence).parse().unwrap();
        Ok(Some(self.found(cluster, &id)?.shown.instance))
    }

    /// Whatever is sent to an instance comes back.
    async fn tunnel(&self, cluster: &str, target: &Target, _port: u16) -> Result<Tunnel, DriverError> {
        self.found(cluster, &target.instance.provider_id)?;
        let (near, far) = tokio::io::duplex(1024);
        tokio::spawn(async move {
            let (mut read, mut write) = tokio::io::split(far);
            tokio::io::copy(&mut read, &mut write).await
        });
        Ok(Tunnel::new(near))
    }
}

pub(crate) fn template() -> Template {
    Template {
        driver: "toy".parse().unwrap(),
        account: "toy".parse().unwrap(),
        options: BTreeMap::from([("toy-size".to_owned(), "2".to_owned())]),
        labels: BTreeMap::new(),
    }
}

pub(crate) fn intent(number: u64, slots: u64) -> CreateIntent {
    let slot = |n: u64| Slot {
        name: format!("host-{number}-{n}"),
        host: HostId::new(1, n + 1),
        incarnation: 1,
        bootstrap: Bootstrap {
            agent_urls: vec!["https://c1/agent".to_owned()],
            agent_sha256: "0".repeat(64),
            agent_config: Secret::new("token = \"hush\"\n"),
        },
    };
    CreateIntent {
        cluster: "c".to_owned(),
        intent: IntentId::new(1, number),
        token: format!("token-{number}"),
        template: template(),
        slots: (0..slots).map(slot).collect(),
        lost: false,
        inherited: None,
    }
}
