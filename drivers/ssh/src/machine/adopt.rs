//! Brings the agent to a machine and starts it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use skep_driver::{Bootstrap, bootstrap};

use super::{Architecture, Looked, Marker, said};
use crate::exec::Script;
use crate::{Connection, Error, Kind};

/// The agent's seven megabytes over a line of a megabit a second, and the script; shorter than a driver's call.
const ADOPT: Script =
    Script::new(include_str!("adopt.sh"), "bringing the agent", Duration::from_secs(100)).as_root();

/// An agent's program, read once for all machines.
#[derive(Debug, Clone)]
pub struct Agent {
    bytes: Bytes,
    architecture: Architecture,
}

impl Agent {
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        let bytes = bytes.into();
        let unknown = || Kind::AgentFile { why: "it is no program for x86_64 or aarch64".to_owned() };
        let architecture = Architecture::of_program(&bytes).ok_or_else(unknown)?;
        Ok(Self { bytes, architecture })
    }
}

impl Connection {
    /// Looks, claims, brings the agent unless it is there, and runs the bootstrap script. The same again is success; a
    /// machine that is another's is refused untouched.
    ///
    /// Answered is the machine as it was found, and the marker that stands there now: the place in it is that of the
    /// first call.
    ///
    /// The script checks the agent's digest at the machine: what arrived otherwise is not started.
    pub async fn adopt(
        &self,
        marker: &Marker,
        agent: &Agent,
        bootstrap: &Bootstrap,
    ) -> Result<(Looked, Marker), Error> {
        let looked = self.look().await?;
        let there = looked.agent.as_deref() == Some(bootstrap.agent_sha256.as_str());
        let bytes = if there { Bytes::new() } else { agent.bytes.clone() };
        looked.judge(self.address(), agent.architecture, bytes.len() as u64)?;
        let root = self.root_given(looked.sudo).await?;
        let script = bootstrap::render_laid(bootstrap).map_err(|error| {
            let what = "the bootstrap script";
            Error::caused_by(Kind::Unexpected { address: self.address().to_owned(), what }, error)
        })?;
        let head = format!(
            "{}\n{}\n{}\n",
            marker.encode(),
            STANDARD.encode(script.reveal()),
            if there { "keep" } else { "agent" }
        );
        let output = self.run_with(root, ADOPT, vec![head.into(), bytes]).await?;
        let output = self.ended_well(output, ADOPT.what())?;
        let unexpected = || Kind::Unexpected { address: self.address().to_owned(), what: ADOPT.what() };
        let marker = said(&output, "marker").and_then(Marker::decode).ok_or_else(unexpected)?;
        Ok((looked, marker))
    }
}
