//! What can be wrong with a stream, or with a value that is to be sent.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GobError {
    #[error("the message ends in the middle of a value")]
    Truncated,
    #[error("the message goes on after its end")]
    Excess,
    #[error("a number is longer than 8 bytes")]
    LongNumber,
    #[error("a length or an offset is out of range")]
    OutOfRange,
    #[error("a value is nested deeper than {}", super::NESTING)]
    TooDeep,
    #[error("a value has more than {} parts", super::VALUES)]
    TooManyValues,
    #[error(
        "a value spans more than {} messages or {} bytes",
        super::MESSAGES_PER_VALUE,
        super::MESSAGE_BYTES
    )]
    TooManyMessages,
    #[error(
        "the stream defines more than {} types, or takes more than {} bytes for it",
        super::TYPES,
        super::DEFINITION_BYTES
    )]
    TooManyTypes,
    #[error("type {0} is not defined")]
    UnknownType(i64),
    #[error("type {0} cannot be defined, or not again")]
    Redefined(i64),
    #[error("a type is defined as something that this protocol does not use")]
    ForeignDefinition,
    #[error("a value is not of its type {0}")]
    Mismatch(i64),
}
