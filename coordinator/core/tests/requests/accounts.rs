//! Accounts: made of what their driver knows, kept while hosts use them.

use std::collections::BTreeMap;

use skep_core::Command;
use skep_core::command::{
    AddAccount, MemberCommand, NewIntent, NewSlot, OutcomeCommand, PlanCommand, Reply, Request,
};
use skep_core::plan;
use skep_core::state::{Account, AccountLimits, AccountSettings, CredentialSource, Host};
use skep_types::{
    AccountName, Bucket, CallClass, Code, ConditionKind, CoordinatorId, CredentialDescription,
    DriverDescription, FlagDescription, FlagKind, Limits,
};

use super::{code, field, refused};
use crate::support::{Cluster, DriverSpec, create_hosts, digest, request};

/// Its accounts need a key, and have a size.
fn cloud() -> DriverDescription {
    let credential = |name: &str, required| CredentialDescription {
        name: name.to_owned(),
        usage: format!("the {name}"),
        env: String::new(),
        required,
    };
    DriverDescription {
        account_flags: vec![FlagDescription {
            name: "size".to_owned(),
            kind: FlagKind::Integer,
            usage: String::new(),
            default: String::new(),
            env: String::new(),
        }],
        credentials: vec![credential("key", true), credential("chain", false)],
        limits: Limits {
            calls: BTreeMap::from([(CallClass::Create, Bucket { per_minute: 60, burst: 5 })]),
            instances: BTreeMap::new(),
        },
        ..DriverSpec { name: "cloud", ..DriverSpec::TOKEN }.describe()
    }
}

fn register(cluster: &mut Cluster, drivers: Vec<DriverDescription>) {
    let coordinator = CoordinatorId(1);
    let reply = cluster.one(Command::Member(MemberCommand::Register {
        coordinator,
        process: 1,
        address: String::new(),
        raft_address: String::new(),
        version: String::new(),
        drivers,
        broken: Vec::new(),
    }));
    assert_eq!(reply, Reply::Done);
}

/// With the driver `sim` and its own account, and `cloud` that has none.
fn cluster() -> Cluster {
    let mut cluster = Cluster::founded(DriverSpec::TOKEN);
    register(&mut cluster, vec![DriverSpec::TOKEN.describe(), cloud()]);
    cluster
}

fn name(name: &str) -> AccountName {
    name.parse().expect("a name")
}

fn stored(credentials: &[&str]) -> CredentialSource {
    let sealed = credentials.iter().map(|name| ((*name).to_owned(), vec![7, 7]));
    CredentialSource::Stored { sealed: sealed.collect() }
}

fn add(account: &str) -> AddAccount {
    let settings = AccountSettings { credentials: stored(&["key"]), ..AccountSettings::default() };
    let driver = "cloud".parse().expect("a name of a driver");
    AddAccount { account: name(account), driver, settings, replace: false }
}

fn with(change: impl FnOnce(&mut AddAccount)) -> Request {
    let mut add = add("prod");
    change(&mut add);
    Request::AddAccount(add)
}

fn account<'a>(cluster: &'a Cluster, of: &str) -> &'a Account {
    &cluster.state.accounts[&name(of)]
}

#[test]
fn a_driver_that_needs_credentials_has_no_account_of_its_own() {
    let mut cluster = cluster();
    assert!(cluster.state.accounts.contains_key(&name("sim")));
    assert!(!cluster.state.accounts.contains_key(&name("cloud")));
    assert!(cluster.state.drivers.contains_key(&"cloud".parse().unwrap()));
    let family = DriverSpec { name: "machine/nimbus", ..DriverSpec::TOKEN }.describe();
    register(&mut cluster, vec![family]);
    assert_eq!(account(&cluster, "machine-nimbus").driver.name.as_str(), "machine/nimbus");
}

