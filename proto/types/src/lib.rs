//! The words every crate of skep shares: ids, names, specs, phases, errors and limits.
//!
//! Nothing here performs I/O, reads a clock or draws a random number, and nothing here knows the wire: the
//! conversions from and to the generated messages stand in `skep-proto`.

mod agent_config;
mod digest;
mod driver;
mod error;
mod host;
mod ids;
mod issuer;
pub mod limits;
mod names;
mod operation;
mod secret;
mod swarm;
mod time;

pub use agent_config::{AgentConfig, EnrolmentConfig};
pub use digest::Digest;
pub use driver::{
    Batch, Bucket, CallClass, CredentialDescription, DriverDescription, FlagDescription, FlagKind,
    Idempotency, InstanceRef, Limits, PowerAction, PowerActions, SlotNaming, WayIn,
};
pub use error::{Code, FieldViolation, Refusal, chain};
pub use host::{Condition, ConditionKind, ConditionStatus, FailureClass, Phase, Template};
pub use ids::{CoordinatorId, HostId, IntentId, OperationId, ParseIdError, PermitId, Revision, SwarmId};
pub use issuer::SealedIssuer;
pub use names::{
    AccountName, ClusterId, DriverName, HostName, NameError, NodeId, PersonName, ProviderId, RequestId,
    SwarmName,
};
pub use operation::{OnFailure, OperationKind, OperationState, Policy, Verdict};
pub use secret::Secret;
pub use swarm::{NodeRole, NodeState, PersonRole};
pub use time::ClusterTime;
