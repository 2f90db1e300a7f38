"""Errors of the driver: values in replies, never statuses of gRPC. The kind alone decides what skep does next."""

from collections.abc import Mapping

from simcloud.cloud import CloudError, NoAnswer, NotSent, Refusal
from skep.driver.v1 import driver_pb2 as pb

# By the cloud's codes. One that is not here is a defect: of the cloud, or of a driver that did not keep up with it.
KINDS = {
    "throttled": pb.ERROR_KIND_THROTTLED,
    "capacity": pb.ERROR_KIND_CAPACITY,
    "quota": pb.ERROR_KIND_QUOTA,
    "auth": pb.ERROR_KIND_AUTH,
    "invalid": pb.ERROR_KIND_INVALID_SPEC,
    "not_found": pb.ERROR_KIND_NOT_FOUND,
    "unsupported": pb.ERROR_KIND_UNSUPPORTED,
    "unavailable": pb.ERROR_KIND_UNAVAILABLE,
}


class Refused(Exception):
    """Found wrong here, before the cloud was asked."""

    def __init__(self, error: pb.Error) -> None:
        super().__init__(error.message)
        self.error = error


def invalid(fields: Mapping[str, str]) -> pb.Error:
    violations = [pb.Violation(field=field, description=problem) for field, problem in fields.items()]
    return pb.Error(kind=pb.ERROR_KIND_INVALID_SPEC, message="options are wrong", violations=violations)


def not_found(instance_id: str) -> pb.Error:
    return pb.Error(kind=pb.ERROR_KIND_NOT_FOUND, message=f"there is no instance {instance_id} in this cluster")


def foreign(instance_id: str) -> pb.Error:
    """Of a destroy, NOT_FOUND would be believed, and the instance forgotten though it lives."""
    return pb.Error(kind=pb.ERROR_KIND_UNSUPPORTED, message=f"{instance_id} is not this cluster's")


def of_cloud(error: CloudError) -> pb.Error:
    match error:
        case Refusal():
            return of_refusal(error)
        case NotSent():
            kind = pb.ERROR_KIND_UNAVAILABLE
        case NoAnswer():
            # A question can be asked again. What may have changed something has to be looked for.
            kind = pb.ERROR_KIND_AMBIGUOUS if error.changes else pb.ERROR_KIND_UNAVAILABLE
        case _:
            kind = pb.ERROR_KIND_INTERNAL
    return pb.Error(kind=kind, message=str(error))


def of_refusal(refusal: Refusal) -> pb.Error:
    kind = KINDS.get(refusal.code, pb.ERROR_KIND_INTERNAL)
    if kind == pb.ERROR_KIND_INVALID_SPEC and refusal.violations:
        return invalid({in_our_words(field): problem for field, problem in refusal.violations.items()})
    error = pb.Error(kind=kind, message=str(refusal))
    if kind == pb.ERROR_KIND_THROTTLED:
        error.retry_after_ms = refusal.retry_after_ms
    return error


def in_our_words(field: str) -> str:
    """Whoever mends it has written an option of this driver, not one of the cloud's."""
    return field.replace("options.sim-", "template.options.simcloud-", 1) if field.startswith("options.sim-") else field
