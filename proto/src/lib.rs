//! The wire: one package per audience, generated from the .proto files beside this crate, and the conversions that
//! happen once, at the edge.

// The generated code is not ours to lint.
#[allow(missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic)]
mod generated {
    pub mod v1 {
        tonic::include_proto!("skep.v1");
    }
    pub mod agent {
        pub mod v1 {
            tonic::include_proto!("skep.agent.v1");
        }
    }
    pub mod driver {
        pub mod v1 {
            tonic::include_proto!("skep.driver.v1");
        }
    }
    pub mod raft {
        pub mod v1 {
            tonic::include_proto!("skep.raft.v1");
        }
    }
    pub mod store {
        pub mod v1 {
            tonic::include_proto!("skep.store.v1");
        }
    }
}

mod redacted;

pub use generated::agent::v1 as agent;
pub use generated::driver::v1 as driver;
pub use generated::raft::v1 as raft;
pub use generated::store::v1 as store;
pub use generated::v1;

/// Every message and service of this crate, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/skep.descriptors"));
