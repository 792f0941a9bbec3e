"""Which use case works off which look."""

from collections.abc import Callable

from shared.domain.errors import Invalid
from shared.domain.factory import Factory
from shared.domain.looks import Lane, Look, Thing
from shared.ports import Outside

from .archive import look_at_output
from .builds import look_at_image
from .sources import look_at_source, tell_images

LOOKS: dict[tuple[Lane, Thing], Callable[[Outside, Factory, Look], None]] = {
    (Lane.SOURCES, Thing.SOURCE): look_at_source,
    (Lane.BUILDS, Thing.SOURCE): tell_images,
    (Lane.BUILDS, Thing.IMAGE): look_at_image,
    (Lane.ARCHIVE, Thing.OUTPUT): look_at_output,
}


def work_off(out: Outside, factory: Factory, look: Look) -> None:
    """Observe, plan and apply. Raises the errors of `domain.errors`."""
    use_case = LOOKS.get((look.lane, look.thing))
    if use_case is None:
        raise Invalid(f"the lane {look.lane.value} does not look at a {look.thing.value}")
    use_case(out, factory, look)
