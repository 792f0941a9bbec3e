"""Who may call: keys, or the people behind App Service authentication, and never both."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from shared.bootstrap import Worker
from shared.contracts.api.table import OPERATIONS
from shared.domain.callers import Role
from shared.domain.records import JournalLine
from tests.stories.scenes import factory_file
from tests.stories.world import World

from .calling import Api, principal


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(config=factory_file(tmp_path, "web"))


@pytest.fixture
def signed(world: World) -> Api:
    """The app behind App Service authentication."""
    return Api(Worker(replace(world.settings, trust_principal=True), world.worker.outside), Role.OPERATE)


def test_reading_is_not_enough_to_act(world: World, signed: Api) -> None:
    """403 names the role that is missing, and what there is instead."""
    reader = {"X_MS_CLIENT_PRINCIPAL": principal("Factory.Read", "Something.Else")}
    assert signed.get("/images", **reader).status == 200
    refused = signed.post("/images/web/look", **reader)
    assert refused.status == 403
    assert "takes the role Factory.Operate; ada@example.org (0ada) has Factory.Read" in refused.detail
    assert not world.queues.waiting()


@pytest.mark.parametrize("role", ["Factory.Operate", "Factory.Admin"])
def test_whoever_may_operate_may_read_and_act_and_is_named(world: World, signed: Api, role: str) -> None:
    person = {"X_MS_CLIENT_PRINCIPAL": principal("Factory.Read", role)}
    assert signed.get("/images/web", **person).status == 200
    assert signed.post("/images/web/look", **person).status == 202
    (line,) = world.records(JournalLine)
    assert line.by == "ada@example.org (0ada)"


def test_nobody_without_the_header_comes_in(signed: Api) -> None:
    """A key counts for nothing where the platform signs people in."""
    for headers in ({}, {"X_MS_CLIENT_PRINCIPAL": ""}, {"x_functions_key": "secret"}):
        assert signed.get("/images", **headers).status == 401
    assert signed.get("/health").status == signed.get("/docs").status == 200


@pytest.mark.parametrize(
    "header", ["!", "e30=", "bm90IGpzb24=", "W10=", "eyJjbGFpbXMiOiAxfQ==", "\ud83d", "A" * 9]
)
def test_a_header_that_no_platform_wrote_lets_nobody_in(signed: Api, header: str) -> None:
    assert signed.get("/images", X_MS_CLIENT_PRINCIPAL=header).status == 401


def test_somebody_without_a_role_is_known_and_may_nothing(signed: Api) -> None:
    refused = signed.get("/images", X_MS_CLIENT_PRINCIPAL=principal("factory.admin", "Factory.Owner"))
    assert (refused.status, "has no role of the factory" in refused.detail) == (403, True)


def test_the_header_counts_for_nothing_where_it_is_not_trusted(world: World) -> None:
    """Whoever writes it is a function key, no more and no less."""
    admin = {"X_MS_CLIENT_PRINCIPAL": principal("Factory.Admin", name="root")}
    api = Api(world.worker, Role.OPERATE)
    assert api.post("/images/web/look", **admin).status == 202
    (line,) = world.records(JournalLine)
    assert line.by == "function key"
    assert Api(world.worker, None).get("/images", **admin).status == 403


def test_names_are_text_of_others_and_cut_to_size(world: World, signed: Api) -> None:
    header = principal("Factory.Operate", name="Ada\nLovelace\x00" + "a" * 500, id="0\r1")
    assert signed.post("/images/web/look", X_MS_CLIENT_PRINCIPAL=header).status == 202
    (line,) = world.records(JournalLine)
    assert line.by == f"Ada Lovelace {'a' * 85} (0 1)"


def test_an_idempotency_key_is_the_callers_own(world: World, signed: Api) -> None:
    """Two people with one key are two requests."""
    for name in ("ada", "bob"):
        person = principal("Factory.Operate", name=name, id=name)
        assert (
            signed.post("/images/web/look", X_MS_CLIENT_PRINCIPAL=person, Idempotency_Key="k").status == 202
        )
    assert {line.by for line in world.records(JournalLine)} == {"ada", "bob"}


def test_only_what_tells_no_secret_takes_no_role() -> None:
    """And whatever changes anything takes more than reading."""
    assert {o.id for o in OPERATIONS if o.role is None} == {"health", "describe", "read"}
    assert all(o.role is Role.READ for o in OPERATIONS if o.role and not o.acts)
    assert all(o.role in (Role.OPERATE, Role.ADMIN) for o in OPERATIONS if o.acts)
