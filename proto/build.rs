//! Compiles the .proto files without protoc and keeps their descriptors for reflection.

use std::error::Error;
use std::path::PathBuf;

use prost::Message;

const FILES: [&str; 11] = [
    "skep/v1/cluster.proto",
    "skep/v1/common.proto",
    "skep/v1/drivers.proto",
    "skep/v1/events.proto",
    "skep/v1/hosts.proto",
    "skep/v1/operations.proto",
    "skep/v1/swarms.proto",
    "skep/agent/v1/agent.proto",
    "skep/driver/v1/driver.proto",
    "skep/raft/v1/raft.proto",
    "skep/store/v1/store.proto",
];

/// Messages with secrets: their `Debug` stands in src/redacted.rs.
const REDACTED: [&str; 13] = [
    ".skep.agent.v1.Done",
    ".skep.agent.v1.EnrolRequest",
    ".skep.agent.v1.SwarmJoin",
    ".skep.driver.v1.Bootstrap",
    ".skep.driver.v1.ConfigureRequest",
    ".skep.driver.v1.Instance",
    ".skep.driver.v1.Target",
    ".skep.store.v1.FrozenBootstrap",
    ".skep.v1.AddAccountRequest",
    ".skep.v1.CreateJoinTokenReply",
    ".skep.v1.JoinReply",
    ".skep.v1.JoinRequest",
    ".skep.v1.RotateAccountCredentialsRequest",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=skep");
    let descriptors = protox::compile(FILES, ["."])?;
    let out: PathBuf = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?.into();
    std::fs::write(out.join("skep.descriptors"), descriptors.encode_to_vec())?;
    // Ordered, so that equal requests are equal to the byte: a request id is bound to the digest of its body.
    tonic_prost_build::configure()
        .bytes(".")
        .btree_map(".skep.v1.Template")
        .btree_map(".skep.v1.Account")
        .btree_map(".skep.v1.AccountLimits")
        .btree_map(".skep.v1.AddAccountRequest")
        .btree_map(".skep.v1.RotateAccountCredentialsRequest")
        .skip_debug(REDACTED)
        .compile_fds(descriptors)?;
    Ok(())
}
