//! Who may name what in code, where Cargo cannot tell.

use super::check;
use super::repo::{Repo, named_outside, names};

const CORE_AND_TYPES: [&str; 2] = ["coordinator/core/src/", "proto/types/src/"];

/// What a pure function cannot have: effects, time, chance.
const IMPURE: [&str; 20] = [
    "tokio",
    "tonic",
    "openraft",
    "futures",
    "async",
    "await",
    "SystemTime",
    "Instant",
    "std::fs",
    "std::env",
    "std::io",
    "std::process",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "rand",
    "fastrand",
    "Uuid",
];

/// `options` names it as a target of logs.
fn only_the_log_names_openraft(repo: &Repo) -> Vec<String> {
    let allowed = ["coordinator/src/raft/", "coordinator/src/raft.rs", "coordinator/src/options.rs"];
    named_outside(repo, &["openraft"], &allowed)
}

fn only_the_log_names_redb(repo: &Repo) -> Vec<String> {
    named_outside(repo, &["redb"], &["coordinator/src/raft/"])
}

fn only_local_and_the_agent_name_docker(repo: &Repo) -> Vec<String> {
    named_outside(repo, &["bollard"], &["drivers/local/src/", "agent/src/engine"])
}

/// A program of its own, that nobody is linked with.
fn nobody_names_the_driver_of_plugins(repo: &Repo) -> Vec<String> {
    let allowed = ["drivers/machine/src/main.rs", "drivers/machine/src/arguments.rs"];
    named_outside(repo, &["skep_driver_machine"], &allowed)
}

fn only_ssh_names_russh(repo: &Repo) -> Vec<String> {
    named_outside(repo, &["russh"], &["drivers/ssh/src/"])
}

fn only_keys_and_issuers_name_rcgen(repo: &Repo) -> Vec<String> {
    named_outside(repo, &["rcgen"], &["proto/tls/src/", "coordinator/src/trust/"])
}

fn concrete_drivers_are_named_once(repo: &Repo) -> Vec<String> {
    named_outside(repo, &["skep_driver_local", "skep_driver_generic"], &["coordinator/src/main.rs"])
}

/// The simulator's own program alone.
fn nothing_of_the_product_names_the_simulator(repo: &Repo) -> Vec<String> {
    named_outside(repo, &["skep_sim"], &["drivers/sim/src/main.rs", "drivers/sim/src/arguments.rs"])
}

fn only_programs_use_anyhow(repo: &Repo) -> Vec<String> {
    let allowed = [
        "agent/src/main.rs",
        "coordinator/src/main.rs",
        "drivers/machine/src/main.rs",
        "drivers/sim/src/main.rs",
        "drivers/sim/src/arguments.rs",
    ];
    named_outside(repo, &["anyhow"], &allowed)
}

/// `proto/build.rs` is told by Cargo, in variables.
fn only_programs_read_the_environment(repo: &Repo) -> Vec<String> {
    let words = [
        "env::var",
        "env::var_os",
        "env::vars",
        "env::vars_os",
        "env::args",
        "env::args_os",
        "env::current_exe",
    ];
    let allowed = [
        "cli/src/main.rs",
        "cli/src/surroundings.rs",
        "coordinator/src/main.rs",
        "drivers/amazonec2/src/main.rs",
        "drivers/machine/src/main.rs",
        "proto/build.rs",
    ];
    named_outside(repo, &words, &allowed)
}

/// `telemetry` is called by `main.rs` alone; driver programs install what they share.
fn only_programs_install_tracing(repo: &Repo) -> Vec<String> {
    let mains = ["agent/src/main.rs", "drivers/api/src/plugin/program/log.rs"];
    let mut wrong = named_outside(
        repo,
        &["tracing_subscriber"],
        &[&mains[..], &["coordinator/src/telemetry.rs"]].concat(),
    );
    wrong.extend(named_outside(repo, &["telemetry::install"], &["coordinator/src/main.rs"]));
    wrong
}

fn core_and_types_are_pure(repo: &Repo) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in repo.rust().filter(|file| CORE_AND_TYPES.iter().any(|pure| file.path.starts_with(pure))) {
        for (at, line) in file.code() {
            let impure = IMPURE.iter().filter(|word| names(line, word));
            wrong.extend(impure.map(|word| format!("{}:{at}: {word} in a pure crate", file.path)));
        }
    }
    wrong
}

#[test]
fn openraft_stays_in_the_log() {
    check(only_the_log_names_openraft, &[&[("coordinator/src/leader.rs", "use openraft::Raft;\n")]]);
    check(only_the_log_names_redb, &[&[("coordinator/src/run.rs", "use redb::Database;\n")]]);
}

#[test]
fn the_docker_api_stays_with_those_who_drive_it() {
    check(only_local_and_the_agent_name_docker, &[&[("cli/src/lib.rs", "use bollard::Docker;\n")]]);
}

#[test]
fn ssh_is_spoken_in_one_place() {
    check(only_ssh_names_russh, &[&[("drivers/generic/src/lib.rs", "use russh::client;\n")]]);
}

#[test]
fn certificates_are_made_in_one_place() {
    check(only_keys_and_issuers_name_rcgen, &[&[("agent/src/identity.rs", "let x = rcgen::generate();\n")]]);
}

#[test]
fn drivers_are_chosen_by_the_program() {
    check(
        concrete_drivers_are_named_once,
        &[&[("coordinator/src/owner.rs", "use skep_driver_local::LocalDriver;\n")]],
    );
    check(
        nobody_names_the_driver_of_plugins,
        &[&[("coordinator/src/main.rs", "use skep_driver_machine::MachineKind;\n")]],
    );
    check(
        nothing_of_the_product_names_the_simulator,
        &[&[("coordinator/src/main.rs", "use skep_sim::SimWorld;\n")]],
    );
}

#[test]
fn libraries_have_errors_of_their_own() {
    check(only_programs_use_anyhow, &[&[("agent/src/lib.rs", "fn f() -> anyhow::Result<()> {\n")]]);
}

#[test]
fn configuration_comes_in_from_the_program() {
    check(only_programs_read_the_environment, &[&[("agent/src/run.rs", "let x = std::env::var(\"X\");\n")]]);
    check(
        only_programs_install_tracing,
        &[
            &[("agent/src/run.rs", "tracing_subscriber::fmt().init();\n")],
            &[("coordinator/src/run.rs", "telemetry::install(&options)?;\n")],
        ],
    );
}

#[test]
fn deciding_is_pure() {
    check(
        core_and_types_are_pure,
        &[
            &[("coordinator/core/src/plan.rs", "let now = std::time::Instant::now();\n")],
            &[("proto/types/src/ids.rs", "use std::fs::File;\n")],
            &[("coordinator/core/src/apply.rs", "pub async fn apply() {}\n")],
        ],
    );
}
