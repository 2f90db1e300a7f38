//! The database's two tables, and reading and writing them.

use std::io;

use redb::{Database, Durability, ReadableDatabase, TableDefinition, WriteTransaction};

use crate::raft::codec::Unreadable;

/// Index to skep.store.v1.LogEntry.
pub(super) const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// skep.store.v1.Floor, without log id and vote: whose store this is.
pub(super) const IDENTITY: &str = "identity";
pub(super) const VOTE: &str = "vote";
pub(super) const COMMITTED: &str = "committed";
pub(super) const PURGED: &str = "purged";

pub(super) fn failed(error: impl Into<redb::Error>) -> io::Error {
    io::Error::other(error.into())
}

pub(super) fn unreadable(error: Unreadable) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

pub(super) fn create(database: &Database) -> io::Result<()> {
    write(database, Durability::Immediate, |transaction| {
        transaction.open_table(LOG).map_err(failed)?;
        transaction.open_table(META).map_err(failed)?;
        Ok(())
    })
}

pub(super) fn write(
    database: &Database,
    durability: Durability,
    change: impl FnOnce(&WriteTransaction) -> io::Result<()>,
) -> io::Result<()> {
    let mut transaction = database.begin_write().map_err(failed)?;
    transaction.set_durability(durability).map_err(failed)?;
    change(&transaction)?;
    transaction.commit().map_err(failed)
}

/// Makes everything durable that was committed before.
pub(super) fn sync(database: &Database) -> io::Result<()> {
    write(database, Durability::Immediate, |_| Ok(()))
}

pub(super) fn put_meta(transaction: &WriteTransaction, key: &str, value: Option<&[u8]>) -> io::Result<()> {
    let mut table = transaction.open_table(META).map_err(failed)?;
    match value {
        Some(value) => table.insert(key, value).map_err(failed)?,
        None => table.remove(key).map_err(failed)?,
    };
    Ok(())
}

/// A value of the meta table, through its decoder.
pub(super) fn meta<T>(
    database: &Database,
    key: &str,
    decode: impl FnOnce(&[u8]) -> Result<T, Unreadable>,
) -> io::Result<Option<T>> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(META).map_err(failed)?;
    let value = table.get(key).map_err(failed)?;
    value.map(|value| decode(value.value()).map_err(unreadable)).transpose()
}
