"""`python -m sandbox`: up, host, conform, and the clients of a running sandbox."""

import importlib
import signal
import sys
from collections.abc import Sequence
from typing import Final

from sandbox import leash

# Imported when needed: the host must not pay for the world, nor a token for either.
_PROGRAMS: Final = {
    "up": ("sandbox.up", "start a local Azure and the app on it"),
    "demo": ("sandbox.demo", "a new version becomes an archived VHD, before your eyes"),
    "retention-plan": (
        "sandbox.demo.plan",
        "what retention would do, of a running sandbox or the demo's world",
    ),
    "conform": ("sandbox.conform", "play recordings of Azure against the sandbox"),
    "host": ("sandbox.host.program", "run the app; or status, kill, start, stop, restart of a running one"),
    "new-version": ("sandbox.console", "let a new marketplace version appear"),
    "fault": ("sandbox.console", "let requests fail"),
    "calls": ("sandbox.console", "list the requests that the sandbox answered"),
    "token": ("sandbox.console", "print a token"),
    "state": ("sandbox.console", "show what is going on"),
    "galleries": ("sandbox.console", "list the gallery versions and where they are"),
    "control": ("sandbox.console", "send any order to the control endpoint"),
}


def main(argv: Sequence[str]) -> int:
    if not argv or argv[0] not in _PROGRAMS:
        print("usage: python -m sandbox COMMAND … (COMMAND --help tells more)\n")
        print("\n".join(f"  {name:<15} {text}" for name, (_, text) in _PROGRAMS.items()))
        return 0 if argv and argv[0] in ("-h", "--help", "help") else 2
    leash.hold()
    module = _PROGRAMS[argv[0]][0]
    if argv[0] == "host" and len(argv) > 1 and not argv[1].startswith("-"):
        module = "sandbox.console"
    own = argv if module == "sandbox.console" else argv[1:]
    status: int = importlib.import_module(module).run(own)
    return status


if __name__ == "__main__":
    # A shell starts what it runs in the background with this signal ignored, and so it is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:  # as under `| head`
        sys.stderr.close()
        sys.exit(1)
