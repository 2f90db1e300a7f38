//! Makes a cluster: its id, its key, its issuers, the first coordinator and the first admin.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use skep_core::command::{Command, Founding, MemberCommand, Reply};
use skep_core::state::Issuers as SealedIssuers;
use skep_tls::{Key, wall_now, write_private};
use skep_types::{ClusterId, CoordinatorId, PersonName};
use uuid::Uuid;

use crate::clock::BootClock;
use crate::layout::{Addresses, Layout, LayoutError, Member, World};
use crate::raft::{self, Beat, BeatAnswer, BeatHandler, Node, ProposeError, StartError, Unwatched};
use crate::run::{LogOptions, Tuning, log_of};
use crate::trust::{ClusterKey, Issuers, TrustError};

/// The first coordinator's id, and its certificate's before there is a log to say so.
const FIRST: CoordinatorId = CoordinatorId(1);
/// The first certificate generation of the first admin; see `apply`.
const FIRST_GENERATION: u64 = 1;

#[derive(Debug)]
pub struct Options {
    pub layout: Layout,
    pub addresses: Addresses,
    pub admin: PersonName,
    /// The admin's client configuration; its certificate and key are written beside it.
    pub operator_config: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum FoundError {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("the log could not be opened")]
    Start(#[from] StartError),
    #[error("the first entry could not be committed")]
    Propose(#[from] ProposeError),
    #[error("the first entry was refused: {0}")]
    Refused(String),
}

/// The coordinator's folder is whole when this returns; `skepd run` starts it. A call that was cut off is made again.
pub async fn found(options: Options) -> Result<Member, FoundError> {
    let Options { layout, addresses, admin, operator_config } = options;
    layout.create()?;
    let Authority { cluster, key, sealed, issuers } = authority()?;
    certify(&layout, &issuers, &addresses)?;
    let founding = Founding {
        cluster: cluster.clone(),
        issuers: sealed,
        address: addresses.advertise.clone(),
        raft_address: addresses.raft_advertise.clone(),
        control_key: layout.key(World::Control)?.public_key_digest(),
        raft_key: layout.key(World::Raft)?.public_key_digest(),
        admin: admin.clone(),
    };
    let member = Member { cluster, coordinator: FIRST, addresses };
    first_entry(&layout, &member, founding).await?;
    layout.save_cluster_key(&key)?;
    write_operator(&operator_config, &issuers, &member, &admin)?;
    layout.save_member(&member)?;
    Ok(member)
}

/// What a cluster is known by.
struct Authority {
    cluster: ClusterId,
    key: ClusterKey,
    sealed: SealedIssuers,
    issuers: Issuers,
}

fn authority() -> Result<Authority, LayoutError> {
    let cluster: ClusterId = Uuid::now_v7().to_string().parse().map_err(|_| TrustError::Random)?;
    let key = ClusterKey::generate()?;
    let sealer = key.sealer(&cluster)?;
    let sealed = Issuers::create(&sealer, &cluster, wall_now())?;
    let issuers = Issuers::open(&sealer, &cluster, &sealed)?;
    Ok(Authority { cluster, key, sealed, issuers })
}

fn certify(layout: &Layout, issuers: &Issuers, addresses: &Addresses) -> Result<(), LayoutError> {
    let control = layout.key(World::Control)?;
    let raft = layout.key(World::Raft)?;
    let reached_by = [host_of(&addresses.advertise)];
    let issued = issuers.coordinator_control(FIRST, &reached_by, control.public(), wall_now())?;
    layout.save_certificate(World::Control, &issued.pem())?;
    layout.save_root(World::Control, &issuers.control.root_pem())?;
    let issued = issuers.coordinator_raft(FIRST, raft.public(), wall_now())?;
    layout.save_certificate(World::Raft, &issued.pem())?;
    layout.save_root(World::Raft, &issuers.raft.root_pem())?;
    Ok(())
}

/// HOST of HOST:PORT, without the brackets of an IPv6 address.
pub(crate) fn host_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

/// A log of one voter, for as long as it takes to write who everybody is.
async fn first_entry(layout: &Layout, member: &Member, founding: Founding) -> Result<(), FoundError> {
    layout.clear_log()?;
    let credential = layout.credential(World::Raft)?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")
        .map_err(|source| LayoutError::Io { path: "127.0.0.1:0".into(), source })?;
    let options = LogOptions {
        clock: Arc::new(BootClock),
        tuning: Tuning { snapshot_every: u64::MAX },
        beats: Arc::new(Deaf),
        checkpoint: Arc::new(Unwatched),
    };
    let (config, parts, _) = log_of(layout, member, &credential, listener, options)?;
    raft::create(&config, parts.disk.as_ref())?;
    let handle = raft::start(config, parts).await?;
    let node = Node {
        raft_address: member.addresses.raft_advertise.clone(),
        address: member.addresses.advertise.clone(),
    };
    handle.initialize_single(node).await?;
    let command = Command::Member(MemberCommand::Found(Box::new(founding)));
    let replies = handle.propose(vec![command]).await;
    handle.shutdown().await;
    match replies?.into_iter().next() {
        Some(Reply::Joined(FIRST)) => Ok(()),
        other => Err(FoundError::Refused(format!("{other:?}"))),
    }
}

/// Nobody beats to a coordinator that is being made.
#[derive(Debug)]
struct Deaf;

#[async_trait]
impl BeatHandler for Deaf {
    async fn beat(&self, _: Beat, term: u64) -> BeatAnswer {
        BeatAnswer { term, sightings: Vec::new() }
    }

    fn lost_touch(&self, _: CoordinatorId) {}
}

/// What the CLI reads; paths are relative to the file.
#[derive(Serialize)]
struct OperatorConfig<'a> {
    cluster: &'a ClusterId,
    coordinators: Vec<&'a str>,
    ca: String,
    certificate: String,
    key: String,
}

fn write_operator(
    path: &Path,
    issuers: &Issuers,
    member: &Member,
    admin: &PersonName,
) -> Result<(), LayoutError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|source| LayoutError::Io { path: folder.to_owned(), source })?;
    let key = Key::generate()?;
    let issued = issuers.person(admin, FIRST_GENERATION, key.public(), wall_now())?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let config = OperatorConfig {
        cluster: &member.cluster,
        coordinators: vec![&member.addresses.advertise],
        ca: format!("{stem}-ca.pem"),
        certificate: format!("{stem}.pem"),
        key: format!("{stem}.key"),
    };
    key.save(&folder.join(&config.key))?;
    write_private(&folder.join(&config.certificate), issued.pem().as_bytes())?;
    write_private(&folder.join(&config.ca), issuers.control.root_pem().as_bytes())?;
    write_private(path, toml::to_string(&config)?.as_bytes())?;
    Ok(())
}
