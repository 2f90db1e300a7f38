//! Go's `encoding/gob`, as far as the plugin protocol uses it.
//!
//! A stream is a sequence of messages, each a length and that many bytes. A message begins with a type's id: negative,
//! it defines that type; else a value of it follows. An interface value names its type and may bring the definition
//! with it, which ends the message it stands in: one value can span several messages.
//!
//! Floats, complex numbers and types that encode themselves are not of this protocol, and are refused.

mod bytes;
mod decode;
mod encode;
mod error;
#[cfg(test)]
mod tests;
mod types;
mod value;

pub use decode::Decoder;
pub use encode::{definition, framed, value};
pub use error::GobError;
pub use types::{Definition, Shape, TypeId, Types};
pub use value::{Dynamic, Value};

pub(crate) use bytes::uint_bytes;

/// One message, and all messages of one value. A configuration with a cloud-init file inside has some 100 KiB.
pub const MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Messages of one value: each type that an interface brings with it takes one; the flags of a driver have five.
pub const MESSAGES_PER_VALUE: usize = 64;
/// Values in a value, the value itself among them. Each takes some forty bytes of memory for one on the wire.
const VALUES: usize = 64 * 1024;
/// Values around a value. The protocol's deepest is six.
const NESTING: usize = 32;
/// Types of one stream, and the bytes of their definitions. A plugin defines about ten.
const TYPES: usize = 256;
const DEFINITION_BYTES: usize = 256 * 1024;
/// Fields of a struct. The protocol's largest has four.
const FIELDS: usize = 1024;
