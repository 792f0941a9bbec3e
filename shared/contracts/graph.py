"""What is made from what: images put versions into definitions, and images are built from definitions."""

from collections.abc import Iterable, Iterator

from shared.domain.factory import Image
from shared.domain.galleries import DefinitionId
from shared.domain.sources import GallerySource


def cycles(images: Iterable[Image]) -> Iterator[tuple[str, ...]]:
    """Every way round that comes back to where it began, each once: image, definition, image, ...

    A cycle begins with the first of its images, in the order of the alphabet, and ends with it again.
    """
    by_name = {image.name: image for image in sorted(images, key=lambda image: image.name)}
    made_from: dict[DefinitionId, list[str]] = {
        of: [str(i.name) for i in by_name.values() if _source(i) == of]
        for image in by_name.values()
        for of in image.feeds
    }
    for first in by_name:
        yield from _round(first, (first,), {n: i.feeds for n, i in by_name.items()}, made_from)


def _round(
    first: str,
    way: tuple[str, ...],
    feeds: dict[str, tuple[DefinitionId, ...]],
    made_from: dict[DefinitionId, list[str]],
) -> Iterator[tuple[str, ...]]:
    """Only through images that come later in the alphabet, so that each cycle is found from its first."""
    for definition in feeds[way[-1]]:
        for image in made_from.get(definition, ()):
            step = f"definition {definition.gallery}/{definition.name}"
            if image == first:
                yield (*way, step, image)
            elif image > first and image not in way:
                yield from _round(first, (*way, step, image), feeds, made_from)


def _source(image: Image) -> DefinitionId | None:
    return image.source.definition if isinstance(image.source, GallerySource) else None
