"""What the driver says of itself, and how it reads the options that it is given by that."""

from collections.abc import Mapping

from ledger.errors import Refused, invalid
from skep.driver.v1 import driver_pb2 as pb

# Of driver.proto. A coordinator refuses a program that says another one.
PROTOCOL = 1
NAME = "ledger"
DAY_MS = 24 * 60 * 60 * 1000

DESCRIPTION = pb.Description(
    name=NAME,
    protocol=PROTOCOL,
    flags=[
        pb.Flag(
            name="ledger-zone",
            kind=pb.FLAG_KIND_STRING,
            usage="the zone of the machine",
            default_value="a",
            env="LEDGER_ZONE",
        ),
        pb.Flag(
            name="ledger-boot-ms",
            kind=pb.FLAG_KIND_INTEGER,
            usage="how long the machine takes to boot",
            default_value="100",
        ),
    ],
    account_flags=[
        pb.Flag(
            name="ledger-file",
            kind=pb.FLAG_KIND_STRING,
            usage="the file that is the account; the same on every coordinator",
            env="LEDGER_FILE",
        ),
        pb.Flag(
            name="ledger-room",
            kind=pb.FLAG_KIND_INTEGER,
            usage="machines that can live at once; any number unless given",
        ),
    ],
    credentials=[pb.Credential(name="ledger-key", usage="taken and not looked at", env="LEDGER_KEY")],
    # The account finds the machines of a token again. It forgets none, but nothing asks for more than a day.
    idempotency=pb.IDEMPOTENCY_TOKEN,
    token_retention_ms=DAY_MS,
    batch_max=50,
    named_slots=True,
    calls_in_flight_max=8,
    # SQLite shows at once what was made. A cloud that does not has to say here how long it may take.
    settle_ms=0,
    power=pb.POWER_ACTIONS_ALL,
    console=True,
    way_in=pb.WAY_IN_USER_DATA,
)


def read(flags: list[pb.Flag], options: Mapping[str, str], field: str) -> dict[str, str | int]:
    """All flags with their values. Every option that is wrong is named, not only the first."""
    known = {flag.name: flag for flag in flags}
    wrong = {name: "is not known" for name in options if name not in known}
    values: dict[str, str | int] = {}
    for name, flag in known.items():
        text = options.get(name, flag.default_value)
        if flag.kind != pb.FLAG_KIND_INTEGER or not text:
            values[name] = text
        elif text.isdecimal():
            values[name] = int(text)
        else:
            wrong[name] = "must be a whole number"
    if wrong:
        raise Refused(invalid({f"{field}.{name}": problem for name, problem in wrong.items()}))
    return values


def template(options: Mapping[str, str]) -> dict[str, str | int]:
    return read(list(DESCRIPTION.flags), options, "template.options")


def account(options: Mapping[str, str]) -> dict[str, str | int]:
    return read(list(DESCRIPTION.account_flags), options, "options")
