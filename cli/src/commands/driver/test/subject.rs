//! Several processes of one program, as several coordinators would have them.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::conformance::{DriverUnderTest, Short};
use skep_driver::{Access, Bootstrap, Driver, DriverError, ErrorKind};
use skep_types::{Secret, Template};
use tokio::sync::Mutex;

use crate::commands::driver::program::{END, Program, Starter};
use crate::failure::{Failure, chain};

const NO_SHORT: &str = "neither --short-option nor --short-template-option says how to run short";
/// What instances are told where no agent was given: nothing waits for it.
const NO_AGENT: &str = "https://192.0.2.1/agent";

#[derive(Clone)]
pub(super) struct Subject(Arc<Inner>);

struct Inner {
    prefix: String,
    template: Template,
    bootstrap: Bootstrap,
    seats: Mutex<Seats>,
}

struct Seats {
    taken: Vec<Seat>,
    next: usize,
    /// With what comes with it: a template.
    short: Option<(Seat, Template)>,
}

type Seat = (Program, Arc<dyn Driver>);

/// How hosts are made.
pub(super) struct Way {
    pub(super) access: Access,
    pub(super) template: Template,
}

impl Subject {
    pub(super) async fn start(
        starter: Starter,
        way: Way,
        short: Option<Way>,
        bootstrap: Bootstrap,
        processes: u8,
    ) -> Result<Self, Failure> {
        let Way { access, template } = way;
        let mut taken = Vec::new();
        for _ in 0..processes {
            taken.push(seat(&starter, access.clone()).await?);
        }
        let short = match short {
            Some(short) => Some((seat(&starter, short.access).await?, short.template)),
            None => None,
        };
        // Names of an earlier run may be remembered by the account.
        let run = uuid::Uuid::now_v7().simple().to_string();
        let prefix = format!("test-{}", &run[run.len() - 12..]);
        let seats = Mutex::new(Seats { taken, next: 0, short });
        Ok(Self(Arc::new(Inner { prefix, template, bootstrap, seats })))
    }

    pub(super) async fn stop(&self) {
        let mut seats = self.0.seats.lock().await;
        let short = seats.short.take().map(|(seat, _)| seat);
        for (program, _) in std::mem::take(&mut seats.taken).into_iter().chain(short) {
            program.process.stop(END).await;
        }
    }
}

async fn seat(starter: &Starter, access: Access) -> Result<Seat, Failure> {
    let program = starter.start().await?;
    let mut driver = program.driver.clone();
    if let Err(error) = driver.configure(access).await {
        program.process.stop(END).await;
        return Err(refused(&error));
    }
    Ok((program, Arc::new(driver)))
}

/// With each option that is to be mended, as the driver named it.
fn refused(error: &DriverError) -> Failure {
    let mut text = format!("the account is refused: {}", chain(error));
    if let ErrorKind::InvalidSpec { violations } = &error.kind {
        for violation in violations {
            text.push_str(&format!("\n  {}: {}", violation.field, violation.description));
        }
    }
    Failure::Program(text)
}

/// Lays the agent where the driver finds it.
pub(super) fn agent(file: Option<&Path>, agents_dir: &Path) -> Result<Bootstrap, Failure> {
    let agent_sha256 = match file {
        None => "0".repeat(64),
        Some(file) => {
            let bytes = std::fs::read(file)
                .map_err(|source| Failure::Config { path: file.to_owned(), source: source.into() })?;
            let digest = skep_tls::sha256(&bytes).to_string();
            let path = agents_dir.join(&digest);
            std::fs::write(&path, bytes).map_err(|source| Failure::Write { path, source })?;
            digest
        }
    };
    Ok(Bootstrap { agent_urls: vec![NO_AGENT.to_owned()], agent_sha256, agent_config: Secret::new("") })
}

#[async_trait]
impl DriverUnderTest for Subject {
    /// Each in turn: what one made, another has to find.
    async fn driver(&self) -> Arc<dyn Driver> {
        let mut seats = self.0.seats.lock().await;
        seats.next = (seats.next + 1) % seats.taken.len();
        Arc::clone(&seats.taken[seats.next].1)
    }

    fn template(&self) -> Template {
        self.0.template.clone()
    }

    fn prefix(&self) -> String {
        self.0.prefix.clone()
    }

    fn bootstrap(&self) -> Bootstrap {
        self.0.bootstrap.clone()
    }

    async fn short(&self) -> Result<Short, &'static str> {
        let seats = self.0.seats.lock().await;
        let (seat, template) = seats.short.as_ref().ok_or(NO_SHORT)?;
        Ok(Short { driver: Arc::clone(&seat.1), template: template.clone() })
    }
}
