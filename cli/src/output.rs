//! How things look on the screen. Pure: from messages to text.

pub(crate) mod age;
pub(crate) mod json;
pub(crate) mod natural;
pub(crate) mod progress;
pub(crate) mod shell;
pub(crate) mod table;

/// How lists are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
}
