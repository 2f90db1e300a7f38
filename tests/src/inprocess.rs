//! A whole cluster in one process: coordinators on loopback, each on a runtime of its own so that it can be crashed,
//! and one simulated world with real agents that they all share.
//!
//! | file | |
//! |---|---|
//! | `cluster` | starts, crashes, stops and restarts coordinators |
//! | `coordinator` | one of them: its folder, its ports, its runtime |
//! | `stops` | moments a test can stop a coordinator at: around log entries and driver calls |
//! | `world` | simulated instances and their agents |
//! | `clients` | people: one coordinator's services, or whichever answers |
//! | `clock` | time, which a test can put forward |
//! | `work` | what they ask, and waiting until it is done |
//! | `rest` | what must hold when nothing is under way |

mod clients;
mod clock;
mod cluster;
mod coordinator;
mod rest;
mod stops;
mod work;
mod world;

pub use clients::{Clients, Operator, mutation, passing};
pub use cluster::{InProcess, Setup, eventually};
pub use rest::{Rest, hosts_of};
pub use stops::{Around, Event, Moment, Stops};
pub use work::{create, delete, template};
pub use world::World;
