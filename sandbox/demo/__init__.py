"""`make demo`: the whole way of images, from new versions to an archived VHD and to released ones, to watch.

Nothing in here takes part in it: the factory does it all by itself, and the demo looks on and checks.
"""

from sandbox.demo.main import run

__all__ = ["run"]
