//! What the tests put into the cluster.

use std::fmt;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use skep_proto::v1::{
    BrokenDriver, Condition, ConditionStatus, Driver, DriverCredential, DriverFlag, DriverLimit, Host,
    NodeRole, Operation, Template,
};
use skep_tls::{COORDINATOR_NAME, Certified, Key, PublicKey, WallTime, public_key_of_request, wall_now};

pub(crate) fn host(name: &str, phase: &str) -> Host {
    let number = name.rsplit('-').next().and_then(|number| number.parse::<u8>().ok()).unwrap_or(1);
    Host {
        id: format!("h1-{number}"),
        name: name.into(),
        revision: "r1-7".into(),
        template: Some(Template {
            driver: "local".into(),
            account: "local".into(),
            options: [("local-memory".to_owned(), "1g".to_owned())].into(),
            labels: [("tier".to_owned(), "web".to_owned())].into(),
        }),
        phase: phase.into(),
        phase_age_ms: 3_000,
        private_address: format!("172.30.0.{}", number + 10),
        engine_version: "26.1.5".into(),
        age_ms: 130_000,
        ..Host::default()
    }
}

pub(crate) fn fleet() -> Vec<Host> {
    let disconnected = Condition {
        kind: "AgentConnected".into(),
        status: ConditionStatus::False.into(),
        reason: "SessionLost".into(),
        message: "no report for 20 s".into(),
        since_ms: 8_000,
    };
    vec![
        host("web-10", "Ready"),
        Host {
            phase_message: "capacity: no room\nleft".into(),
            private_address: String::new(),
            engine_version: String::new(),
            ..host("web-3", "Failed")
        },
        Host {
            swarm: "demo".into(),
            role: NodeRole::Manager.into(),
            conditions: vec![disconnected],
            ..host("web-2", "Ready")
        },
        Host {
            public_address: "2001:db8::1".into(),
            engine_version: String::new(),
            ..host("web-1", "Booting")
        },
    ]
}

pub(crate) fn drivers() -> Vec<Driver> {
    let flag = |name: &str, kind: &str, usage: &str, default: &str, env: &str| DriverFlag {
        name: name.into(),
        kind: kind.into(),
        usage: usage.into(),
        default_value: default.into(),
        env: env.into(),
    };
    vec![Driver {
        name: "local".into(),
        flags: vec![
            flag("local-cpus", "integer", "CPUs of a host", "", "LOCAL_CPUS"),
            flag("local-memory", "string", "memory of a host", "512m", "LOCAL_MEMORY"),
            flag("local-quiet", "boolean", "say less", "false", ""),
        ],
        idempotency: "unique-name".into(),
        batch_max: 1,
        power: "all".to_owned(),
        coordinators: vec!["c1".into(), "c2".into()],
        accounts: Vec::new(),
        console: true,
        named_slots: true,
        calls_in_flight_max: 8,
        settle_ms: 0,
        way_in: "user-data".into(),
        account_flags: vec![flag("local-engine", "string", "the engine's address", "", "")],
        credentials: vec![DriverCredential {
            name: "engine-key".into(),
            usage: "the key to the engine".into(),
            env: "LOCAL_ENGINE_KEY".into(),
            required: false,
        }],
        limits: vec![DriverLimit { class: "create".into(), per_instance: true, per_minute: 60, burst: 10 }],
        token_retention_ms: 0,
        adopts: false,
        attests: false,
        tunnels: true,
        addresses_change: false,
    }]
}

pub(crate) fn broken_drivers() -> Vec<BrokenDriver> {
    vec![BrokenDriver {
        name: "nimbus".into(),
        coordinator: "c1".into(),
        program: "/usr/lib/skep/drivers/skep-driver-nimbus".into(),
        reason: "can be written by others: chmod go-w".into(),
    }]
}

/// A creation of three hosts, `done` of them ready.
pub(crate) fn creation(age_ms: u64, phases: &[(&str, u32)], done: u32) -> Operation {
    Operation {
        id: "o1-5".into(),
        kind: "create-hosts".into(),
        subject: "web".into(),
        state: "Running".into(),
        verdict: "Undecided".into(),
        items: 3,
        items_done: done,
        phases: phases.iter().map(|(phase, count)| ((*phase).to_owned(), *count)).collect(),
        age_ms,
        ..Operation::default()
    }
}

pub(crate) fn created() -> Operation {
    Operation {
        state: "Succeeded".into(),
        verdict: "Committed".into(),
        took_ms: 8_400,
        ..creation(8_400, &[("Ready", 3)], 3)
    }
}

/// A certificate authority; the real one is the coordinator's.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), root }
    }

    pub(crate) fn root_pem(&self) -> String {
        self.root.clone()
    }

    /// For the key of a request: from `age_s` ago, until `left_s` from now. PEM.
    pub(crate) fn certify(&self, request: &[u8], age_s: u64, left_s: i64) -> String {
        self.leaf(&public_key_of_request(request).unwrap(), age_s, left_s)
    }

    pub(crate) fn certified(&self, key: &Key, age_s: u64, left_s: i64) -> Certified {
        Certified::from_pem(&self.leaf(key.public(), age_s, left_s), key).unwrap()
    }

    pub(crate) fn leaf(&self, key: &PublicKey, age_s: u64, left_s: i64) -> String {
        let now = wall_now().0;
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![
            SanType::DnsName(COORDINATOR_NAME.try_into().unwrap()),
            SanType::URI("spiffe://c0/person/ann/1".try_into().unwrap()),
        ];
        params.not_before = SystemTime::from(WallTime(now - age_s)).into();
        params.not_after = SystemTime::from(WallTime(now.saturating_add_signed(left_s))).into();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.signed_by(&key.to_certify().unwrap(), &self.issuer).unwrap().pem()
    }
}
