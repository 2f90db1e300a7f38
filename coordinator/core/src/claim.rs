//! Which of its token's hosts a caller is: the one whose instance it has proven to be, or, without proof, the one at
//! its address.

use std::fmt;
use std::net::IpAddr;

use skep_types::{AccountName, Digest, ProviderId};

use crate::State;
use crate::state::Host;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim<'a> {
    Is(&'a ProviderId),
    At(IpAddr),
}

impl<'a> Claim<'a> {
    pub fn new(proven: Option<&'a ProviderId>, peer: IpAddr) -> Self {
        proven.map_or(Self::At(peer), Self::Is)
    }

    /// Whether it is this host, as far as its instance is known.
    pub fn fits(self, host: &Host) -> bool {
        host.instance.as_ref().is_some_and(|bound| match self {
            Self::Is(id) => bound.instance.provider_id == *id,
            Self::At(peer) => bound.private_address == Some(peer) || bound.public_address == Some(peer),
        })
    }
}

impl State {
    /// The account of the token's hosts, where its driver may want to know what a bearer can prove. None for a token of
    /// nobody's.
    pub fn attesting(&self, token: Digest) -> Option<&AccountName> {
        let name = &self.admits(token).next()?.template.account;
        // An account that is not there, with hosts that are, is nobody's to pass over.
        let passes = self.accounts.get(name).is_some_and(|account| !account.driver.attests);
        (!passes).then_some(name)
    }
}

impl fmt::Display for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(id) => write!(f, "instance {id}"),
            Self::At(peer) => write!(f, "an instance at {peer}"),
        }
    }
}
