//! A user for each running plugin, out of a range that nobody else uses.

use std::fs::{File, TryLockError};
use std::io;
use std::num::ParseIntError;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use skep_machine_protocol::PluginUser;

/// Numbers of users, and of groups beside them; they need no names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserRange {
    first: u32,
    count: u32,
}

/// Left free by Debian and by systemd (systemd.io, "Users, Groups, UIDs and GIDs").
impl Default for UserRange {
    fn default() -> Self {
        Self { first: 60_600, count: 500 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserRangeError {
    #[error("is not written like 60600-61099")]
    Form,
    #[error("is not written like 60600-61099")]
    Number(#[from] ParseIntError),
    #[error("is empty, or begins with root")]
    Empty,
}

impl FromStr for UserRange {
    type Err = UserRangeError;

    fn from_str(text: &str) -> Result<Self, UserRangeError> {
        let (first, last) = text.split_once('-').ok_or(UserRangeError::Form)?;
        let (first, last): (u32, u32) = (first.parse()?, last.parse()?);
        match last.checked_sub(first) {
            Some(span) if first > 0 && span < u32::MAX => Ok(Self { first, count: span + 1 }),
            _ => Err(UserRangeError::Empty),
        }
    }
}

/// Users are lent by locks on files, so that programs of several accounts share one range.
#[derive(Debug)]
pub(crate) struct Users {
    range: UserRange,
    locks: PathBuf,
    /// The one after the last that was lent: what an earlier plugin left running meets its successor late.
    next: AtomicU32,
}

/// A user that no other plugin has until this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) user: PluginUser,
    _lock: File,
}

impl Users {
    pub(crate) fn new(range: UserRange, folder: &Path) -> io::Result<Self> {
        let locks = folder.join("users");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&locks)?;
        Ok(Self { range, locks, next: AtomicU32::new(0) })
    }

    pub(crate) fn lease(&self) -> io::Result<Lease> {
        for _ in 0..self.range.count {
            let id = self.range.first + self.next.fetch_add(1, Ordering::Relaxed) % self.range.count;
            let lock = File::create(self.locks.join(id.to_string()))?;
            match lock.try_lock() {
                Ok(()) => return Ok(Lease { user: PluginUser { uid: id, gid: id }, _lock: lock }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::QuotaExceeded, "every user of the range runs a plugin"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_lent_once_also_by_two_programs() {
        let folder = tempfile::tempdir().unwrap();
        let range: UserRange = "100-101".parse().unwrap();
        let (one, two) =
            (Users::new(range, folder.path()).unwrap(), Users::new(range, folder.path()).unwrap());
        let (a, b) = (one.lease().unwrap(), two.lease().unwrap());
        assert_eq!((a.user.uid, b.user.uid), (100, 101));
        assert!(one.lease().is_err());
        drop(a);
        assert_eq!(two.lease().unwrap().user.uid, 100);
    }

    #[test]
    fn ranges_are_read_and_root_is_never_in_one() {
        assert_eq!("60600-61099".parse(), Ok(UserRange::default()));
        for bad in ["", "1", "0-5", "9-1", "a-b", "0-4294967295"] {
            assert!(bad.parse::<UserRange>().is_err(), "{bad}");
        }
    }
}
