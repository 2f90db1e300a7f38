"""The contract, call by call. Any of them may come twice, at the same time, or from another coordinator."""

import logging
from collections.abc import Callable
from typing import TypeVar

import grpc

from simcloud import description, errors
from simcloud.cloud import Cloud, CloudError, Endpoint, Instance, Refusal, insist
from skep.driver.v1 import driver_pb2 as pb
from skep.driver.v1 import driver_pb2_grpc

CONSOLE_BYTES = 64 * 1024
POWER = {
    pb.POWER_ACTION_START: "start",
    pb.POWER_ACTION_STOP: "stop",
    pb.POWER_ACTION_RESTART: "restart",
    pb.POWER_ACTION_KILL: "kill",
}
STATES = {
    "starting": pb.INSTANCE_STATE_STARTING,
    "running": pb.INSTANCE_STATE_RUNNING,
    "stopping": pb.INSTANCE_STATE_STOPPING,
    "stopped": pb.INSTANCE_STATE_STOPPED,
    "destroyed": pb.INSTANCE_STATE_DESTROYED,
}

Reply = TypeVar("Reply")


def answered(reply: type[Reply], call: Callable[[], Reply]) -> Reply:
    """The call's reply, or one that carries its error. Any other exception is a defect: gRPC makes it a status, and
    skepd looks for what the call may have left."""
    try:
        return call()
    except errors.Refused as refused:
        return reply(error=refused.error)
    except CloudError as error:
        return reply(error=errors.of_cloud(error))


def shown(instance: Instance) -> pb.Instance:
    return pb.Instance(
        ref=pb.InstanceRef(provider_id=instance.id, name=instance.name),
        intent=instance.intent,
        state=STATES.get(instance.state, pb.INSTANCE_STATE_UNSPECIFIED),
        private_address=instance.address,
        zone=instance.zone,
    )


def wanted(slot: pb.Slot) -> dict[str, object]:
    """Machines that are real get a script here, which fetches the agent and lays this configuration beside it."""
    return {
        "name": slot.name,
        "tags": {"skep-host": slot.host_id, "skep-incarnation": str(slot.incarnation)},
        "user_data": slot.bootstrap.agent_config,
    }


def ids_of(targets: list[pb.Target]) -> list[str]:
    return [target.ref.provider_id for target in targets]


def changed(
    cloud: Cloud,
    request: pb.TargetsRequest | pb.PowerRequest,
    change: Callable[[list[str]], list[Refusal | None]],
    foreign: Callable[[str], pb.Error],
) -> pb.ResultsReply:
    """Changes those that carry the cluster's tag; the others never reach the cloud. A result for each, in order."""
    ids = ids_of(request.targets)
    seen = dict(zip(ids, cloud.describe(ids), strict=True))
    instances = [each for each in seen.values() if isinstance(each, Instance)]
    ours = [each.id for each in instances if each.cluster == request.cluster]
    refusals = dict(zip(ours, insist(lambda: change(ours)), strict=True)) if ours else {}

    def result(instance_id: str) -> pb.ItemResult:
        each = seen[instance_id]
        refusal = each if isinstance(each, Refusal) else refusals.get(instance_id)
        if refusal is not None:
            return pb.ItemResult(error=errors.of_refusal(refusal))
        if instance_id not in refusals:
            return pb.ItemResult(error=foreign(instance_id))
        return pb.ItemResult()

    return pb.ResultsReply(results=[result(each) for each in ids])


