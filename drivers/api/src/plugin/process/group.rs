//! A program and everything it started, as long as that did not leave its group.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Killed when it is dropped.
#[derive(Debug)]
pub(super) struct Group(u32);

impl Group {
    /// Of the process `pid`, which leads it.
    pub(super) fn of(pid: u32) -> Self {
        Self(pid)
    }

    pub(super) fn pid(&self) -> u32 {
        self.0
    }

    fn leader(&self) -> Option<Pid> {
        i32::try_from(self.0).ok().and_then(Pid::from_raw)
    }

    /// Only its leader, which knows best how to end the rest.
    pub(super) fn terminate(&self) {
        if let Some(leader) = self.leader() {
            // That it is gone already is as good.
            let _ = kill_process(leader, Signal::TERM);
        }
    }

    pub(super) fn kill(&self) {
        if let Some(leader) = self.leader() {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
