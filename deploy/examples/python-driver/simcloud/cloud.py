"""The cloud: a client of the HTTP API of `skep-sim --cloud`. A real driver has its provider's API here.

What it shares with this one is that the cloud remembers everything and the driver nothing, and that a request ends in
one of four ways, which have to be told apart:

    an answer
    Refusal     the cloud says no, and why: nothing was done
    NotSent     nothing can have been done
    NoAnswer    nobody knows what was done
"""

import contextlib
import http.client
import ipaddress
import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

# Of a connection. One that takes longer is not coming, and skepd tries again.
CONNECT_SECONDS = 5
# Between two pieces of an answer. A create is answered when its instances exist. skepd gives a call two minutes: this,
# twice over, is less, so that it hears how the call ended.
ANSWER_SECONDS = 40
# A page of instances has a tenth of it. A server that never stops sending must not fill the memory.
ANSWER_BYTES = 4 * 1024 * 1024
# Where a cloud that throttles does not say for how long.
RETRY_AFTER_MS = 1000
# Of the second request of a call, and the longest pause before one of them that is waited for here.
TRIES_MAX = 20
PAUSE_MS_MAX = 1000

CLUSTER = "skep-cluster"
INTENT = "skep-intent"

Parsed = TypeVar("Parsed")


class CloudError(Exception):
    """A request that was not answered as it should be."""


class NotSent(CloudError):
    """Nothing has left this process: it can be asked again as if it had never been."""


class NoAnswer(CloudError):
    """The request went out, and what came back, if anything, does not say what came of it."""

    def __init__(self, message: str, changes: bool) -> None:
        super().__init__(message)
        # Whether the cloud may have changed something.
        self.changes = changes


class Refusal(CloudError):
    """The cloud's own no: nothing was done."""

    def __init__(self, code: str, message: str, retry_after_ms: int, violations: dict[str, str]) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_ms = retry_after_ms
        self.violations = violations


