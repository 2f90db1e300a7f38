//! Which processes a process has started.

use std::path::Path;

/// Of `parent`, by the file name of what they run.
pub(crate) fn children(parent: u32, program: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|pid| parent_of(*pid) == Some(parent) && runs(*pid, program)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

fn runs(pid: u32, program: &str) -> bool {
    let file = std::fs::read_link(format!("/proc/{pid}/exe"));
    file.is_ok_and(|file| file.file_name().is_some_and(|name| name == program))
}

/// One that has ended and that nobody has asked about yet does not count.
pub(crate) fn alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    status.is_ok_and(|status| !status.lines().any(|line| line.starts_with("State:\tZ")))
}
