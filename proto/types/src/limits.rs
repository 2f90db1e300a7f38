//! Bounds that hold everywhere. Each says what it protects.

use std::time::Duration;

/// A DNS label (RFC 1035 §2.3.4).
pub const NAME_BYTES: usize = 63;
/// Provider ids, request ids and Docker node ids; EC2's ClientToken allows 64, ARNs are longer.
pub const TOKEN_BYTES: usize = 128;
/// Hosts of one create request: 100,000 is what simulation covers; a larger fleet is made by several requests.
pub const HOSTS_PER_REQUEST: u32 = 100_000;
/// Hosts named by one delete or power request.
pub const NAMES_PER_REQUEST: usize = 10_000;
/// Driver programs that a coordinator says it cannot use: more, nobody mends at once.
pub const BROKEN_PROGRAMS: usize = 64;
/// Managers of a swarm. Docker advises three to seven: each manager more makes every write slower.
pub const MANAGERS: [u32; 4] = [1, 3, 5, 7];
/// Options of a template, and the bytes of one key or value: they travel in every create request and in the log.
pub const OPTIONS: usize = 64;
pub const OPTION_BYTES: usize = 4 * 1024;
/// What an instance proves itself with: a signed document and its certificates.
pub const EVIDENCE_BYTES: usize = 16 * 1024;
/// Labels of a host (engine and node labels).
pub const LABELS: usize = 64;
pub const LABEL_BYTES: usize = 256;
/// A message of an error, a condition or an agent's report that is kept in the replicated state.
pub const MESSAGE_BYTES: usize = 1024;
/// One gRPC message, in either direction; a watch or a list is paged well below.
pub const GRPC_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Rows of one page of a list.
pub const PAGE_SIZE: usize = 1_000;
/// Commands in one log entry: at most about 1 MiB, so that replication of one entry stays below a heartbeat.
pub const COMMANDS_PER_ENTRY: usize = 256;
/// Events and audit records kept in the replicated state for watches to resume from.
pub const EVENTS_KEPT: usize = 10_000;
/// Operations kept after they finished, oldest dropped first; a request id is remembered as long as its operation.
pub const FINISHED_OPERATIONS_KEPT: usize = 10_000;

/// An agent says it is there this often.
pub const HEARTBEAT: Duration = Duration::from_secs(3);
/// Without a heartbeat for this long the host's agent is not connected: four missed heartbeats.
pub const AGENT_GRACE: Duration = Duration::from_secs(12);
/// An agent that can dial in does so this long after its start, or the end of its session; then it is dialled.
pub const DIALS_IN: Duration = Duration::from_secs(20);
/// An instance must have enrolled this long after it was bound.
pub const BOOT_DEADLINE: Duration = Duration::from_secs(15 * 60);
/// The pinned engine must answer this long after enrolment.
pub const INSTALL_DEADLINE: Duration = Duration::from_secs(10 * 60);
/// A host must be a Ready node this long after it started joining.
pub const JOIN_DEADLINE: Duration = Duration::from_secs(10 * 60);
/// A host must have left its swarm this long after it was asked to; then its node is removed by force.
pub const LEAVE_DEADLINE: Duration = Duration::from_secs(60);
/// A stopped, started or restarted host must be there again after this long.
pub const POWER_DEADLINE: Duration = Duration::from_secs(10 * 60);
/// NotFound within this time of a create proves nothing (eventually consistent clouds).
pub const SETTLE_WINDOW: Duration = Duration::from_secs(30);
/// An owner that has not renewed for this long, measured from the sending, may not call its driver.
pub const OWNER_LEASE: Duration = Duration::from_secs(60);
/// An enrolment token's life, from the close of its intent.
pub const ENROLMENT_TOKEN_LIFE: Duration = Duration::from_secs(15 * 60);
/// Workers that join one swarm at once.
pub const JOIN_GATE: usize = 4;
/// One call of a driver; a driver's own steps are shorter.
pub const DRIVER_CALL: Duration = Duration::from_secs(120);
/// Templates that one request spreads its hosts over.
pub const SHARES: usize = 32;
/// A share's weight.
pub const SHARE_WEIGHT: u32 = 1_000;
/// What a driver may keep of one instance: a configuration and a few keys, never a disk.
pub const KEPT_BYTES: usize = 256 * 1024;
/// Credentials of an account.
pub const CREDENTIALS: usize = 16;
/// Arguments of an account's credential command, and the bytes of one.
pub const COMMAND_ARGUMENTS: usize = 32;
pub const COMMAND_ARGUMENT_BYTES: usize = 1024;
/// Coordinators an account names: no cluster has more.
pub const ACCOUNT_COORDINATORS: usize = 32;
/// A token bucket's size and its filling in a minute; a class without a limit has no bucket.
pub const BUCKET: u32 = 1_000_000;
/// Driver calls of an account under way at once: each is a task, and often a connection.
pub const CALLS_IN_FLIGHT: u32 = 1_000;
/// One credential: a key file with its chain, at most.
pub const CREDENTIAL_BYTES: usize = 64 * 1024;
