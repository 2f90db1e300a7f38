//! Go's `net/rpc`, the client's side: requests and replies on one connection, matched by number.
//!
//! ```text
//! call ── places ──► frames ──► write loop ──► request, argument
//!   ▲                                              │ the other side, in whatever order
//!   └── waiting (by number) ◄── read loop ◄── response, reply
//! ```
//!
//! One task owns the connection and runs both loops; when either ends, so does the other, and every call that waits
//! is told why. A call that its caller gave up is forgotten, and its late reply passed over.

mod client;
mod connection;
mod error;
mod reader;
#[cfg(test)]
mod tests;

pub use client::{Client, FIRST_TYPE};
pub use error::{CallError, ConnectionError};
