"""The "cloud": one SQLite file is one account, which any number of processes may use at once.

A real driver has a provider's API here. What it shares with this file is that the account remembers everything and
the driver nothing: who made what is asked of the account, each time.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

SCHEMA = """
CREATE TABLE IF NOT EXISTS machines (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster TEXT NOT NULL,
    intent TEXT NOT NULL,
    token TEXT NOT NULL,
    name TEXT NOT NULL,
    zone TEXT NOT NULL,
    running INTEGER NOT NULL DEFAULT 1,
    destroyed INTEGER NOT NULL DEFAULT 0,
    up_at REAL NOT NULL,
    UNIQUE (cluster, token, name)
)
"""
NETWORK = IPv4Address("10.96.0.0")
# Another process may be writing for this long before a call fails.
LOCKED_SECONDS = 10


class Full(Exception):
    """The account has no room for more machines."""


@dataclass(frozen=True)
class Machine:
    number: int
    cluster: str
    intent: str
    name: str
    zone: str
    running: bool
    destroyed: bool
    up_at: float

    @property
    def id(self) -> str:
        return f"lg-{self.number:06}"

    @property
    def address(self) -> str:
        return str(NETWORK + self.number)

    @property
    def booting(self) -> bool:
        return self.running and time.time() < self.up_at


COLUMNS = "number, cluster, intent, name, zone, running, destroyed, up_at"


class Account:
    def __init__(self, path: str, room: int | None) -> None:
        self.path = path
        self.room = room
        with self._transaction() as db:
            db.execute(SCHEMA)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One writer at a time, whichever process it is in."""
        db = sqlite3.connect(self.path, timeout=LOCKED_SECONDS, isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        finally:
            # Rolls back what was not committed.
            db.close()

    def make(
        self, cluster: str, intent: str, token: str, names: list[str], zone: str, boot_seconds: float
    ) -> list[Machine]:
        """The machines of `token`, made now or before. `Full` if nothing was made for want of room."""
        with self._transaction() as db:
            made = self._of_token(db, cluster, token)
            if made:
                return made
            if self.room is not None and self._living(db) + len(names) > self.room:
                raise Full
            rows = [(cluster, intent, token, name, zone, time.time() + boot_seconds) for name in names]
            db.executemany(
                "INSERT INTO machines (cluster, intent, token, name, zone, up_at) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            return self._of_token(db, cluster, token)

    def _of_token(self, db: sqlite3.Connection, cluster: str, token: str) -> list[Machine]:
        return self._select(db, "cluster = ? AND token = ?", cluster, token)

    def _living(self, db: sqlite3.Connection) -> int:
        (count,) = db.execute("SELECT count(*) FROM machines WHERE NOT destroyed").fetchone()
        return count

    def page(self, cluster: str, after: int, size: int) -> list[Machine]:
        with self._transaction() as db:
            return self._select(
                db, f"cluster = ? AND NOT destroyed AND number > ? ORDER BY number LIMIT {size}", cluster, after
            )

    def find(self, cluster: str, machine_id: str) -> Machine | None:
        """None for what never was, and for what is another cluster's."""
        with self._transaction() as db:
            found = self._select(db, "cluster = ? AND number = ?", cluster, number_of(machine_id))
        return found[0] if found else None

    def is_known(self, machine_id: str) -> bool:
        """Whether any cluster has or had it."""
        with self._transaction() as db:
            return bool(self._select(db, "number = ?", number_of(machine_id)))

    def switch(self, machine: Machine, running: bool, up_at: float) -> None:
        with self._transaction() as db:
            db.execute(
                "UPDATE machines SET running = ?, up_at = ? WHERE number = ?", (running, up_at, machine.number)
            )

    def destroy(self, machine: Machine) -> None:
        with self._transaction() as db:
            db.execute("UPDATE machines SET destroyed = 1, running = 0 WHERE number = ?", (machine.number,))

    @staticmethod
    def _select(db: sqlite3.Connection, where: str, *values: object) -> list[Machine]:
        rows = db.execute(f"SELECT {COLUMNS} FROM machines WHERE {where}", values)
        return [
            Machine(number, cluster, intent, name, zone, bool(running), bool(destroyed), up_at)
            for number, cluster, intent, name, zone, running, destroyed, up_at in rows
        ]


def number_of(machine_id: str) -> int:
    """Of an id that is not ours: that of no machine."""
    prefix, _, digits = machine_id.partition("-")
    return int(digits) if prefix == "lg" and digits.isdecimal() else 0
