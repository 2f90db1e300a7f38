//! Whether what an account is given can be meant: its driver tells, before anything is sealed.
//!
//! As far as a driver is here and can tell without asking anybody. What a command prints is read when it is needed.

use std::collections::BTreeMap;

use skep_driver::{Access, DriverError, ErrorKind};
use skep_types::{AccountName, Code, DriverName, Refusal, Secret, chain};

use crate::api::Api;
use crate::api::convert::requests::Credentials;

impl Api {
    pub(super) fn meant(
        &self,
        account: &AccountName,
        driver: &DriverName,
        options: &BTreeMap<String, String>,
        credentials: &Credentials,
    ) -> Result<(), Refusal> {
        let (Some(kind), Credentials::Given(given)) = (self.context.drivers.get(driver), credentials) else {
            return Ok(());
        };
        // A name that the driver does not know is refused where the request is applied, on every coordinator alike.
        let known = |name: &str| kind.describe().credentials.iter().any(|credential| credential.name == name);
        let secret = |(name, value): (&String, &String)| (name.clone(), Secret::new(value.clone()));
        let credentials = given.iter().filter(|(name, _)| known(name)).map(secret).collect();
        let access = Access { options: options.clone(), credentials, ..Access::plain(account.clone()) };
        kind.check(&access).map_err(refusal)
    }
}

fn refusal(error: DriverError) -> Refusal {
    match error.kind {
        ErrorKind::InvalidSpec { violations } => {
            Refusal { code: Code::Invalid, message: "the request is invalid".to_owned(), violations }
        }
        _ => Refusal::new(Code::Precondition, chain(&error)),
    }
}
