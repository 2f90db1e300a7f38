//! Which of its token's hosts a caller is: the one whose instance it has proven to be, or, without proof, the one at
//! its address.

use std::fmt;
use std::net::IpAddr;

use skep_types::ProviderId;

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

impl fmt::Display for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(id) => write!(f, "instance {id}"),
            Self::At(peer) => write!(f, "an instance at {peer}"),
        }
    }
}
