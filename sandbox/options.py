"""What `sandbox up` can be told."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

PORTS: Final = ("arm", "identity", "blob", "queue", "table", "eventgrid", "control", "functions")
STATE: Final = Path(".sandbox")
QUICK: Final = Path(__file__).with_name("overlay.yaml")
FUNC_START: Final = "http://127.0.0.1:7071"  # where Core Tools' `func start` listens by itself


class Options(msgspec.Struct, frozen=True, kw_only=True):
    state: Path = STATE
    app: Path = Path()
    config: Path = Path("config/factory.yaml")
    speed: float = 60.0
    ports: dict[str, int] = {}
    with_functions: bool = True
    functions_url: str = FUNC_START
    overlay: Path | None = None
    sources_schedule: str = "*/5 * * * * *"
    sweep_schedule: str = "*/30 * * * * *"
    retention_schedule: str = "*/30 * * * * *"
    settings: dict[str, str] = {}
    size_mib: int = 64
    payload_mib: int = 8
    fragment_kib: int | None = None
    seed: int | None = None
    message_lock: float = 30.0
    first_look: float = 20.0
    restart_host: bool = True


def parse(argv: Sequence[str]) -> Options:
    given = _parser().parse_args(argv)
    return Options(
        state=given.state.resolve(),
        app=given.app.resolve(),
        config=given.config.resolve(),
        speed=given.speed,
        ports=dict(given.ports),
        with_functions=not given.without_functions,
        functions_url=given.functions_url.rstrip("/"),
        overlay=None if given.as_is else given.overlay.resolve(),
        sources_schedule=given.sources_schedule,
        sweep_schedule=given.sweep_schedule,
        retention_schedule=given.retention_schedule,
        settings=dict(given.setting),
        size_mib=given.vhd_size,
        payload_mib=given.vhd_payload,
        fragment_kib=given.vhd_fragment,
        seed=given.seed,
        message_lock=given.message_lock,
        first_look=given.first_look,
        restart_host=not given.no_restart,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox up", description="Run a local Azure and the app on it."
    )
    add = parser.add_argument
    add("--state", type=Path, default=STATE, metavar="DIR", help="state folder (default .sandbox)")
    add("--speed", type=_speed, default=60.0, metavar="X", help="divides how long operations take (60)")
    add("--ports", type=_ports, default=[], metavar="arm=8443,…", help=f"of {', '.join(PORTS)}; others free")
    add("--app", type=Path, default=Path(), metavar="DIR", help="folder of function_app.py (here)")
    add("--config", type=Path, default=Path("config/factory.yaml"), metavar="FILE", help="of the factory")
    add("--overlay", type=Path, default=QUICK, metavar="FILE", help="laid over a copy of --config")
    add("--as-is", action="store_true", help="take --config as it is, without an overlay")
    add("--without-functions", action="store_true", help="leave the app to a `func start` elsewhere")
    add("--functions-url", default=FUNC_START, metavar="URL", help=f"where that one listens ({FUNC_START})")
    add("--sources-schedule", default="*/5 * * * * *", metavar="NCRONTAB", help="of the look at sources")
    add("--sweep-schedule", default="*/30 * * * * *", metavar="NCRONTAB", help="of the sweep")
    add("--retention-schedule", default="*/30 * * * * *", metavar="NCRONTAB", help="of retention")
    add("--setting", type=_setting, action="append", default=[], metavar="NAME=VALUE", help="for the app")
    add("--vhd-size", type=int, default=64, metavar="MIB", help="size of the disks that runs make (64)")
    add("--vhd-payload", type=int, default=8, metavar="MIB", help="how much of it holds data (8)")
    add("--vhd-fragment", type=int, metavar="KIB", help="scatter these data in pieces of that size")
    add("--seed", type=int, help="of ids and names, to get the same ones again")
    add("--message-lock", type=float, default=30.0, metavar="SECONDS", help="a dead host's messages (30)")
    add("--first-look", type=float, default=20.0, metavar="SECONDS", help="to wait for it before ready (20)")
    add("--no-restart", action="store_true", help="leave the Functions host dead when it dies")
    return parser


def _speed(text: str) -> float:
    speed = float(text)
    if speed <= 0:
        raise argparse.ArgumentTypeError(f"the speed divides durations, so it must be above 0, not {text}")
    return speed


def _ports(text: str) -> list[tuple[str, int]]:
    return [_port(part) for part in text.split(",") if part]


def _port(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in PORTS or not number.isdecimal() or not int(number) < 65536:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected NAME=NUMBER with a name of {', '.join(PORTS)}, such as arm=8443"
        )
    return name, int(number)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=VALUE")
    return name, value
