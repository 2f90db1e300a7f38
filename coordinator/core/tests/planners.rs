//! What several hosts share: driver calls, owners, turns in a swarm.

mod account;
mod owner;
mod reach;
mod swarm;
