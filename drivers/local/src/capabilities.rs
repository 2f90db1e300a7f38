//! Which Linux capabilities this machine lacks. Pure.
//!
//! A host gets every capability the machine has: its systemd and engine need them. One that is missing from the
//! machine's own bounding set must be dropped by name, or the container does not start ("unable to apply caps").

/// By number: `include/uapi/linux/capability.h`, Linux 5.9 and later.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// The names missing from the bounding set in the text of `/proc/self/status`; none where the text has no such line.
/// Those above the highest one present are taken for unknown to this kernel, and not named.
pub(crate) fn missing(proc_self_status: &str) -> Vec<String> {
    let bounding = proc_self_status
        .lines()
        .find_map(|line| line.strip_prefix("CapBnd:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(u64::MAX);
    let known = 64 - bounding.leading_zeros() as usize;
    let lacks = |number: usize| bounding & (1 << number) == 0;
    NAMES
        .iter()
        .enumerate()
        .take(known)
        .filter(|(number, _)| lacks(*number))
        .map(|(_, name)| (*name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_machine_lacks_is_dropped() {
        assert_eq!(missing("Name:\tx\nCapBnd:\t000001fffeffffff\n"), ["SYS_RESOURCE"]);
        assert!(missing("CapBnd:\t000001ffffffffff\n").is_empty());
        assert!(missing("CapBnd:\t0000003fffffffff\n").is_empty(), "an older kernel");
        assert!(missing("").is_empty());
    }
}
