"""The sandbox's commands besides `up`: thin clients of the control endpoint of the one that runs."""

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sandbox import endpoints
from sandbox.endpoints import NotRunning
from sandbox.options import STATE


def run(argv: Sequence[str]) -> int:
    given = _parser().parse_args(argv)
    try:
        control = endpoints.read(given.state).control
        answer = given.act(given, lambda *order: _send(control, *order))
    except (NotRunning, OrderFailed) as failed:
        print(failed, file=sys.stderr)
        return 1
    print(answer if isinstance(answer, str) else json.dumps(answer, indent=2))
    return 0


class OrderFailed(Exception):
    """The control endpoint refused, and said why."""


Send = Callable[..., Any]


def _send(control: str, method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{control}{path}", data, method=method)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({})
    )  # loopback is nobody's proxy's business
    try:
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise OrderFailed(json.load(error)["error"]) from error
    except OSError as error:
        raise OrderFailed(f"The sandbox does not answer at {control}: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name: str, act: Callable[[Any, Send], Any], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--state", type=Path, default=STATE, metavar="DIR", help="of the running sandbox")
        made.set_defaults(act=act)
        return made

    made = command("new-version", _new_version, "Let a new marketplace version appear.")
    made.add_argument("source", metavar="PUBLISHER:OFFER:SKU")
    made.add_argument("version", help="such as 22.04.202611010")
    made.add_argument("--region", action="append", metavar="REGION", help="only there (all regions)")
    _fault_arguments(command("fault", _fault, "Let requests fail; without a service, list the faults."))
    made = command("calls", _calls, "List the requests that the sandbox answered.")
    for name in ("service", "principal", "path"):
        made.add_argument(f"--{name}")
    made.add_argument("--clear", action="store_true", help="forget them")
    made = command("token", _token, "Print a token.")
    made.add_argument("--principal", default="operator", help="operator (default), factory or nobody")
    made.add_argument("--audience", default="https://management.azure.com", help="which service it is for")
    made = command("host", _host, "Stop, kill or start the Functions host.")
    made.add_argument("order", choices=("status", "kill", "start", "stop", "restart"))
    command("state", lambda _, send: send("GET", "/state"), "Show what is going on.")
    command("galleries", _galleries, "List the gallery versions and where each of them is.")
    made = command("control", _control, "Send any order: GET / lists them.")
    made.add_argument("method", choices=("GET", "POST", "PATCH", "DELETE"))
    made.add_argument("path")
    made.add_argument("body", nargs="?", help="JSON")
    return parser


def _fault_arguments(made: argparse.ArgumentParser) -> None:
    made.add_argument("service", nargs="?", help="arm, blob, queue, table, eventgrid or identity")
    made.add_argument("action", nargs="?", choices=("status", "drop", "delay", "kill_host"), default="status")
    made.add_argument("--when", choices=("before", "after"), default="before", help="… the effect")
    made.add_argument("--method")
    made.add_argument("--path", default="", metavar="REGEX", help="searched in path and query")
    made.add_argument("--nth", type=int, default=1, help="which match it strikes first (1)")
    made.add_argument("--count", type=int, default=1, help="how many in a row (1)")
    made.add_argument("--status", type=int, default=503)
    made.add_argument("--code", default="ServiceUnavailable")
    made.add_argument("--retry-after", type=int)
    made.add_argument("--seconds", type=float, default=0.0, help="of a delay")
    made.add_argument("--clear", action="store_true", help="remove all faults")


def _new_version(given: Any, send: Send) -> Any:
    parts = given.source.split(":")
    if len(parts) != 3:
        raise OrderFailed(f"{given.source!r}: expected PUBLISHER:OFFER:SKU.")
    body = dict(zip(("publisher", "offer", "sku"), parts, strict=True))
    return send("POST", "/marketplace/versions", {**body, "version": given.version, "regions": given.region})


def _fault(given: Any, send: Send) -> Any:
    if given.clear:
        return send("DELETE", "/faults")
    if given.service is None:
        return send("GET", "/faults")
    names = ("service", "action", "when", "method", "path", "nth", "count", "status", "code", "retry_after")
    return send("POST", "/faults", {name: getattr(given, name) for name in (*names, "seconds")})


def _calls(given: Any, send: Send) -> Any:
    if given.clear:
        return send("DELETE", "/calls")
    wanted = {name: getattr(given, name) for name in ("service", "principal", "path")}
    query = urlencode({name: value for name, value in wanted.items() if value})
    found = send("GET", f"/calls?{query}" if query else "/calls")["calls"]
    return "\n".join(map(_line, found))


def _line(call: dict[str, Any]) -> str:
    target = f"{call['path']}?{call['query']}" if call["query"] else call["path"]
    head = f"{call['at'][11:23]} {call['service']:<10} {call['status']:>3} {call['method']:<6}"
    return f"{head} {target}  [{call['principal']}: {call['action']}]"


def _token(given: Any, send: Send) -> Any:
    return send("POST", "/token", {"principal": given.principal, "audience": given.audience})["token"]


def _host(given: Any, send: Send) -> Any:
    if given.order == "status":
        return send("GET", "/host")
    return send("POST", f"/host/{given.order}")


def _galleries(_given: Any, send: Send) -> str:
    return "\n".join(
        f"{gallery['gallery']}/{definition['definition']}/{version['version']}  {version['state']}  "
        + "; ".join(map(_place, version["regions"]))
        for gallery in send("GET", "/galleries")
        for definition in gallery["definitions"]
        for version in definition["versions"]
    )


def _place(region: dict[str, Any]) -> str:
    state = (
        f"{region['state']} {region['progress']}%" if region["state"] == "Replicating" else region["state"]
    )
    return f"{region['region']}: {state}{', latest' if region['latest'] else ''}"


def _control(given: Any, send: Send) -> Any:
    body = None if given.body is None else json.loads(given.body)
    return send(given.method, given.path, body)
