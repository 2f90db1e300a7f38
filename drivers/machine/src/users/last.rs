//! The user that was lent last, by whichever program, before or after a restart.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{Lease, UserRange};

/// For the others that choose.
const TURN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
/// Of a number, with blanks: so each is written over the one before as a whole.
const DIGITS: usize = 10;

/// Nobody else chooses a user until this is dropped.
#[derive(Debug)]
pub(super) struct Last(File);

impl Last {
    pub(super) async fn hold(folder: &Path, range: UserRange) -> io::Result<Self> {
        let name = format!("after-{}-{}", range.first, range.first + (range.count - 1));
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(folder.join(name))?;
        let held = timeout(TURN, async {
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::WouldBlock) => sleep(PAUSE).await,
                    Err(TryLockError::Error(error)) => return Err(error),
                }
            }
        });
        held.await
            .map_err(|_| io::Error::new(ErrorKind::TimedOut, "others choose users for their plugins"))??;
        Ok(Self(file))
    }

    /// None before the first, and for what cannot be read: then it begins anew.
    pub(super) fn get(&self) -> Option<u32> {
        let mut written = [0; DIGITS];
        self.0.read_exact_at(&mut written, 0).ok()?;
        std::str::from_utf8(&written).ok()?.trim().parse().ok()
    }

    pub(super) fn set(self, lease: Lease) -> io::Result<Lease> {
        let written = format!("{:DIGITS$}", lease.user.uid);
        self.0.write_all_at(written.as_bytes(), 0)?;
        Ok(lease)
    }
}