class SimcloudService(driver_pb2_grpc.DriverServicer):
    def __init__(self) -> None:
        self.cloud: Cloud | None = None

    def opened(self, context: grpc.ServicerContext) -> Cloud:
        if self.cloud is None:
            # skepd then calls Configure, and the call again.
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no account was configured yet")
        return self.cloud

    def Describe(self, request: pb.DescribeRequest, context: grpc.ServicerContext) -> pb.Description:
        return description.DESCRIPTION

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureReply:
        def configure() -> pb.ConfigureReply:
            url = description.account(request.options).get("simcloud-endpoint")
            if url is None:
                raise errors.Refused(errors.invalid({"options.simcloud-endpoint": "is needed"}))
            try:
                endpoint = Endpoint.parse(url)
            except ValueError as error:
                raise errors.Refused(errors.invalid({"options.simcloud-endpoint": str(error)})) from error
            # From a file, it comes with the end of its line.
            key = request.credentials.get("simcloud-key", "").strip()
            if not (key.isascii() and key.isprintable()):
                raise errors.Refused(errors.invalid({"credentials.simcloud-key": "must be printable ASCII"}))
            self.cloud = Cloud(endpoint, key)
            logging.info("account %s is at %s", request.account, url)
            return pb.ConfigureReply()

        return answered(pb.ConfigureReply, configure)

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckReply:
        cloud = self.opened(context)

        def check() -> pb.CheckReply:
            # What only the cloud knows, such as its zones, it is asked.
            cloud.check(description.template(request.template.options))
            return pb.CheckReply()

        return answered(pb.CheckReply, check)

    def Ensure(self, request: pb.EnsureRequest, context: grpc.ServicerContext) -> pb.EnsureReply:
        cloud = self.opened(context)

        def ensure() -> pb.EnsureReply:
            options = description.template(request.template.options)
            slots = [wanted(slot) for slot in request.slots]
            made, shortfall = cloud.create(request.token, request.cluster, request.intent, options, slots)
            return pb.EnsureReply(
                placements=[shown(each) for each in made],
                shortfall=errors.of_refusal(shortfall) if shortfall else None,
            )

        return answered(pb.EnsureReply, ensure)

    def List(self, request: pb.ListRequest, context: grpc.ServicerContext) -> pb.ListReply:
        cloud = self.opened(context)

        def page() -> pb.ListReply:
            instances, following = cloud.page(request.cluster, request.page_token or None)
            return pb.ListReply(instances=[shown(each) for each in instances], next_page_token=following or "")

        return answered(pb.ListReply, page)

    def Observe(self, request: pb.TargetsRequest, context: grpc.ServicerContext) -> pb.ObserveReply:
        cloud = self.opened(context)

        def one(instance_id: str, seen: Instance | Refusal) -> pb.Observed:
            if isinstance(seen, Refusal):
                return pb.Observed(error=errors.of_refusal(seen))
            if seen.cluster != request.cluster:
                return pb.Observed(error=errors.not_found(instance_id))
            return pb.Observed(instance=shown(seen))

        def observe() -> pb.ObserveReply:
            ids = ids_of(request.targets)
            return pb.ObserveReply(results=map(one, ids, cloud.describe(ids)))

        return answered(pb.ObserveReply, observe)

    def Power(self, request: pb.PowerRequest, context: grpc.ServicerContext) -> pb.ResultsReply:
        cloud = self.opened(context)
        action = POWER[request.action]
        return answered(
            pb.ResultsReply, lambda: changed(cloud, request, lambda ids: cloud.power(action, ids), errors.not_found)
        )

    def Destroy(self, request: pb.TargetsRequest, context: grpc.ServicerContext) -> pb.ResultsReply:
        cloud = self.opened(context)
        return answered(pb.ResultsReply, lambda: changed(cloud, request, cloud.terminate, errors.foreign))

    def Console(self, request: pb.ConsoleRequest, context: grpc.ServicerContext) -> pb.ConsoleReply:
        cloud = self.opened(context)

        def console() -> pb.ConsoleReply:
            (instance_id,) = ids_of([request.target])
            (seen,) = cloud.describe([instance_id])
            if isinstance(seen, Refusal):
                return pb.ConsoleReply(error=errors.of_refusal(seen))
            if seen.cluster != request.cluster:
                return pb.ConsoleReply(error=errors.not_found(instance_id))
            # The last of it, and no half of a character at its beginning.
            last = insist(lambda: cloud.console(instance_id)).encode()[-CONSOLE_BYTES:]
            return pb.ConsoleReply(output=last.decode(errors="ignore"))

        return answered(pb.ConsoleReply, console)
