"""`make demo`: the whole way of one image, from a new marketplace version to an archived VHD, to watch.

Nothing in here takes part in it: the factory does it all by itself, and the demo looks on and checks.
"""

from sandbox.demo.main import run

__all__ = ["run"]
