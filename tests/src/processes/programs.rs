//! Where the programs under test stand.

use std::path::PathBuf;

#[derive(Debug, Clone)]
pub struct Programs {
    pub skep: PathBuf,
    pub skepd: PathBuf,
    pub agent: PathBuf,
}

impl Programs {
    /// As `tests/run.sh e2e` says after it has built them.
    pub fn from_environment() -> Self {
        let folder = PathBuf::from(needed("SKEP_BIN_DIR"));
        let agent = PathBuf::from(needed("SKEP_AGENT_BINARY"));
        let programs = Self { skep: folder.join("skep"), skepd: folder.join("skepd"), agent };
        for program in [&programs.skep, &programs.skepd, &programs.agent] {
            assert!(
                program.exists(),
                "there is no {}: run these tests with `tests/run.sh e2e`",
                program.display()
            );
        }
        programs
    }
}

/// The example driver in Python, as `tests/run.sh e2e` has made it ready.
pub fn python_driver() -> PathBuf {
    needed("SKEP_PYTHON_DRIVER").into()
}

/// A simulated world as a driver program.
pub fn simulator() -> PathBuf {
    PathBuf::from(needed("SKEP_BIN_DIR")).join("skep-sim")
}

/// The driver program for every plugin of Docker Machine.
pub fn machine_driver() -> PathBuf {
    PathBuf::from(needed("SKEP_BIN_DIR")).join("skep-driver-machine")
}

/// The driver program for EC2.
pub fn amazonec2_driver() -> PathBuf {
    PathBuf::from(needed("SKEP_BIN_DIR")).join("skep-driver-amazonec2")
}

fn needed(name: &str) -> String {
    variable(name).unwrap_or_else(|| {
        panic!("{name} is not set: these tests start real programs; run them with `tests/run.sh e2e`")
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "tests/run.sh tells tests through the environment, and only that way"
)]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
