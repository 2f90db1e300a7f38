//! Tests of what skep decides: the whole core behind its public API, with a simulated fleet around it.
//!
//! `support` holds the fleet: a pure loop of planners, `apply`, a fake driver, fake agents and fake Docker swarms, with
//! every interleaving and fault drawn from a seed. The rest are tables (`phases`, `planners`, `requests`), properties
//! (`properties`, `invariants`), and the plans of a swarm's whole life as text (`life`).

mod invariants;
mod life;
mod phases;
mod planners;
mod properties;
mod requests;
mod scale;
mod support;
