"""The demo's judgement: what is missing, out of order or wrong ends it, by name."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from sandbox.clock import WallClock
from sandbox.demo.alarms import Deviation
from sandbox.demo.evidence import Evidence
from sandbox.demo.proof import digest_of
from sandbox.demo.steps import STORY, Seen, Step, called
from sandbox.demo.watch import follow
from sandbox.vhd import make_vhd
from shared.domain.templates import PageRange
from shared.planning import archive as rules

from .parts import call, evidence_of


class Audience:
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def waits_for(self, *steps: Step) -> None: ...

    def progress(self, done: int, total: int) -> None: ...

    def has_seen(self, step: Step, seen: Seen) -> None:
        self.seen.append(step.words)


@pytest.fixture
def evidence() -> Evidence:
    return evidence_of(WallClock(), "ubuntu-22", "22.04.202611010")


def told(evidence: Evidence, story: Sequence[Step]) -> list[str]:
    audience = Audience()
    asyncio.run(follow(evidence, audience, story))
    return audience.seen


def step(path: str) -> Step:
    return Step(f"See {path}", called("arm", "GET", path, 200, ""), patience=timedelta(0))


def test_steps_in_order_are_told_in_order(evidence: Evidence) -> None:
    call(evidence, "/a", 1)
    call(evidence, "/b", 2)
    assert told(evidence, [step("/a"), step("/b")]) == ["See /a", "See /b"]


def test_a_step_that_came_too_early_is_named(evidence: Evidence) -> None:
    call(evidence, "/a", 2)
    call(evidence, "/b", 1)
    with pytest.raises(Deviation, match="'See /b' came before 'See /a'"):
        told(evidence, [step("/a"), step("/b")])


def test_a_step_that_never_comes_is_named(evidence: Evidence) -> None:
    call(evidence, "/a", 1)
    with pytest.raises(Deviation, match="'See /b' did not happen within 0 s"):
        told(evidence, [step("/a"), step("/b")])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda e: call(e, "/secret", 1, status=403), "refused: GET /secret was answered 403"),
        (lambda e: setattr(e.sandbox.host, "starts", 2), "the Functions host died"),
        (lambda e: setattr(e.sandbox.storage.azurite, "alive", lambda: False), "storage emulator died"),
        (lambda e: e.note("ubuntu-22", "run Failed", e.began), "the run of ubuntu-22 ended as Failed"),
        (lambda e: e.note("other", "template Failed", e.began), "other could not be provisioned"),
        (lambda e: e.sandbox.azure.eventgrid.outbox.dead.append({"deadLetterReason": "Busy"}), "Busy"),
    ],
)
def test_what_must_not_happen_ends_the_demo_at_once(evidence: Evidence, wrong: Any, words: str) -> None:
    wrong(evidence)
    patient = Step("See /a", called("arm", "GET", "/a", 200, ""))
    with pytest.raises(Deviation, match=words):
        told(evidence, [patient])


def test_two_stories_go_on_side_by_side(evidence: Evidence) -> None:
    """Each in its own order; what is told is in the order of time."""
    for path, after in (("/a", 1), ("/x", 2), ("/b", 3), ("/y", 4)):
        call(evidence, path, after)
    audience = Audience()
    asyncio.run(follow(evidence, audience, [step("/a"), step("/b")], [step("/x"), step("/y")]))
    assert audience.seen == ["See /a", "See /x", "See /b", "See /y"]


def test_the_story_is_whole() -> None:
    """Sixteen steps, of which one has a bar."""
    assert len(STORY) == 16
    assert [each.words for each in STORY if each.copying] == ["VHD copied"]


def test_a_manifest_s_digest_is_computed_as_the_factory_computes_it() -> None:
    import hashlib

    vhd = make_vhd({"a.txt": b"a"}, size_mib=64, payload_mib=9, seed="x")
    chunks = rules.chunks(iter([PageRange(at, at + len(content)) for at, content in vhd.extents]))
    digests = (hashlib.sha256(vhd.read(chunk.start, chunk.size)).digest() for chunk in chunks)
    assert digest_of(vhd) == rules.digest_of(b"".join(digests))
