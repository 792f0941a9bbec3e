"""Refusals of Resource Manager in their recorded wording: the code is what clients decide by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.http import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ArmError(Exception):
    """A request that ends with an error answer instead of an effect."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        headers: Mapping[str, str] | None = None,
        details: Sequence[Mapping[str, object]] = (),
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.target = status, code, message, target
        self.headers, self.details = dict(headers or {}), details

    def response(self) -> Response:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        if self.details:
            error["details"] = list(self.details)
        return Response.of(self.status, {"error": error}, self.headers)


def bad_request(code: str, message: str, target: str | None = None) -> ArmError:
    return ArmError(400, code, message, target=target)


def resource_not_found(kind: str, names: str, group: str) -> ArmError:
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{names}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def group_not_found(group: str) -> ArmError:
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def group_being_deleted(group: str) -> ArmError:
    return conflict(
        f"The resource group '{group}' is in deprovisioning state and cannot perform this operation.",
        "ResourceGroupBeingDeleted",
    )


def subscription_not_found(subscription: str) -> ArmError:
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def parent_not_found(parent: str) -> ArmError:
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Can not perform requested operation on nested resource. Parent resource '{parent}' not found.",
    )


def conflict(message: str, code: str = "Conflict") -> ArmError:
    return ArmError(409, code, message)