@dataclass(frozen=True)
class Endpoint:
    tls: bool
    host: str
    port: int | None

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """ValueError says what is wrong."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
        if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must be nothing but a scheme, a host and a port")
        if parts.scheme == "http" and not is_this_machine(parts.hostname):
            raise ValueError("must be https://, unless it is this machine: the key would travel in the open")
        return cls(parts.scheme == "https", parts.hostname, parts.port)

    def connection(self) -> http.client.HTTPConnection:
        if self.tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self.host, self.port, timeout=CONNECT_SECONDS, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=CONNECT_SECONDS)


def is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Instance:
    id: str
    name: str
    # None for what skep has not made.
    cluster: str | None
    intent: str
    state: str
    address: str
    zone: str

    @classmethod
    def parse(cls, shown: dict[str, Any]) -> "Instance":
        tags = shown["tags"]
        return cls(
            id=shown["id"],
            name=shown["name"],
            cluster=tags.get(CLUSTER),
            intent=tags.get(INTENT, ""),
            state=shown["state"],
            address=shown["address"],
            zone=shown["zone"],
        )


class Cloud:
    """Any number of threads may use one: each request has a connection of its own."""

    def __init__(self, endpoint: Endpoint, key: str) -> None:
        self._endpoint = endpoint
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"

    def check(self, options: dict[str, str]) -> None:
        self._ask("check", {"options": options}, lambda _: None)

    def create(
        self, token: str, cluster: str, intent: str, options: dict[str, str], instances: list[dict[str, Any]]
    ) -> tuple[list[Instance], Refusal | None]:
        """The instances of `token`, made now or before, and why they are fewer than were asked for, if so."""

        def parse(answer: dict[str, Any]) -> tuple[list[Instance], Refusal | None]:
            shortfall = answer["shortfall"]
            made = [Instance.parse(each) for each in answer["instances"]]
            return made, refusal(shortfall) if shortfall else None

        tags = {CLUSTER: cluster, INTENT: intent}
        request = {"token": token, "tags": tags, "options": options, "instances": instances}
        return self._ask("create", request, parse, changes=True)

    def page(self, cluster: str, page: str | None) -> tuple[list[Instance], str | None]:
        """Of what carries the cluster's tag; and how to ask for the next page, if there is one."""

        def parse(answer: dict[str, Any]) -> tuple[list[Instance], str | None]:
            return [Instance.parse(each) for each in answer["instances"]], answer["next"]

        return self._ask("list", {"tags": {CLUSTER: cluster}, "page": page}, parse)

    def describe(self, ids: list[str]) -> list[Instance | Refusal]:
        """Whoever's they are: each says so itself, by its tags."""

        def parse(result: dict[str, Any]) -> Instance | Refusal:
            return refusal(result["error"]) if "error" in result else Instance.parse(result["instance"])

        return self._ask("describe", {"ids": ids}, of_each(ids, parse)) if ids else []

    def power(self, action: str, ids: list[str]) -> list[Refusal | None]:
        return self._ask("power", {"action": action, "ids": ids}, of_each(ids, done), changes=True)

    def terminate(self, ids: list[str]) -> list[Refusal | None]:
        return self._ask("terminate", {"ids": ids}, of_each(ids, done), changes=True)

    def console(self, instance_id: str) -> str:
        return self._ask("console", {"id": instance_id}, lambda answer: str(answer["output"]))

    def _ask(
        self, action: str, request: dict[str, Any], parse: Callable[[dict[str, Any]], Parsed], changes: bool = False
    ) -> Parsed:
        """Once. Whether a call is made again, and when, is for skepd to decide."""
        with contextlib.closing(self._endpoint.connection()) as connection:
            with not_sent():
                connection.connect()
                connection.sock.settimeout(ANSWER_SECONDS)
            try:
                connection.request("POST", f"/v1/{action}", json.dumps(request), self._headers)
                response = connection.getresponse()
                body = response.read(ANSWER_BYTES + 1)
            except (OSError, http.client.HTTPException) as error:
                raise NoAnswer(f"{action} was not answered: {said(error)}", changes) from error
        try:
            answer = json.loads(body)
            if response.status == http.HTTPStatus.OK:
                return parse(answer)
            problem = refusal(answer["error"])
            if response.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR and problem.code != "unavailable":
                raise ValueError("a cloud that fails within does not know how far it came")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # Half an answer, or that of something on the way to the cloud.
            answered = f"{action} has an answer of status {response.status} that says nothing"
            raise NoAnswer(f"{answered}: {said(error)}", changes) from error
        raise problem


def insist(request: Callable[[], Parsed]) -> Parsed:
    """For the second request of a call. Throttled, the call would begin anew with its first request, which takes what
    the cloud lets in, so that the second is throttled for ever. What is throttled was not done: it can be repeated."""
    for _ in range(TRIES_MAX - 1):
        try:
            return request()
        except Refusal as refused:
            if refused.code != "throttled" or refused.retry_after_ms > PAUSE_MS_MAX:
                raise
            time.sleep(refused.retry_after_ms / 1000)
    return request()


@contextlib.contextmanager
def not_sent() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise NotSent(f"the cloud cannot be reached: {said(error)}") from error


def said(error: Exception) -> str:
    return str(error) or type(error).__name__


def refusal(problem: dict[str, Any]) -> Refusal:
    violations = {each["field"]: each["description"] for each in problem.get("violations", [])}
    return Refusal(problem["code"], problem["message"], int(problem.get("retry_after_ms", RETRY_AFTER_MS)), violations)


def done(result: dict[str, Any]) -> Refusal | None:
    return refusal(result["error"]) if "error" in result else None


def of_each(ids: list[str], parse: Callable[[dict[str, Any]], Parsed]) -> Callable[[dict[str, Any]], list[Parsed]]:
    """One result for each id, in order: with one too few, nobody could tell whose is whose."""

    def parse_all(answer: dict[str, Any]) -> list[Parsed]:
        results = answer["results"]
        if len(results) != len(ids):
            raise ValueError(f"{len(results)} results for {len(ids)} instances")
        return [parse(result) for result in results]

    return parse_all
