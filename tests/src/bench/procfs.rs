//! What the kernel says a process has used.

use std::time::Duration;

/// `USER_HZ`: what times in /proc are counted in, on every architecture Linux has for servers.
const TICKS_PER_SECOND: u64 = 100;
/// Fields of /proc/PID/stat behind the program's name, from 0: user and system time.
const USER_TIME: usize = 11;
const SYSTEM_TIME: usize = 12;

/// User and system time of a process since it started.
pub fn cpu(pid: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    cpu_of(&text)
}

fn cpu_of(stat: &str) -> Duration {
    // The name stands in parentheses and may hold anything, spaces too.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = [USER_TIME, SYSTEM_TIME].iter().map(|at| fields[*at].parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

pub fn resident_mib(pid: u32) -> f64 {
    resident_of(&std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap())
}

/// `VmRSS` of a /proc/PID/status.
pub(super) fn resident_of(status: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_found() {
        let stat = "42 (a (strange) name) S 1 42 42 0 -1 4194560 1 0 0 0 150 25 0 0 20 0 1 0 5 1 1 1";
        assert_eq!(cpu_of(stat), Duration::from_millis(1750));
        assert_eq!(resident_of("Name:\tx\nVmRSS:\t    2560 kB\n"), 2.5);
        assert!(resident_mib(std::process::id()) > 0.0);
    }
}
