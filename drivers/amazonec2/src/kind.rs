//! What the driver declares about itself, and its opening for an account.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use skep_driver::{Access, Driver, DriverError, Kind};
use skep_types::{
    Batch, Bucket, CallClass, DriverDescription, DriverName, Idempotency, Limits, PowerActions, SlotNaming,
    WayIn, limits,
};

use crate::attest::Trust;
use crate::client;
use crate::driver::Ec2Driver;
use crate::flags;

/// EC2's own advice: several requests for a hundred each rather than one for more.
const BATCH: u32 = 100;
/// At two creates a second, each answered within a few seconds; the others wait for nobody.
const CALLS_IN_FLIGHT: u32 = 32;
/// EC2 grants two a second.
const CREATES_A_MINUTE: u32 = 120;
/// "At least 24 hours after the termination of the instance", says EC2's documentation.
const TOKEN_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes drivers for accounts of Amazon EC2.
#[derive(Debug)]
pub struct AmazonEc2 {
    description: DriverDescription,
}

impl AmazonEc2 {
    /// For an endpoint that shows what was made within `settle`.
    pub fn settling(settle: Duration) -> Self {
        Self { description: description(settle) }
    }
}

/// For EC2 itself, which shows what was made within the settle window that skep knows.
impl Default for AmazonEc2 {
    fn default() -> Self {
        Self::settling(limits::SETTLE_WINDOW)
    }
}

fn description(settle: Duration) -> DriverDescription {
    #[expect(clippy::expect_used, reason = "a literal that is a DNS label")]
    let name: DriverName = "amazonec2".parse().expect("a valid driver name");
    DriverDescription {
        name,
        flags: flags::of_template(),
        account_flags: flags::of_account(),
        credentials: flags::credentials(),
        way_in: WayIn::UserData,
        idempotency: Idempotency::Token { retention: TOKEN_KEPT },
        batch: Batch { max: BATCH, naming: SlotNaming::Interchangeable },
        calls_in_flight_max: CALLS_IN_FLIGHT,
        limits: default_limits(),
        settle,
        power: PowerActions::All,
        adopts: false,
        attests: true,
        tunnels: false,
        addresses_change: true,
        console: true,
    }
}

/// What EC2 grants an account in a region that never asked for more: RunInstances 5 requests and two more a second,
/// 1,000 instances and two more a second; TerminateInstances 100 and 5; other changes 50 and 5; reading 100 and 20.
fn default_limits() -> Limits {
    let bucket = |burst, per_second: u32| Bucket { per_minute: per_second * 60, burst };
    Limits {
        calls: BTreeMap::from([
            (CallClass::Read, bucket(100, 20)),
            (CallClass::Create, Bucket { per_minute: CREATES_A_MINUTE, burst: 5 }),
            (CallClass::Power, bucket(50, 5)),
            (CallClass::Destroy, bucket(100, 5)),
        ]),
        instances: BTreeMap::from([(CallClass::Create, bucket(1_000, 2))]),
    }
}

#[async_trait]
impl Kind for AmazonEc2 {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        let ec2 = client::connect(&access).await?;
        let trust = Trust::of(&access, &ec2.region)?;
        Ok(Arc::new(Ec2Driver::new(self.description.clone(), ec2, trust)))
    }
}
