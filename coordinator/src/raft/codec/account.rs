//! The account record.

use std::collections::BTreeMap;

use skep_core::state::{Account, AccountLimits, AccountSettings, CredentialSource, Owner};

use super::pb;
use super::wire::{Field, Unreadable, Wire, choice, record};

record! {
    Account { name, revision, driver, settings, owners }
    AccountSettings { options, credentials, limits, coordinators }
    AccountLimits { buckets, calls_in_flight }
    Owner { coordinator, process, epoch, inherits, idle }
}

choice! {
    CredentialSource as credential_source {
        Stored { sealed }
        Command { name, arguments }
    }
}

impl Field<Vec<pb::SealedCredential>> for BTreeMap<String, Vec<u8>> {
    fn to_field(&self) -> Vec<pb::SealedCredential> {
        let one = |(name, sealed): (&String, &Vec<u8>)| pb::SealedCredential {
            name: name.clone(),
            sealed: sealed.to_field(),
        };
        self.iter().map(one).collect()
    }

    fn from_field(pb: Vec<pb::SealedCredential>) -> Result<Self, Unreadable> {
        pb.into_iter().map(|pb| Ok((pb.name, Field::from_field(pb.sealed)?))).collect()
    }
}

/// A shard's owner, or none: a list of protobuf has no holes.
impl Wire for Option<Owner> {
    type Pb = pb::OwnerSlot;

    fn to_pb(&self) -> pb::OwnerSlot {
        pb::OwnerSlot { owner: self.to_field() }
    }

    fn from_pb(pb: pb::OwnerSlot) -> Result<Self, Unreadable> {
        Field::from_field(pb.owner)
    }
}
