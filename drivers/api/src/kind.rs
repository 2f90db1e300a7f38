//! A kind of driver, and its opening for one account.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use skep_types::{AccountName, DriverDescription, Secret};

use crate::{Driver, DriverError};

/// Makes the drivers of one kind, one for each account.
#[async_trait]
pub trait Kind: Send + Sync + Debug + 'static {
    fn describe(&self) -> &DriverDescription;

    /// Whether settings and credentials can be meant, as far as that shows without asking anybody. Whoever gives them is
    /// told then and there: `InvalidSpec` names what to mend, as `options.NAME` or `credentials.NAME`.
    fn check(&self, _access: &Access) -> Result<(), DriverError> {
        Ok(())
    }

    /// A driver that acts for the account. A credential that was rotated is another opening; the driver opened before
    /// is dropped when its calls have ended. `InvalidSpec` and `Auth` name what to mend.
    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError>;
}

/// What a driver needs to act for one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub account: AccountName,
    /// By the description's `account_flags`.
    pub options: BTreeMap<String, String>,
    /// By the description's `credentials`.
    pub credentials: BTreeMap<String, Secret>,
    /// A private folder on this coordinator. It may be empty at any time: another coordinator has another.
    pub state_dir: PathBuf,
    /// Agent binaries by their SHA-256, in lower-case hex.
    pub agents_dir: PathBuf,
}

impl Access {
    /// To an account that has neither settings nor credentials nor folders.
    pub fn plain(account: AccountName) -> Self {
        Self {
            account,
            options: BTreeMap::new(),
            credentials: BTreeMap::new(),
            state_dir: PathBuf::new(),
            agents_dir: PathBuf::new(),
        }
    }
}

/// A driver that is the same for every account: it has neither settings nor credentials.
#[derive(Debug)]
pub struct Shared(pub Arc<dyn Driver>);

#[async_trait]
impl Kind for Shared {
    fn describe(&self) -> &DriverDescription {
        self.0.describe()
    }

    async fn open(&self, _access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        Ok(Arc::clone(&self.0))
    }
}
