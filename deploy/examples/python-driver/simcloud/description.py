"""What the driver says of itself, and how it reads the options that it is given by that."""

from collections.abc import Mapping

from simcloud.errors import Refused, invalid
from skep.driver.v1 import driver_pb2 as pb

# Of driver.proto. A coordinator refuses a program that says another one.
PROTOCOL = 1
NAME = "simcloud"
DAY_MS = 24 * 60 * 60 * 1000

DESCRIPTION = pb.Description(
    name=NAME,
    protocol=PROTOCOL,
    flags=[
        pb.Flag(
            name="simcloud-zone",
            kind=pb.FLAG_KIND_STRING,
            usage="the zone of the instance; by default they spread over the cloud's",
            env="SIMCLOUD_ZONE",
        ),
        pb.Flag(
            name="simcloud-boot-ms",
            kind=pb.FLAG_KIND_INTEGER,
            usage="how long the instance takes to boot; by default as long as the cloud's do",
        ),
        pb.Flag(
            name="simcloud-capacity",
            kind=pb.FLAG_KIND_INTEGER,
            usage="instances that can live in the cloud at once; by default as many as the cloud has room for",
        ),
    ],
    account_flags=[
        pb.Flag(
            name="simcloud-endpoint",
            kind=pb.FLAG_KIND_STRING,
            usage="where the cloud is: what skep-sim --cloud says that it serves",
            env="SIMCLOUD_ENDPOINT",
        ),
    ],
    credentials=[pb.Credential(name="simcloud-key", usage="the cloud's key, if it has one", env="SIMCLOUD_KEY")],
    # The cloud finds the instances of a token again, for as long as this.
    idempotency=pb.IDEMPOTENCY_TOKEN,
    token_retention_ms=DAY_MS,
    batch_max=50,
    named_slots=True,
    calls_in_flight_max=8,
    # How long a new instance may not be seen yet. Too long costs time, too short makes skep take for gone what is not.
    settle_ms=1000,
    power=pb.POWER_ACTIONS_ALL,
    console=True,
    way_in=pb.WAY_IN_USER_DATA,
)


def read(flags: list[pb.Flag], options: Mapping[str, str], field: str) -> dict[str, str]:
    """What was given, or is the default. Every option that is wrong is named, not only the first."""
    known = {flag.name: flag for flag in flags}
    wrong = {name: "is not known" for name in options if name not in known}
    values: dict[str, str] = {}
    for name, flag in known.items():
        text = options.get(name, flag.default_value)
        if not text:
            continue
        if flag.kind == pb.FLAG_KIND_INTEGER and not (text.isascii() and text.isdecimal()):
            wrong[name] = "must be a whole number"
        values[name] = text
    if wrong:
        raise Refused(invalid({f"{field}.{name}": problem for name, problem in wrong.items()}))
    return values


def template(options: Mapping[str, str]) -> dict[str, str]:
    """By the cloud's names: its option sim-X is our simcloud-X."""
    given = read(list(DESCRIPTION.flags), options, "template.options")
    return {name.replace(NAME, "sim", 1): value for name, value in given.items()}


def account(options: Mapping[str, str]) -> dict[str, str]:
    return read(list(DESCRIPTION.account_flags), options, "options")
