//! Looks at the engine and the machine, and says when something changed that coordinators should know.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::engine::{Engine, EngineError, EngineFacts, EngineView, LocalNode, Node};
use crate::error::chain;
use crate::facts::{Facts, Resources};

/// What the agent sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) engine: EngineStatus,
    pub(crate) resources: Resources,
    /// None unless this host is a manager and could list.
    pub(crate) nodes: Option<Vec<Node>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EngineStatus {
    Ready { facts: EngineFacts, node: LocalNode },
    NotReady { message: String },
}

impl Report {
    fn differs(&self, told: &Self) -> bool {
        self.engine != told.engine || self.nodes != told.nodes || self.resources.differs(&told.resources)
    }
}

/// Runs for as long as it is polled.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) facts: Arc<dyn Facts>,
    /// The last report worth telling.
    pub(crate) reports: watch::Sender<Option<Report>>,
    /// Rung by the worker after an act.
    pub(crate) acted: Arc<Notify>,
    /// Between looks where nothing calls for one.
    pub(crate) every: Duration,
    /// Between looks at least: a swarm's events come in bursts.
    pub(crate) at_least: Duration,
    /// The front door was open once.
    pub(crate) door_seen: bool,
}

impl Observer {
    pub(crate) async fn run(mut self) -> Infallible {
        loop {
            let report = self.look().await;
            let pause = match report.engine {
                EngineStatus::Ready { .. } => self.every.saturating_sub(self.at_least),
                // Asking an engine that is not there costs nothing, and somebody waits for it to start.
                EngineStatus::NotReady { .. } => self.at_least,
            };
            self.reports.send_if_modified(|told| {
                let news = told.as_ref().is_none_or(|told| report.differs(told));
                if news {
                    *told = Some(report);
                }
                news
            });
            sleep(self.at_least).await;
            tokio::select! {
                () = sleep(pause) => {}
                () = self.engine.changed() => {}
                () = self.acted.notified() => {}
            }
        }
    }

    /// An engine counts as ready only where people reach it, too: a host is said to be ready on this word.
    async fn look_inside(&mut self) -> Result<EngineView, EngineError> {
        let view = self.engine.look().await?;
        if !self.door_seen {
            self.engine.door().await?;
            self.door_seen = true;
        }
        Ok(view)
    }

    async fn look(&mut self) -> Report {
        let resources = self.facts.resources();
        match self.look_inside().await {
            Ok(view) => {
                let nodes = if view.node.manager { self.engine.nodes().await.ok() } else { None };
                Report {
                    engine: EngineStatus::Ready { facts: view.facts, node: view.node },
                    resources,
                    nodes,
                }
            }
            Err(error) => {
                Report { engine: EngineStatus::NotReady { message: chain(&error) }, resources, nodes: None }
            }
        }
    }
}

#[cfg(test)]
mod tests;
