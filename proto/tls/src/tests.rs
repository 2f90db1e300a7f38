//! Handshakes as the processes of skep make them, with an authority of the tests' own.

mod authority;
mod certificate;
mod connector;
mod handshake;