#[test]
fn what_the_driver_does_not_know_or_misses_is_refused_by_field() {
    let mut cluster = cluster();
    let limits =
        |change: fn(&mut AccountLimits)| move |add: &mut AddAccount| change(&mut add.settings.limits);
    for (wanted, asked) in [
        ("driver", with(|add| add.driver = "clod".parse().unwrap())),
        ("credentials.key", with(|add| add.settings.credentials = stored(&[]))),
        ("credentials.kay", with(|add| add.settings.credentials = stored(&["key", "kay"]))),
        ("options.sighs", with(|add| drop(add.settings.options.insert("sighs".into(), "1".into())))),
        ("options.size", with(|add| drop(add.settings.options.insert("size".into(), "big".into())))),
        ("coordinators", with(|add| add.settings.coordinators = vec![CoordinatorId(9)])),
        ("coordinators", with(|add| add.settings.coordinators = vec![CoordinatorId(1); 2])),
        ("limits.calls_in_flight_max", with(limits(|limits| limits.calls_in_flight = Some(0)))),
        (
            "limits.calls.create.per_minute",
            with(limits(|limits| {
                limits.buckets.calls.insert(CallClass::Create, Bucket { per_minute: 0, burst: 1 });
            })),
        ),
        (
            "limits.instances.read.burst",
            with(limits(|limits| {
                limits.buckets.instances.insert(CallClass::Read, Bucket { per_minute: 1, burst: 0 });
            })),
        ),
        ("name", with(|add| (add.account, add.driver) = (name("sim"), "sim".parse().unwrap()))),
    ] {
        let refusal = refused(&mut cluster, asked);
        assert_eq!(refusal.violations[0].field, wanted, "{refusal}");
        assert!(!refusal.violations[0].description.is_empty());
    }
}

#[test]
fn the_accounts_limits_take_the_place_of_the_drivers() {
    let mut cluster = cluster();
    cluster.accepted(request("add", with(|_| {})));
    let create = |cluster: &Cluster| account(cluster, "prod").limits().calls[&CallClass::Create];
    assert_eq!(create(&cluster), Bucket { per_minute: 60, burst: 5 });
    let own = Bucket { per_minute: 6, burst: 2 };
    let buckets = Limits { calls: BTreeMap::from([(CallClass::Create, own)]), ..Limits::default() };
    let limits = AccountLimits { buckets, calls_in_flight: Some(1) };
    cluster.accepted(request("set", Request::SetAccountLimits { account: name("prod"), limits }));
    assert_eq!(create(&cluster), own);
    assert_eq!(account(&cluster, "prod").calls_in_flight_max(), 1);
    let limits = AccountLimits::default();
    cluster.accepted(request("reset", Request::SetAccountLimits { account: name("prod"), limits }));
    assert_eq!(create(&cluster), Bucket { per_minute: 60, burst: 5 });
}

#[test]
fn a_rotation_changes_the_credentials_and_nothing_else() {
    let mut cluster = cluster();
    cluster
        .accepted(request("add", with(|add| drop(add.settings.options.insert("size".into(), "3".into())))));
    let before = account(&cluster, "prod").clone();
    let rotate = |credentials| Request::RotateCredentials { account: name("prod"), credentials };
    assert_eq!(field(&mut cluster, rotate(stored(&["chain"]))), "credentials.key");
    let command = CredentialSource::Command { name: "sign-in".to_owned(), arguments: Vec::new() };
    cluster.accepted(request("rotate", rotate(command.clone())));
    let after = account(&cluster, "prod").clone();
    assert_eq!(after.settings, AccountSettings { credentials: command, ..before.settings });
    assert!(after.revision > before.revision);
    assert_eq!(after.owners, before.owners);
}

#[test]
fn an_account_is_replaced_on_request_alone_and_keeps_its_driver_and_owner() {
    let mut cluster = cluster();
    cluster.accepted(request("add", with(|_| {})));
    cluster.assign_owners();
    let owners = account(&cluster, "prod").owners.clone();
    assert!(owners[0].is_some());
    assert_eq!(code(&mut cluster, with(|_| {})), Code::AlreadyExists);
    let other = with(|add| (add.replace, add.driver) = (true, "sim".parse().unwrap()));
    assert_eq!(field(&mut cluster, other), "driver");
    let replace = with(|add| {
        add.replace = true;
        add.settings.coordinators = vec![CoordinatorId(1)];
    });
    cluster.accepted(request("replace", replace));
    assert_eq!(account(&cluster, "prod").settings.coordinators, [CoordinatorId(1)]);
    assert_eq!(account(&cluster, "prod").owners, owners);
}

