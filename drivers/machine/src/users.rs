//! A user for each running plugin, out of a range that nobody else uses.
//!
//! ```text
//! FOLDER/users/60601               held as long as the user is lent
//! FOLDER/users/after-60600-61099   the one that was lent last; held while the next is chosen
//! ```

mod last;
mod running;

use std::fs::{File, TryLockError};
use std::io;
use std::num::ParseIntError;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use skep_machine_protocol::PluginUser;
use tokio::task::spawn_blocking;
use tracing::warn;

use last::Last;

/// Numbers of users, and of groups beside them; they need no names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserRange {
    first: u32,
    count: u32,
}

impl UserRange {
    /// All of them, from the one after `last` on and round.
    fn after(self, last: Option<u32>) -> impl Iterator<Item = u32> {
        let passed = last.and_then(|last| last.checked_sub(self.first)).filter(|passed| *passed < self.count);
        let begin = passed.map_or(0, |passed| passed + 1);
        (begin..self.count).chain(0..begin).map(move |number| self.first + number)
    }
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
        Ok(Self { range, locks })
    }

    /// The next one: what an earlier plugin left running meets its successor late. One of whom something still runs
    /// is lent only when all others are lent, or are such, too.
    pub(crate) async fn lease(&self) -> io::Result<Lease> {
        let running =
            spawn_blocking(|| running::users(Path::new("/proc"))).await.map_err(io::Error::other)??;
        let last = Last::hold(&self.locks, self.range).await?;
        let mut second_best = None;
        for id in self.range.after(last.get()) {
            if running.contains(&id) && second_best.is_some() {
                continue;
            }
            match self.lend(id)? {
                Some(lease) if running.contains(&id) => second_best = Some(lease),
                Some(lease) => return last.set(lease),
                None => {}
            }
        }
        match second_best {
            Some(lease) => {
                let user = lease.user.uid;
                warn!(
                    user,
                    "a plugin meets what another one has left running as the same user: too few are free"
                );
                last.set(lease)
            }
            None => {
                Err(io::Error::new(io::ErrorKind::QuotaExceeded, "every user of the range runs a plugin"))
            }
        }
    }

    /// None for one that is lent.
    fn lend(&self, id: u32) -> io::Result<Option<Lease>> {
        let lock = File::create(self.locks.join(id.to_string()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Lease { user: PluginUser { uid: id, gid: id }, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use super::*;

    async fn next(users: &Users) -> u32 {
        users.lease().await.unwrap().user.uid
    }

    #[tokio::test]
    async fn a_user_is_lent_once_also_by_two_programs() {
        let folder = tempfile::tempdir().unwrap();
        let range: UserRange = "61200-61201".parse().unwrap();
        let (one, two) =
            (Users::new(range, folder.path()).unwrap(), Users::new(range, folder.path()).unwrap());
        let (a, b) = (one.lease().await.unwrap(), two.lease().await.unwrap());
        assert_eq!((a.user.uid, b.user.uid), (61_200, 61_201));
        assert!(one.lease().await.is_err());
        drop(a);
        assert_eq!(next(&two).await, 61_200);
    }

    #[tokio::test]
    async fn users_go_round_over_all_programs() {
        let folder = tempfile::tempdir().unwrap();
        let range: UserRange = "61203-61205".parse().unwrap();
        for id in [61_203, 61_204, 61_205, 61_203] {
            assert_eq!(next(&Users::new(range, folder.path()).unwrap()).await, id);
        }
        // What a crash left of the number is none.
        std::fs::write(folder.path().join("users/after-61203-61205"), "6").unwrap();
        assert_eq!(next(&Users::new(range, folder.path()).unwrap()).await, 61_203);
    }

    struct Left(Child);

    impl Drop for Left {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[tokio::test]
    async fn a_user_of_whom_something_runs_is_passed_over_while_there_is_another() {
        assert!(rustix::process::geteuid().is_root(), "this test runs something as others: run it as root");
        let folder = tempfile::tempdir().unwrap();
        let users = Users::new("61210-61212".parse().unwrap(), folder.path()).unwrap();
        let left = |id| Left(Command::new("sleep").arg("600").uid(id).gid(id).spawn().unwrap());
        let (first, _second) = (left(61_210), left(61_211));
        assert_eq!((next(&users).await, next(&users).await), (61_212, 61_212));
        // No other one is free.
        let free = users.lease().await.unwrap();
        assert_eq!((free.user.uid, next(&users).await, next(&users).await), (61_212, 61_210, 61_211));
        drop((first, free));
        assert_eq!((next(&users).await, next(&users).await), (61_212, 61_210));
    }

    #[test]
    fn ranges_are_read_and_root_is_never_in_one() {
        assert_eq!("60600-61099".parse(), Ok(UserRange::default()));
        for bad in ["", "1", "0-5", "9-1", "a-b", "0-4294967295"] {
            assert!(bad.parse::<UserRange>().is_err(), "{bad}");
        }
    }
}
