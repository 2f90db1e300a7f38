//! Facts of a Linux host, from /proc and the kernel's clocks. What cannot be read is told as zero.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use skep_types::{AgentConfig, limits};
use tracing::warn;

use super::{Facts, Resources};

#[derive(Debug)]
pub struct ProcFacts {
    /// The engine's data folder, or where it will be.
    docker_data: PathBuf,
    evidence: PathBuf,
}

impl ProcFacts {
    pub fn new() -> Self {
        Self { docker_data: "/var/lib/docker".into(), evidence: AgentConfig::EVIDENCE_PATH.into() }
    }
}

impl Default for ProcFacts {
    fn default() -> Self {
        Self::new()
    }
}

impl Facts for ProcFacts {
    fn boot_id(&self) -> String {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
    }

    fn resources(&self) -> Resources {
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let (disk_total_bytes, disk_available_bytes) = self.disk();
        Resources {
            memory_total_bytes: meminfo(&memory, "MemTotal:"),
            memory_available_bytes: meminfo(&memory, "MemAvailable:"),
            disk_total_bytes,
            disk_available_bytes,
            load_hundredths: load_hundredths(&load),
            cpus: std::thread::available_parallelism()
                .map_or(0, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX)),
        }
    }

    fn uptime(&self) -> Duration {
        clock(ClockId::Boottime)
    }

    fn wall_time(&self) -> Duration {
        clock(ClockId::Realtime)
    }

    /// Of what is too long, a part: coordinators refuse it, and say so.
    fn evidence(&self) -> Vec<u8> {
        let mut evidence = Vec::new();
        let Ok(file) = File::open(&self.evidence) else { return evidence };
        match file.take(limits::EVIDENCE_BYTES as u64).read_to_end(&mut evidence) {
            Ok(_) => evidence,
            Err(error) => {
                warn!(path = %self.evidence.display(), %error, "the evidence cannot be read");
                Vec::new()
            }
        }
    }
}

impl ProcFacts {
    /// Before the engine's first start its folder is missing; the nearest folder above is on the same file system.
    fn disk(&self) -> (u64, u64) {
        let existing = self.docker_data.ancestors().find(|folder| folder.exists());
        let Some(Ok(disk)) = existing.map(rustix::fs::statvfs) else {
            return (0, 0);
        };
        (disk.f_blocks.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

/// One line of /proc/meminfo, in bytes.
fn meminfo(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = value.and_then(|value| value.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or_default().saturating_mul(1024)
}

/// The first number of /proc/loadavg, which has two decimals.
fn load_hundredths(text: &str) -> u32 {
    let digits: String = text.split(' ').next().unwrap_or_default().split('.').collect();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_texts_are_read() {
        let text = "MemTotal:       16384 kB\nMemFree:   1 kB\nMemAvailable:    8192 kB\n";
        assert_eq!(meminfo(text, "MemTotal:"), 16 << 20);
        assert_eq!(meminfo(text, "MemAvailable:"), 8 << 20);
        assert_eq!(load_hundredths("1.07 0.50 0.25 1/99 4242\n"), 107);
    }

    #[test]
    fn a_text_of_another_kernel_reads_as_zero() {
        assert_eq!(meminfo("", "MemTotal:"), 0);
        assert_eq!(load_hundredths("?"), 0);
    }

    #[test]
    fn evidence_is_what_lies_there_and_no_more_than_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let facts = ProcFacts { evidence: folder.path().join("evidence"), ..ProcFacts::new() };
        assert_eq!(facts.evidence(), Vec::<u8>::new());
        std::fs::write(&facts.evidence, vec![7; limits::EVIDENCE_BYTES + 1]).unwrap();
        assert_eq!(facts.evidence(), vec![7; limits::EVIDENCE_BYTES]);
    }

    #[test]
    fn this_host_has_memory_disk_and_a_boot() {
        let facts = ProcFacts::new();
        let resources = facts.resources();
        assert!(resources.memory_total_bytes >= resources.memory_available_bytes);
        assert!(resources.disk_total_bytes > 0);
        assert_eq!(facts.boot_id().len(), 36);
    }
}
