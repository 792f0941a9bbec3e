"""Subscriptions, tenants, resource groups, and what azure-cli asks for before anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm import events, paging
from sandbox.arm.errors import bad_request, conflict, group_being_deleted
from sandbox.arm.platform_images import REGIONS
from sandbox.arm.records import Group, Record
from sandbox.arm.router import Route
from sandbox.http import Headers, Response

if TYPE_CHECKING:
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric

_GROUP = "/subscriptions/{subscription}/resourcegroups/{group}"
_SUBSCRIPTIONS = "Microsoft.Resources/subscriptions"
_ACTIONS = "Microsoft.Resources/subscriptions/resourceGroups"
DELETE_SECONDS = 60.0


class Groups:
    """Deleting a group takes everything in it along, after a while; until then it is `Deleting`."""

    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/metadata/endpoints", self._endpoints, anonymous=True),
            Route("GET", "/tenants", self._tenants),
            Route("GET", "/subscriptions", self._subscriptions),
            Route(
                "GET",
                "/subscriptions/{subscription}",
                self._subscription,
                "Microsoft.Resources/subscriptions/read",
            ),
            Route("GET", "/subscriptions/{subscription}/resourcegroups", self._list, f"{_ACTIONS}/read"),
            Route(
                "GET",
                "/subscriptions/{subscription}/resources",
                self._all,
                f"{_SUBSCRIPTIONS}/resources/read",
            ),
            Route(
                "GET",
                "/subscriptions/{subscription}/locations",
                self._locations,
                f"{_SUBSCRIPTIONS}/locations/read",
            ),
            Route("PUT", _GROUP, self._put, f"{_ACTIONS}/write"),
            Route("GET", _GROUP, self._get, f"{_ACTIONS}/read"),
            Route("HEAD", _GROUP, self._head, f"{_ACTIONS}/read"),
            Route("PATCH", _GROUP, self._patch, f"{_ACTIONS}/write"),
            Route("DELETE", _GROUP, self._delete, f"{_ACTIONS}/delete"),
            Route("GET", f"{_GROUP}/resources", self._resources, f"{_ACTIONS}/resources/read"),
            Route("GET", "/subscriptions/{subscription}/operationresults/{operation}", self._poll),
        ]

    def _endpoints(self, context: Context) -> Response:
        """How azure-cli learns about a cloud: `suffixes` is an object."""
        base = context.request.base
        return Response.of(
            200,
            {
                "name": "ImageFactorySandbox",
                "portal": base,
                "authentication": {
                    "loginEndpoint": base,
                    "audiences": [f"{base}/", "https://management.core.windows.net/"],
                    "tenant": self._fabric.tenant,
                    "identityProvider": "AAD",
                },
                "resourceManager": f"{base}/",
                "graph": base,
                "graphAudience": base,
                "gallery": base,
                "batch": base,
                "media": base,
                "sqlManagement": base,
                "vmImageAliasDoc": base,
                "activeDirectoryDataLake": base,
                "suffixes": {"storage": "core.windows.net", "keyVaultDns": "vault.azure.net"},
            },
        )

    def _tenants(self, context: Context) -> Response:
        tenant = self._fabric.tenant
        row = {
            "id": f"/tenants/{tenant}",
            "tenantId": tenant,
            "displayName": "Sandbox",
            "tenantCategory": "Home",
        }
        return paging.page(context.request, [row], self._fabric.page_size)

    def _subscriptions(self, context: Context) -> Response:
        """Those in which the caller holds any role."""
        held = [a for a in self._fabric.roles.assignments if a.principal == context.caller.name.lower()]
        seen = [
            self._document(name)
            for name in self._fabric.records.subscriptions.values()
            if any(a.scope in ("", "/") or f"/subscriptions/{name}".lower() in a.scope.lower() for a in held)
        ]
        return paging.page(context.request, seen, self._fabric.page_size)

    def _subscription(self, context: Context) -> Response:
        return Response.of(200, self._document(context.params["subscription"]))

    def _document(self, name: str) -> dict[str, Any]:
        tags = self._fabric.records.subscription_tags.get(name.lower())
        return _subscription(name, self._fabric.tenant) | ({"tags": tags} if tags else {})

    def _list(self, context: Context) -> Response:
        groups = [_document(group) for group in self._fabric.records.groups(context.params["subscription"])]
        return paging.page(context.request, groups, self._fabric.page_size)

    def _put(self, context: Context) -> Response:
        body, params = context.body(), context.params
        location = str(body.get("location", "")).replace(" ", "").lower()
        if not location:
            raise bad_request("LocationRequired", "The location property is required for this definition.")
        found = self._fabric.records.group(params["subscription"], params["group"])
        if found is not None and found.location != location:
            raise conflict(
                f"Invalid resource group location '{location}'. The Resource group already exists in "
                f"location '{found.location}'.",
                "InvalidResourceGroupLocation",
            )
        if found is not None and found.state == "Deleting":
            raise group_being_deleted(found.name)
        group = found or self._fabric.records.add_group(
            Group(params["subscription"], params["group"], location)
        )
        group.tags = dict(body.get("tags") or {})
        group.managed_by = body.get("managedBy")
        events.publish(self._fabric, context.origin, group.id, f"{_ACTIONS}/write", "Success", context.now)
        return Response.of(200 if found else 201, _document(group))

    def _get(self, context: Context) -> Response:
        return Response.of(200, _document(self._found(context)))

    def _head(self, context: Context) -> Response:
        self._found(context)
        return Response(204)

    def _patch(self, context: Context) -> Response:
        group = self._found(context)
        tags = context.body().get("tags")
        if tags is not None:
            group.tags = dict(tags)
        events.publish(self._fabric, context.origin, group.id, f"{_ACTIONS}/write", "Success", context.now)
        return Response.of(200, _document(group))

    def _delete(self, context: Context) -> Response:
        """One on its way does not refuse another [crossplane-contrib/provider-azure 141]."""
        group, fabric, origin = self._found(context), self._fabric, context.origin
        if group.state == "Deleting" and fabric.switches.second_group_deletion == "refused":
            raise group_being_deleted(group.name)
        group.state = "Deleting"
        operation = fabric.operations.start("resources", group.subscription, "operationresults", context.now)

        def gone(at: Any) -> None:
            if fabric.records.group(group.subscription, group.name) is group:  # and not another of its name
                fabric.records.remove_group(group, at)
            operation.finish(at)
            events.publish(fabric, origin, group.id, f"{_ACTIONS}/delete", "Success", at)

        fabric.after(context.now, DELETE_SECONDS, gone)
        return Response(202, Headers(fabric.operations.headers(operation, context.request, "Location")))

    def _poll(self, context: Context) -> Response:
        return self._fabric.operations.poll(context.request)

    def _resources(self, context: Context) -> Response:
        rows = [_row(record) for record in self._fabric.records.in_group(self._found(context))]
        return paging.page(context.request, rows, self._fabric.page_size)

    def _all(self, context: Context) -> Response:
        records = self._fabric.records
        groups = records.groups(context.params["subscription"])
        rows = [_row(record) for group in groups for record in records.in_group(group)]
        return paging.page(context.request, rows, self._fabric.page_size)

    def _locations(self, context: Context) -> Response:
        where = f"/subscriptions/{context.params['subscription']}/locations"
        rows = [{"id": f"{where}/{name}", "name": name, "displayName": name} for name in REGIONS]
        return Response.of(200, {"value": rows})

    def _found(self, context: Context) -> Group:
        group = self._fabric.records.group(context.params["subscription"], context.params["group"])
        assert group is not None, "the face answers 404 before a handler runs"
        return group


def _row(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.id.rsplit("/", 1)[1],
        "type": record.kind,
        "location": record.location,
        "tags": record.tags,
    }


def _document(group: Group) -> dict[str, Any]:
    managed = {"managedBy": group.managed_by} if group.managed_by else {}
    return {
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        **managed,
        "tags": group.tags,
        "properties": {"provisioningState": group.state},
    }


def _subscription(name: str, tenant: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{name}",
        "authorizationSource": "RoleBased",
        "subscriptionId": name,
        "tenantId": tenant,
        "displayName": "Sandbox",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "Internal_2014-09-01",
            "spendingLimit": "Off",
        },
    }
