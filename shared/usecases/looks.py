"""Which use case works off which look. Each is imported by the first look that needs it.

Importing the app must stay cheap: a worker that starts for a look at a source has no use for the archive.
"""

from collections.abc import Callable

from shared.domain.errors import Invalid
from shared.domain.factory import Factory
from shared.domain.looks import Lane, Look, Thing
from shared.ports import Outside


def work_off(out: Outside, factory: Factory, look: Look) -> None:
    """Observe, plan and apply. Raises the errors of `domain.errors`."""
    use_case = LOOKS.get((look.lane, look.thing))
    if use_case is None:
        raise Invalid(f"the lane {look.lane.value} does not look at a {look.thing.value}")
    use_case(out, factory, look)


def _source(out: Outside, factory: Factory, look: Look) -> None:
    from .sources import look_at_source

    look_at_source(out, factory, look)


def _images_of_source(out: Outside, factory: Factory, look: Look) -> None:
    from .sources import tell_images

    tell_images(out, factory, look)


def _image(out: Outside, factory: Factory, look: Look) -> None:
    from .builds import look_at_image

    look_at_image(out, factory, look)


def _output(out: Outside, factory: Factory, look: Look) -> None:
    from .archive import look_at_output

    look_at_output(out, factory, look)


def _version(out: Outside, factory: Factory, look: Look) -> None:
    from .releases import look_at_version

    look_at_version(out, factory, look)


def _retiring(out: Outside, factory: Factory, look: Look) -> None:
    from .retention import look_at_thing

    look_at_thing(out, factory, look)


LOOKS: dict[tuple[Lane, Thing], Callable[[Outside, Factory, Look], None]] = {
    (Lane.SOURCES, Thing.SOURCE): _source,
    (Lane.BUILDS, Thing.SOURCE): _images_of_source,
    (Lane.BUILDS, Thing.IMAGE): _image,
    (Lane.ARCHIVE, Thing.OUTPUT): _output,
    (Lane.RELEASES, Thing.VERSION): _version,
    (Lane.RETENTION, Thing.RETIRING): _retiring,
}
