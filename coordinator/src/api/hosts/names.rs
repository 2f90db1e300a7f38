//! Names and ids in requests, as the state knows them now.

use std::sync::Arc;

use skep_core::State;
use skep_core::state::{Host, Swarm};
use skep_types::{HostId, Refusal};

/// Characters of an unknown name that a refusal repeats.
const SHOWN: usize = 128;

pub(in crate::api) fn host<'a>(state: &'a State, field: &str, name: &str) -> Result<&'a Arc<Host>, Refusal> {
    given(field, name)?;
    state.find_host(name).ok_or_else(|| {
        Refusal::not_found(format!("host {}", shown(name)), "`skep ls` lists them")
            .and(field, "names no host")
    })
}

pub(in crate::api) fn swarm<'a>(
    state: &'a State,
    field: &str,
    name: &str,
) -> Result<&'a Arc<Swarm>, Refusal> {
    given(field, name)?;
    state.find_swarm(name).ok_or_else(|| {
        Refusal::not_found(format!("swarm {}", shown(name)), "`skep swarm ls` lists them")
            .and(field, "names no swarm")
    })
}

/// The ids of all of them, in the order given.
pub(super) fn hosts(state: &State, names: &[String]) -> Result<Vec<HostId>, Refusal> {
    let find = |(at, name): (usize, &String)| host(state, &format!("hosts[{at}]"), name).map(|host| host.id);
    names.iter().enumerate().map(find).collect()
}

fn given(field: &str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() { Err(Refusal::field(field, "is missing; give a name or an id")) } else { Ok(()) }
}

fn shown(name: &str) -> String {
    name.chars().take(SHOWN).collect()
}
