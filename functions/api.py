"""HTTP: which routes there are, and who may come in.

One function takes whatever no other takes, so that a path that does not exist, and a method that a path does
not have, are answered like everything else. What anybody may read and what takes the master key are functions
of their own, since the host checks keys by function and tells nobody which key it was.

The host tries routes in the order of the functions' names (Azure/azure-functions-host#9876), whatever the
routes: so the one that takes everything is the last of them by name.
"""

from typing import Final

import azure.functions as func

from shared.bootstrap import SettingsError, trusts_principal, worker
from shared.domain.callers import Role

blueprint = func.Blueprint()

_SIGNED_IN = trusts_principal()
"""Then the platform has let the caller in, and roles come from its header: keys count for nothing."""
_WITH_KEY: Final = func.AuthLevel.ANONYMOUS if _SIGNED_IN else func.AuthLevel.FUNCTION
_WITH_MASTER_KEY: Final = func.AuthLevel.ANONYMOUS if _SIGNED_IN else func.AuthLevel.ADMIN

MASTER_KEY: Final = {
    "api_admin_approve": ("POST", "v1/retention/approvals"),
    "api_admin_delete_template": ("DELETE", "v1/images/{image}/template"),
    "api_admin_undelete": ("POST", "v1/versions/{definition}/{version}/undelete"),
    "api_admin_unpin": ("POST", "v1/versions/{definition}/{version}/unpin"),
    "api_admin_withdraw": ("POST", "v1/versions/{definition}/{version}/withdraw"),
}
"""What takes the master key: function, method and route of each operation that needs `Factory.Admin`."""


def _behind_master_key(name: str, method: str, route: str) -> None:
    """Registers one of them. The path is put together again: from there on it is a request like any other."""

    def answer(request: func.HttpRequest) -> func.HttpResponse:
        path = route.removeprefix("v1/").format(**request.route_params)
        return _answer(request, path, Role.ADMIN)

    routed = blueprint.route(route, trigger_arg_name="request", methods=[method], auth_level=_WITH_MASTER_KEY)
    blueprint.function_name(name)(routed(answer))


for _name, (_method, _route) in MASTER_KEY.items():
    _behind_master_key(_name, _method, _route)


@blueprint.function_name("api_description")
@blueprint.route(
    "v1/openapi.json",
    trigger_arg_name="request",
    methods=["GET", "HEAD"],
    auth_level=func.AuthLevel.ANONYMOUS,
)
def api_description(request: func.HttpRequest) -> func.HttpResponse:
    return _answer(request, "openapi.json", None)


@blueprint.function_name("api_page")
@blueprint.route(
    "v1/docs", trigger_arg_name="request", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS
)
def api_page(request: func.HttpRequest) -> func.HttpResponse:
    return _answer(request, "docs", None)


@blueprint.function_name("api_health")
@blueprint.route(
    "v1/health", trigger_arg_name="request", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS
)
def api_health(request: func.HttpRequest) -> func.HttpResponse:
    return _answer(request, "health", None)


@blueprint.function_name("api_z")
@blueprint.route("v1/{*path}", trigger_arg_name="request", auth_level=_WITH_KEY)
def api_z(request: func.HttpRequest) -> func.HttpResponse:
    return _answer(request, request.route_params.get("path", ""), Role.OPERATE)


def _answer(request: func.HttpRequest, path: str, key: Role | None) -> func.HttpResponse:
    from . import dispatch  # here: to import the app must stay cheap

    try:
        this = worker()
    except SettingsError as error:
        return dispatch.unusable(error)
    return dispatch.serve(this, request, path, key)
