//! Disks that fail, and power that goes.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::harness::{Cluster, PATIENCE, request, write};
use crate::raft::{Disk, ProposeErrorKind};

/// A disk in memory that forgets what was not synced when its power goes, and can fail to sync.
#[derive(Clone, Default)]
pub(crate) struct PowerDisk(Arc<Platters>);

#[derive(Default)]
struct Platters {
    written: Mutex<Vec<u8>>,
    synced: Mutex<Vec<u8>>,
    failing: AtomicBool,
    /// Nothing is synced any more, and what was only written is gone when it is opened again.
    off: AtomicBool,
}

impl fmt::Debug for PowerDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PowerDisk")
    }
}

impl PowerDisk {
    pub(crate) fn fail(&self) {
        self.0.failing.store(true, Ordering::SeqCst);
    }

    fn cut(&self) {
        self.0.off.store(true, Ordering::SeqCst);
    }
}

impl Disk for PowerDisk {
    fn open(&self, path: &Path) -> Result<Database, DatabaseError> {
        // The store looks whether its file is there.
        std::fs::write(path, "in memory")?;
        if self.0.off.swap(false, Ordering::SeqCst) {
            *self.0.written.lock().unwrap() = self.0.synced.lock().unwrap().clone();
        }
        Builder::new().create_with_backend(self.clone())
    }
}

impl StorageBackend for PowerDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.written.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.0.written.lock().unwrap()[offset..offset + out.len()]);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.written.lock().unwrap().resize(usize::try_from(length).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.0.failing.load(Ordering::SeqCst) || self.0.off.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is broken"));
        }
        *self.0.synced.lock().unwrap() = self.0.written.lock().unwrap().clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.0.written.lock().unwrap()[offset..offset + data.len()].copy_from_slice(data);
        Ok(())
    }
}

fn disks() -> Vec<PowerDisk> {
    (0..3).map(|_| PowerDisk::default()).collect()
}

async fn cluster(disks: &[PowerDisk]) -> Cluster {
    let disk = |id: u64| Arc::new(disks[usize::try_from(id - 1).unwrap()].clone()) as Arc<dyn Disk>;
    Cluster::on(3, |_| {}, disk).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_the_loss_of_all_power() {
    let disks = disks();
    let mut cluster = cluster(&disks).await;
    let mut operations = Vec::new();
    for round in 0..3 {
        for number in 0..10 {
            let node = &cluster.nodes[&(number % 3 + 1)];
            operations.push(write(node, round * 10 + number).await);
        }
        disks.iter().for_each(PowerDisk::cut);
        for id in 1..=3 {
            cluster.kill(id).await;
        }
        for id in 1..=3 {
            cluster.start(id).await.unwrap();
        }
        let state = cluster.assert_equal_states().await;
        assert!(operations.iter().all(|operation| state.operations.contains_key(operation)), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_with_a_broken_disk_stops_and_the_others_go_on() {
    let disks = disks();
    let cluster = cluster(&disks).await;
    let broken = cluster.leader().await;
    disks[usize::try_from(broken - 1).unwrap()].fail();
    let survivor = *cluster.nodes.keys().find(|id| **id != broken).unwrap();
    write(&cluster.nodes[&survivor], 1).await;
    let node = &cluster.nodes[&broken];
    let failure = tokio::time::timeout(PATIENCE, node.ended()).await.unwrap();
    assert!(failure.is_some_and(|failure| failure.contains("the disk is broken")));
    let refused = node.propose(vec![request(2)]).await.unwrap_err().kind();
    assert_eq!(refused, ProposeErrorKind::Storage);
}
