"""What is made from what: images put versions into definitions, and images are built from definitions."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from shared.domain.factory import Image
from shared.domain.galleries import DefinitionId
from shared.domain.sources import GallerySource

MOST: Final = 20
"""Cycles that are worth telling at once: there may be exponentially many, and one cut ends many of them."""

_Node = str | DefinitionId
_Ahead = Mapping[_Node, tuple[_Node, ...]]


def cycles(images: Iterable[Image]) -> Iterator[tuple[str, ...]]:
    """Every way round that comes back to where it began, each once: image, definition, image, ...

    A cycle begins with the first of its images, in the order of the alphabet, and ends with it again.
    """
    ordered = sorted(images, key=lambda image: image.name)
    ahead: dict[_Node, tuple[_Node, ...]] = {str(image.name): image.feeds for image in ordered}
    for image in ordered:
        if isinstance(image.source, GallerySource):
            of = image.source.definition
            ahead[of] = (*ahead.get(of, ()), str(image.name))
    for image in ordered:
        for way in _rounds(str(image.name), ahead):
            yield tuple(_said(node) for node in way)


def _rounds(first: str, ahead: _Ahead) -> Iterator[tuple[_Node, ...]]:
    """Only through images that come later in the alphabet, so that each cycle is found from its first."""
    ways: list[tuple[_Node, ...]] = [(first,)]
    while ways:
        way = ways.pop()
        for node in ahead.get(way[-1], ()):
            if node == first:
                yield (*way, node)
            elif _leads_back(node, first, ahead, set(way) - {first}):
                ways.append((*way, node))


def _leads_back(node: _Node, first: str, ahead: _Ahead, passed: set[_Node]) -> bool:
    """Asked before each step: without it, every way through a wide graph would be walked in vain."""
    met, waiting = {*passed}, [node]
    while waiting:
        at = waiting.pop()
        if at == first:
            return True
        if at not in met and (isinstance(at, DefinitionId) or at > first):
            met.add(at)
            waiting += ahead.get(at, ())
    return False


def _said(node: _Node) -> str:
    return node if isinstance(node, str) else f"definition {node.gallery}/{node.name}"
