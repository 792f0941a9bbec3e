"""The Functions host of the sandbox: a process of its own that runs the app as Azure's would."""

from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run `python -m sandbox host …`; return the exit status."""
    # imported here, since the rest of the sandbox needs neither azure.functions nor the storage SDK
    from sandbox.host.program import run

    return run(argv)
