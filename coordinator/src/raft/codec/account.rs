//! The account record.

use skep_core::state::{Account, Owner};

use super::pb;
use super::wire::{Field, Unreadable, Wire, record};

record! {
    Account { name, revision, driver, owners }
    Owner { coordinator, process, epoch }
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