#[test]
fn an_account_goes_when_nothing_needs_it() {
    let mut cluster = cluster();
    cluster.accepted(request("add", with(|_| {})));
    let remove = |of: &str| Request::RemoveAccount { account: name(of) };
    let mut create = create_hosts("web", 1);
    let mut template = (*create.shares[0].template).clone();
    (template.driver, template.account) = ("cloud".parse().unwrap(), name("prod"));
    create.shares = vec![std::sync::Arc::new(template).into()];
    cluster.accepted(request("create", Request::CreateHosts(create)));
    assert_eq!(code(&mut cluster, remove("prod")), Code::Precondition);
    let hosts = vec![cluster.id("web")];
    cluster.request(request("delete", Request::DeleteHosts { hosts, force: false }));
    let plan = cluster.plan();
    cluster.apply(plan.commands.into_iter().map(Command::Plan).collect());
    cluster.accepted(request("remove", remove("prod")));
    assert_eq!(code(&mut cluster, remove("prod")), Code::NotFound);
    assert_eq!(code(&mut cluster, remove("sim")), Code::Precondition, "the driver's own");
    register(&mut cluster, vec![cloud()]);
    cluster.accepted(request("no-driver", remove("sim")));
}

#[test]
fn what_a_driver_says_anew_holds_for_all_of_its_accounts() {
    let mut cluster = cluster();
    cluster.accepted(request("add", with(|_| {})));
    let settings = account(&cluster, "prod").settings.clone();
    register(&mut cluster, vec![DriverDescription { calls_in_flight_max: 99, ..cloud() }]);
    assert_eq!(account(&cluster, "prod").calls_in_flight_max(), 99);
    assert_eq!(account(&cluster, "prod").settings, settings);
}

/// What an intent waits for is shown on its hosts, and taken back by whoever owns it then.
#[test]
fn hosts_show_what_their_account_lacks() {
    let mut cluster = cluster();
    cluster.accepted(request("create", Request::CreateHosts(create_hosts("web", 1))));
    let sim = name("sim");
    let wish = plan::account::plan(&cluster.view(), account(&cluster, "sim")).0.remove(0);
    let template = cluster.host("web").template.clone();
    let slots = vec![NewSlot { token: digest(5) }];
    let intent = NewIntent::Create { template, slots, sealed_bootstrap: Vec::new() };
    let open = PlanCommand::OpenIntent { guards: wish.guards, account: sim.clone(), shard: 0, intent };
    cluster.one(Command::Plan(open));
    let intent = cluster.host("web").intent().expect("it is open");
    let epoch = account(&cluster, "sim").owner(0).expect("an owner").epoch;
    let hold = |epoch, problem: Option<&str>| {
        let problem = problem.map(str::to_owned);
        Command::Outcome(OutcomeCommand::Hold { intent, epoch, problem })
    };
    let reason = |cluster: &Cluster| {
        let ready = cluster.host("web").conditions.get(ConditionKind::InstanceReady);
        ready.map(|ready| (ready.reason.clone(), ready.message.clone()))
    };
    cluster.one(hold(epoch + 1, Some("not mine to say")));
    assert_eq!(reason(&cluster), None);
    cluster.one(hold(epoch, Some("the key was refused")));
    let wanted = (Host::ACCOUNT_UNUSABLE.to_owned(), "the key was refused".to_owned());
    assert_eq!(reason(&cluster), Some(wanted));
    assert_eq!(cluster.host("web").intent(), Some(intent), "it waits");
    cluster.one(hold(epoch, None));
    assert_ne!(reason(&cluster).expect("a condition").0, Host::ACCOUNT_UNUSABLE);
    assert_eq!(code(&mut cluster, Request::RemoveAccount { account: sim }), Code::Precondition);
}
