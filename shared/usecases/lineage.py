"""Where something comes from, and what was made of it: source version, template, run, artifacts, regions.

All of it is read from the ledger, so that it is known long after Azure has forgotten the template.
"""

from collections.abc import Iterator

import msgspec

from shared.domain import keys
from shared.domain.errors import Invalid, Unknown
from shared.domain.factory import Factory
from shared.domain.galleries import DefinitionId
from shared.domain.records import OutputRecord, RunRecord
from shared.domain.releases import Definition, RegionRecord, ReleaseRecord
from shared.domain.versions import Version
from shared.ports import Outside

from .descent import descents, outputs, version_of


class Node(msgspec.Struct, frozen=True):
    """One thing, what is told of it, and what hangs on it."""

    kind: str
    """`source`, `template`, `run`, `version`, `vhd`, `managed image` or `region`."""
    name: str
    told: str = ""
    children: tuple["Node", ...] = ()


class Lineage(msgspec.Struct, frozen=True):
    """`ancestors` nearest first; `of` is the thing with all that was made from it."""

    ancestors: tuple[Node, ...]
    of: Node


def lineage(out: Outside, factory: Factory, thing: str) -> Lineage:
    """Of `definition/version`, of `image/run`, or of `publisher:offer:sku:version`. Raises Unknown."""
    root, _, text = thing.rpartition(":")
    if root.count(":") == 2:
        return Lineage((), _source(out, factory, root.lower(), Version.parse(text)))
    name, _, rest = thing.partition("/")
    if name in factory.definitions and "-" not in rest:
        definition, version = factory.definition(name), Version.parse(rest)
        record = _release(out, definition, version)
        if record is None:
            raise Unknown(f"nothing is recorded of {thing[:200]}; `release list` shows what is")
        run = _run(out, record.image, record.run)
        return Lineage(tuple(_up(out, factory, run)) if run else (), _version(out, factory, record))
    run = _run(out, name, rest)
    if run is None:
        raise Unknown(
            f"nothing is recorded of {thing[:200]!r}; expected definition/version, image/run or "
            "publisher:offer:sku:version"
        )
    return Lineage(tuple(_above(out, factory, run)), _of_run(out, factory, run))


def _up(out: Outside, factory: Factory, run: RunRecord) -> Iterator[Node]:
    """The run and everything above it."""
    yield Node("run", f"{run.image}/{run.start}", f"{run.state.value}: {run.why}")
    yield from _above(out, factory, run)


def _above(out: Outside, factory: Factory, run: RunRecord) -> Iterator[Node]:
    yield Node("template", run.template)
    if run.version is None or not run.source:
        return
    definition = _definition(factory, run.source)
    if definition is None:
        told = "inferred" if run.inferred else ""
        yield Node("source", f"{run.source}:{run.version}", told)
        return
    record = _release(out, definition, run.version)
    told = record.stage.value if record else "not followed by the factory"
    yield Node("version", f"{definition.name}/{run.version}", told + (" (inferred)" if run.inferred else ""))
    parent = _run(out, record.image, record.run) if record else None
    if parent:
        yield from _up(out, factory, parent)


def _source(out: Outside, factory: Factory, root: str, version: Version) -> Node:
    return Node("source", f"{root}:{version}", children=tuple(_made_from(out, factory, root, version)))


def _made_from(out: Outside, factory: Factory, root: str, version: Version) -> Iterator[Node]:
    for row in descents(out, root, version):
        run = _run(out, row.image, row.run)
        if run:
            yield _of_run(out, factory, run)


def _of_run(out: Outside, factory: Factory, run: RunRecord) -> Node:
    made = tuple(_artifact(out, factory, output) for output in outputs(out, run))
    return Node("run", f"{run.image}/{run.start}", f"{run.state.value} in {run.template}", made)


def _artifact(out: Outside, factory: Factory, output: OutputRecord) -> Node:
    id = version_of(output)
    definition = factory.defined(id.definition) if id else None
    if id and definition:
        record = _release(out, definition, Version.parse(id.version))
        return _version(out, factory, record) if record else Node("version", str(id))
    if output.target or output.source:
        return Node("vhd", str(output.target or output.source), f"{output.state.value} {output.name}")
    return Node("version" if id else "managed image", str(output.artifact), output.name)


def _version(out: Outside, factory: Factory, record: ReleaseRecord) -> Node:
    regions = tuple(Node("region", r.name, _standing(r)) for r in record.regions)
    below = tuple(_made_from(out, factory, str(record.id.definition), record.version))
    return Node("version", record.name, f"{record.stage.value}: {record.reason}", (*regions, *below))


def _standing(region: RegionRecord) -> str:
    if region.latest and not region.taken_back:
        return f"latest since {region.latest:%Y-%m-%d %H:%M:%S}"
    if region.replicated:
        return f"replicated since {region.replicated:%Y-%m-%d %H:%M:%S}"
    return region.given_up or "replicating"


def _definition(factory: Factory, root: str) -> Definition | None:
    try:
        return factory.defined(DefinitionId.parse(root))
    except Invalid:
        return None


def _release(out: Outside, definition: Definition, version: Version) -> ReleaseRecord | None:
    held = out.ledger.read(keys.release_key(definition.name, version), ReleaseRecord)
    return held.record if held else None


def _run(out: Outside, image: str | None, start: str | None) -> RunRecord | None:
    if image is None or start is None:
        return None
    held = out.ledger.read(keys.run_key(image, start), RunRecord)
    return held.record if held else None
