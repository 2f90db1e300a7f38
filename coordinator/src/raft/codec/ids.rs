//! Ids, names, times and the other small things.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use bytes::Bytes;
use skep_types::{
    AccountName, ClusterId, ClusterTime, CoordinatorId, Digest, DriverName, HostId, HostName, IntentId,
    NodeId, OperationId, PermitId, PersonName, ProviderId, RequestId, Revision, SwarmId, SwarmName,
};

use super::pb;
use super::wire::{Field, Message, Unreadable, Wire, scalar};

macro_rules! plain {
    ($($scalar:ty),*) => {$(
        impl Wire for $scalar {
            type Pb = $scalar;

            fn to_pb(&self) -> $scalar {
                self.clone()
            }

            fn from_pb(pb: $scalar) -> Result<Self, Unreadable> {
                Ok(pb)
            }
        }
    )*};
}

macro_rules! id {
    ($($Id:ident),*) => {$(
        impl Wire for $Id {
            type Pb = pb::Id;

            fn to_pb(&self) -> pb::Id {
                pb::Id { epoch: self.epoch, counter: self.counter }
            }

            fn from_pb(pb: pb::Id) -> Result<Self, Unreadable> {
                Ok(Self::new(pb.epoch, pb.counter))
            }
        }

        impl Message for $Id {}
    )*};
}

macro_rules! name {
    ($($Name:ident),*) => {$(
        impl Wire for $Name {
            type Pb = String;

            fn to_pb(&self) -> String {
                self.as_str().to_owned()
            }

            fn from_pb(pb: String) -> Result<Self, Unreadable> {
                pb.try_into().map_err(Unreadable::new)
            }
        }

        scalar!($Name);
    )*};
}

plain!(bool, u32, u64, String);
id!(HostId, IntentId, OperationId, SwarmId, PermitId, Revision);
name!(AccountName, ClusterId, DriverName, HostName, SwarmName, PersonName, RequestId, ProviderId, NodeId);
scalar!(bool, u16, u32, u64, String, CoordinatorId, ClusterTime, Digest, IpAddr, Vec<u8>);

impl Wire for u16 {
    type Pb = u32;

    fn to_pb(&self) -> u32 {
        u32::from(*self)
    }

    fn from_pb(pb: u32) -> Result<Self, Unreadable> {
        Self::try_from(pb).map_err(|_| Unreadable::new(format_args!("{pb} is above {}", Self::MAX)))
    }
}

impl Wire for CoordinatorId {
    type Pb = u64;

    fn to_pb(&self) -> u64 {
        self.0
    }

    fn from_pb(pb: u64) -> Result<Self, Unreadable> {
        Ok(Self(pb))
    }
}

impl Wire for ClusterTime {
    type Pb = u64;

    fn to_pb(&self) -> u64 {
        self.0
    }

    fn from_pb(pb: u64) -> Result<Self, Unreadable> {
        Ok(Self(pb))
    }
}

impl Wire for Digest {
    type Pb = Bytes;

    fn to_pb(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }

    fn from_pb(pb: Bytes) -> Result<Self, Unreadable> {
        let bytes = pb.as_ref().try_into().map_err(|_| Unreadable::new("not the 32 bytes of a digest"))?;
        Ok(Self(bytes))
    }
}

impl Wire for Vec<u8> {
    type Pb = Bytes;

    fn to_pb(&self) -> Bytes {
        Bytes::copy_from_slice(self)
    }

    fn from_pb(pb: Bytes) -> Result<Self, Unreadable> {
        Ok(pb.into())
    }
}

impl Wire for IpAddr {
    type Pb = Bytes;

    fn to_pb(&self) -> Bytes {
        match self {
            Self::V4(address) => Bytes::copy_from_slice(&address.octets()),
            Self::V6(address) => Bytes::copy_from_slice(&address.octets()),
        }
    }

    fn from_pb(pb: Bytes) -> Result<Self, Unreadable> {
        let v4 = <[u8; 4]>::try_from(pb.as_ref()).map(|octets| Self::V4(Ipv4Addr::from(octets)));
        let v6 = <[u8; 16]>::try_from(pb.as_ref()).map(|octets| Self::V6(Ipv6Addr::from(octets)));
        v4.or(v6).map_err(|_| Unreadable::new("not the 4 or 16 bytes of an address"))
    }
}

impl Wire for Duration {
    type Pb = pb::Duration;

    fn to_pb(&self) -> pb::Duration {
        pb::Duration { seconds: self.as_secs(), nanos: self.subsec_nanos() }
    }

    fn from_pb(pb: pb::Duration) -> Result<Self, Unreadable> {
        if pb.nanos >= 1_000_000_000 {
            return Err(Unreadable::new(format_args!("{} nanoseconds are more than a second", pb.nanos)));
        }
        Ok(Self::new(pb.seconds, pb.nanos))
    }
}

impl Message for Duration {}

impl Wire for (String, String) {
    type Pb = pb::Pair;

    fn to_pb(&self) -> pb::Pair {
        pb::Pair { key: self.0.clone(), value: self.1.clone() }
    }

    fn from_pb(pb: pb::Pair) -> Result<Self, Unreadable> {
        Ok((pb.key, pb.value))
    }
}

/// Pairs in the order of their keys: protobuf's own maps have none, and a snapshot's bytes should.
impl Field<Vec<pb::Pair>> for BTreeMap<String, String> {
    fn to_field(&self) -> Vec<pb::Pair> {
        self.iter().map(|(key, value)| pb::Pair { key: key.clone(), value: value.clone() }).collect()
    }

    fn from_field(pb: Vec<pb::Pair>) -> Result<Self, Unreadable> {
        Ok(pb.into_iter().map(|pair| (pair.key, pair.value)).collect())
    }
}
