//! A cluster without processes: state, planners, drivers, agents and swarms in one loop.

mod agents;
mod build;
mod chance;
mod cluster;
mod docker;
mod driver;
mod fleet;
pub(crate) mod place;
mod text;
mod wild;

pub(crate) use build::{
    DriverSpec, create_hosts, create_swarm, delete_hosts, digest, host_name, person, request, template,
};
pub(crate) use chance::Chance;
pub(crate) use cluster::Cluster;
pub(crate) use driver::Faults;
pub(crate) use fleet::Fleet;
pub(crate) use wild::Wild;
