//! Users of whom something runs.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// `proc` is the kernel's view of all processes.
pub(super) fn users(proc: &Path) -> io::Result<BTreeSet<u32>> {
    let mut users = BTreeSet::new();
    for entry in std::fs::read_dir(proc)? {
        // What is no process has no such file, and what ends meanwhile has it no more.
        if let Ok(status) = std::fs::read_to_string(entry?.path().join("status")) {
            users.extend(of(&status));
        }
    }
    Ok(users)
}

/// A process has four: real, effective, saved, and of the file system. One that has ended and waits to be reaped does
/// nothing any more.
fn of(status: &str) -> impl Iterator<Item = u32> {
    let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let ended = value("State:").trim_start().starts_with(['Z', 'X']);
    let users = if ended { "" } else { value("Uid:") };
    users.split_whitespace().filter_map(|user| user.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_of_a_process_counts_until_it_has_ended() {
        let status = |state| format!("Name:\tUid: 7\nState:\t{state}\nUid:\t1\t2\t3\t4\nGid:\t5\t5\t5\t5\n");
        assert_eq!(of(&status("S (sleeping)")).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(of(&status("Z (zombie)")).count(), 0);
        assert_eq!(of("").count(), 0);
    }

    #[test]
    fn our_own_is_found_among_all() {
        let own = rustix::process::geteuid().as_raw();
        assert!(users(Path::new("/proc")).unwrap().contains(&own));
    }
}
