"""The contract, call by call. Any of them may come twice, at the same time, or from another coordinator."""

import logging
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

import grpc

from ledger import description, errors
from ledger.account import Account, Full, Machine
from skep.driver.v1 import driver_pb2 as pb
from skep.driver.v1 import driver_pb2_grpc

PAGE = 100
CONSOLE_BYTES = 64 * 1024
POWER = {
    pb.POWER_ACTION_START: True,
    pb.POWER_ACTION_RESTART: True,
    pb.POWER_ACTION_STOP: False,
    pb.POWER_ACTION_KILL: False,
}

Reply = TypeVar("Reply")


def answered(reply: type[Reply], call: Callable[[], Reply]) -> Reply:
    """The call's reply, or one that carries its error. Nothing was changed by a call that ends here in an error: each is
    one transaction."""
    try:
        return call()
    except errors.Refused as refused:
        return reply(error=refused.error)
    except Full:
        return reply(error=errors.full())
    except sqlite3.Error as error:
        return reply(error=errors.unavailable(error))


def instance(machine: Machine) -> pb.Instance:
    if machine.destroyed:
        state = pb.INSTANCE_STATE_DESTROYED
    elif machine.booting:
        state = pb.INSTANCE_STATE_STARTING
    elif machine.running:
        state = pb.INSTANCE_STATE_RUNNING
    else:
        state = pb.INSTANCE_STATE_STOPPED
    return pb.Instance(
        ref=pb.InstanceRef(provider_id=machine.id, name=machine.name),
        intent=machine.intent,
        state=state,
        private_address=machine.address,
        zone=machine.zone,
    )


class LedgerService(driver_pb2_grpc.DriverServicer):
    def __init__(self) -> None:
        self.account: Account | None = None

    def opened(self, context: grpc.ServicerContext) -> Account:
        if self.account is None:
            # skepd then calls Configure, and the call again.
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no account was configured yet")
        return self.account

    def Describe(self, request: pb.DescribeRequest, context: grpc.ServicerContext) -> pb.Description:
        return description.DESCRIPTION

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureReply:
        def configure() -> pb.ConfigureReply:
            options = description.account(request.options)
            if not options["ledger-file"]:
                raise errors.Refused(errors.invalid({"options.ledger-file": "is needed"}))
            room = options["ledger-room"]
            self.account = Account(str(options["ledger-file"]), int(room) if room != "" else None)
            logging.info("account %s is in %s", request.account, options["ledger-file"])
            return pb.ConfigureReply()

        return answered(pb.ConfigureReply, configure)

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> pb.CheckReply:
        def check() -> pb.CheckReply:
            description.template(request.template.options)
            return pb.CheckReply()

        return answered(pb.CheckReply, check)

    def Ensure(self, request: pb.EnsureRequest, context: grpc.ServicerContext) -> pb.EnsureReply:
        account = self.opened(context)

        def ensure() -> pb.EnsureReply:
            options = description.template(request.template.options)
            machines = account.make(
                request.cluster,
                request.intent,
                request.token,
                [slot.name for slot in request.slots],
                str(options["ledger-zone"]),
                int(options["ledger-boot-ms"]) / 1000,
            )
            return pb.EnsureReply(placements=[instance(each) for each in machines])

        return answered(pb.EnsureReply, ensure)

    def List(self, request: pb.ListRequest, context: grpc.ServicerContext) -> pb.ListReply:
        account = self.opened(context)

        def page() -> pb.ListReply:
            machines = account.page(request.cluster, int(request.page_token or 0), PAGE)
            more = len(machines) == PAGE
            return pb.ListReply(
                instances=[instance(each) for each in machines],
                next_page_token=str(machines[-1].number) if more else "",
            )

        return answered(pb.ListReply, page)

    def Observe(self, request: pb.TargetsRequest, context: grpc.ServicerContext) -> pb.ObserveReply:
        account = self.opened(context)

        def one(target: pb.Target) -> pb.Observed:
            found = account.find(request.cluster, target.ref.provider_id)
            if found is None:
                return pb.Observed(error=errors.not_found(target.ref.provider_id))
            return pb.Observed(instance=instance(found))

        return answered(
            pb.ObserveReply, lambda: pb.ObserveReply(results=[one(target) for target in request.targets])
        )

    def Power(self, request: pb.PowerRequest, context: grpc.ServicerContext) -> pb.ResultsReply:
        account = self.opened(context)

        def one(target: pb.Target) -> pb.ItemResult:
            found = account.find(request.cluster, target.ref.provider_id)
            if found is None or found.destroyed:
                return pb.ItemResult(error=errors.not_found(target.ref.provider_id))
            account.switch(found, POWER[request.action], time.time())
            return pb.ItemResult()

        return answered(
            pb.ResultsReply, lambda: pb.ResultsReply(results=[one(target) for target in request.targets])
        )

    def Destroy(self, request: pb.TargetsRequest, context: grpc.ServicerContext) -> pb.ResultsReply:
        account = self.opened(context)

        def one(target: pb.Target) -> pb.ItemResult:
            machine_id = target.ref.provider_id
            found = account.find(request.cluster, machine_id)
            if found is not None:
                account.destroy(found)
            elif account.is_known(machine_id):
                # Somebody else's. What never was, however, is as gone as what was destroyed.
                return pb.ItemResult(error=errors.foreign(machine_id))
            return pb.ItemResult()

        return answered(
            pb.ResultsReply, lambda: pb.ResultsReply(results=[one(target) for target in request.targets])
        )

    def Console(self, request: pb.ConsoleRequest, context: grpc.ServicerContext) -> pb.ConsoleReply:
        account = self.opened(context)

        def console() -> pb.ConsoleReply:
            machine_id = request.target.ref.provider_id
            found = account.find(request.cluster, machine_id)
            if found is None:
                return pb.ConsoleReply(error=errors.not_found(machine_id))
            return pb.ConsoleReply(output=f"{found.name}: booted in zone {found.zone}\n"[-CONSOLE_BYTES:])

        return answered(pb.ConsoleReply, console)
