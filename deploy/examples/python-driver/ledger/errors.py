"""Errors of the driver: values in replies, never statuses of gRPC. The kind alone decides what skep does next."""

from collections.abc import Mapping

from skep.driver.v1 import driver_pb2 as pb


class Refused(Exception):
    def __init__(self, error: pb.Error) -> None:
        super().__init__(error.message)
        self.error = error


def not_found(machine_id: str) -> pb.Error:
    return pb.Error(kind=pb.ERROR_KIND_NOT_FOUND, message=f"there is no machine {machine_id}")


def foreign(machine_id: str) -> pb.Error:
    """Of a destroy, NOT_FOUND would be believed."""
    return pb.Error(kind=pb.ERROR_KIND_UNSUPPORTED, message=f"{machine_id} is not this cluster's")


def full() -> pb.Error:
    return pb.Error(kind=pb.ERROR_KIND_QUOTA, message="the account has no room for that many machines")


def unavailable(error: Exception) -> pb.Error:
    return pb.Error(kind=pb.ERROR_KIND_UNAVAILABLE, message=f"the account cannot be opened: {error}")


def invalid(fields: Mapping[str, str]) -> pb.Error:
    violations = [pb.Violation(field=field, description=problem) for field, problem in fields.items()]
    return pb.Error(kind=pb.ERROR_KIND_INVALID_SPEC, message="options are wrong", violations=violations)
