"""The endpoint that App Service gives to its apps: tokens for whoever knows the secret, no one else."""

import pytest

from sandbox.calls import CallLog
from sandbox.clock import VirtualClock
from sandbox.faults import Fault, Faults
from sandbox.http import Request, Response
from sandbox.identity.endpoint import LIFETIME, IdentityEndpoint
from sandbox.identity.tokens import FACTORY, OPERATOR, Tokens

STORAGE = "https://storage.azure.com"
TENANT = "11111111-1111-1111-1111-111111111111"


class World:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.tokens = Tokens(TENANT)
        self.calls = CallLog()
        self.faults = Faults(self.clock)
        headers = {"secret": FACTORY, "other": OPERATOR}
        self.endpoint = IdentityEndpoint(self.clock, self.tokens, self.faults, self.calls, headers)

    def get(
        self, query: str = f"api-version=2019-08-01&resource={STORAGE}", header: str = "secret"
    ) -> Response:
        return self.endpoint.handle(Request.to("GET", f"/msi/token?{query}", {"x-identity-header": header}))


@pytest.mark.parametrize(("header", "principal"), [("secret", FACTORY), ("other", OPERATOR)])
def test_the_secret_says_who_gets_the_token(header: str, principal: str) -> None:
    world = World()
    got = world.get(header=header).json()
    assert world.tokens.check(got["access_token"], STORAGE, world.clock.now()).name == principal
    assert got["expires_on"] == str(int((world.clock.now() + LIFETIME).timestamp()))
    assert (got["resource"], got["token_type"]) == (STORAGE, "Bearer")


@pytest.mark.parametrize(
    ("query", "header", "status"),
    [
        (f"api-version=2019-08-01&resource={STORAGE}", "wrong", 401),
        (f"api-version=2019-08-01&resource={STORAGE}", "", 401),
        (f"api-version=2018-02-01&resource={STORAGE}", "secret", 400),
        ("api-version=2019-08-01", "secret", 400),
        (f"api-version=2019-08-01&resource={STORAGE}&client_id=nobody", "secret", 400),
    ],
)
def test_what_is_missing_or_wrong_is_named(query: str, header: str, status: int) -> None:
    response = World().get(query, header)
    assert response.status == status
    assert response.json()["message"]


def test_the_client_id_of_the_identity_itself_is_fine() -> None:
    world = World()
    query = f"api-version=2019-08-01&resource={STORAGE}&client_id={world.tokens.client_id(FACTORY)}"
    assert world.get(query).status == 200


def test_calls_are_recorded_and_faults_strike_here_too() -> None:
    world = World()
    world.faults.add(Fault("identity", "status", status=503))
    assert [world.get().status, world.get().status] == [503, 200]
    assert [(call.status, call.principal, call.audience) for call in world.calls] == [
        (503, FACTORY, STORAGE),
        (200, FACTORY, STORAGE),
    ]
