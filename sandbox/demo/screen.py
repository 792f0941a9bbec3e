"""What the demo looks like: a table that fills itself on a terminal, plain lines anywhere else."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from sandbox.demo.proof import Archived
from sandbox.demo.releases import Latest
from sandbox.demo.scene import MIB, Scene
from sandbox.demo.steps import STORY, Seen, Step
from sandbox.demo.surface import Line

_QUARTERS: Final = 4
_PLAIN_WIDTH: Final = 110
_HEAD: Final = 12  # the elapsed time, and a mark
_RESOURCE: Final = re.compile(r"/subscriptions/\S+/providers/[^/\s]+")


def console() -> Console:
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


class Timeline:
    """`with` shows the steps while they happen: those that are done stand as lines, those to come below."""

    def __init__(self, out: Console, began: datetime, *stories: Sequence[Step]) -> None:
        self._out = out
        self._steps = [step for story in stories or (STORY,) for step in story]
        self._words = max(len(step.words) for step in self._steps) + 1
        self.began = began
        self._done: set[int] = set()
        self._waiting: tuple[Step, ...] = ()
        self._progress: tuple[int, int] = (0, 0)
        self._spinner = Spinner("dots", style="cyan")
        moving = out.is_terminal and not out.is_dumb_terminal
        self._live = (
            Live(console=out, auto_refresh=False, transient=True, get_renderable=self._to_come)
            if moving
            else None
        )
        self._quarter = 0

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def waits_for(self, *steps: Step) -> None:
        self._waiting = steps

    def refresh(self) -> None:
        if self._live:
            self._live.refresh()

    def progress(self, done: int, total: int) -> None:
        self._progress = (done, total)
        quarter = done * _QUARTERS // total if total else 0
        if self._live is None and self._quarter < quarter < _QUARTERS:
            self._out.print(f"{'':{_HEAD}}{'':<{self._words}} {_copied(done, total)}", style="dim")
        self._quarter = max(self._quarter, quarter)

    def appears(self, scene: Scene, at: datetime) -> None:
        self.begins(scene.version, "appears in the marketplace", at)

    def begins(self, what: str, told: str, at: datetime) -> None:
        """What happens is what follows from this; nobody in the factory has been told."""
        if self._done:
            self._out.print()
        head = f"{self._elapsed(at):>7} s     "
        self._line(Text.assemble(head, (what, "bold"), f" {told}"))

    def has_seen(self, step: Step, seen: Seen) -> None:
        self._done.add(id(step))
        mark = Text("✓ ", style="green") if self._live else Text("  ")
        told = f"{_mib(self._progress[0])} MiB {seen.told}" if step.copying else seen.told
        head = Text(f"{self._elapsed(seen.at):>7} s ")
        self._line(Text.assemble(head, mark, f"{step.words:<{self._words}} ", (told, "dim")))

    def _line(self, line: Text) -> None:
        """Above what is still to come, which moves down; not wider than the terminal."""
        line.rstrip()
        if self._live:
            self._out.print(line, no_wrap=True, overflow="ellipsis")
        else:
            self._out.print(line, soft_wrap=True)

    def _elapsed(self, at: datetime) -> str:
        return f"{max(0.0, (at - self.began).total_seconds()):.1f}"

    def _to_come(self) -> Group:
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(width=9)
        table.add_column(width=1, no_wrap=True)
        table.add_column(width=self._words, no_wrap=True)
        table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
        waiting = [step for step in self._waiting if id(step) not in self._done]
        for step in waiting:
            table.add_row("", self._spinner, Text(step.words, style="cyan"), self._bar(step))
        for step in self._later(waiting):
            table.add_row("", Text("·", style="dim"), Text(step.words, style="dim"), "")
        return Group(table)

    def _later(self, waiting: Sequence[Step]) -> list[Step]:
        """As many of the others as the terminal has room for, and a line for what comes above them."""
        room = max(0, self._out.height - len(waiting) - 2)
        names = {id(step) for step in waiting} | self._done
        return [step for step in self._steps if id(step) not in names][:room]

    def _bar(self, step: Step) -> Table | str:
        done, total = self._progress
        if not step.copying or not total:
            return ""
        bar = Table.grid(padding=(0, 1))
        bar.add_row(ProgressBar(total=total, completed=done, width=36), _copied(done, total))
        return bar


def opening(out: Console) -> None:
    out.print()
    out.print(
        "[bold]Image Factory[/bold]: new marketplace versions become an archived VHD and a released image, "
        "by itself",
        soft_wrap=True,
    )


def started(out: Console, baseline: str, seconds: float) -> None:
    out.print(f"A local Azure and the app are up after {seconds:.1f} s; the factory knows {baseline}.")
    out.print()


def where_latest(out: Console, rows: Sequence[Latest], began: datetime) -> None:
    """What Azure says is latest in which region, and since when: by the timeline, and by the clock."""
    out.print()
    out.print('[bold]Latest[/bold], asked of Azure region by region: what "latest" means, and since when')
    cells = [
        (
            each.definition,
            each.ring,
            each.region,
            each.version,
            f"{(each.since - began).total_seconds():.1f} s",
        )
        for each in rows
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for each, row in zip(rows, cells, strict=True):
        *texts, elapsed = (f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        line = f"  {'  '.join(texts)}  since {elapsed}  ({each.since:%H:%M:%S})"
        out.print(line, markup=False, soft_wrap=True)


def descent(out: Console, lines: Sequence[str], thing: str) -> None:
    """Resource ids are shown without what they all begin with."""
    out.print()
    out.print(f"[bold]Lineage[/bold] of {thing} (python -m shared.cli lineage {thing})")
    for line in lines:
        told = Text(f"  {_RESOURCE.sub('…', line)}")
        if out.is_terminal:
            told.truncate(out.width, overflow="ellipsis")
        out.print(told, soft_wrap=True)


def proven(out: Console, archived: Archived) -> None:
    told = archived.manifest
    verified, times = told["verification"], told["times"]
    out.print()
    out.print("[bold]Read back[/bold] from the archive, and compared with what Image Builder wrote:")
    rows = {
        "made": f"{archived.made_sha256}  SHA-256 of {archived.size:,} bytes",
        "archived": f"{archived.read_sha256}  byte for byte the same",
    }
    facts = {
        "image, version": f"{told['image']} built from {told['sourceVersion']}{_inferred(told)}",
        "VHD": f"{told['vhd']['account']}/{told['vhd']['container']}/{told['vhd']['name']}",
        "size": f"{_mib(archived.size)} MiB, of which {_mib(archived.allocated)} MiB hold data",
        "verified": f"{verified['kind']}, {verified['chunks']} chunks, SHA-256 {verified['sha256'][:16]}…",
        "times": " → ".join(
            _clock(times[name]) for name in ("found", "copyStarted", "copyEnded", "verified")
        ),
    }
    _facts(out, rows)
    out.print()
    out.print("[bold]Manifest[/bold]")
    _facts(out, facts)


def journal(out: Console, lines: Sequence[Line], scene: Scene) -> None:
    out.print()
    out.print(f"[bold]Journal[/bold] of {scene.image} (python -m shared.cli journal)")
    width = max((len(line.what) for line in lines), default=0)
    for line in lines:
        head = f"  {line.at:%H:%M:%S}  {line.what:<{width}}  "
        room = max(20, out.width - len(head)) if out.is_terminal else len(line.why)
        for part in Text(line.why).wrap(out, room):
            out.print(Text(head) + part, soft_wrap=True)
            head = " " * len(head)


def plan(out: Console, title: str, told: str, lines: Sequence[str]) -> None:
    """What retention says: of everything whether it stays, how far its going is, and why."""
    out.print()
    out.print(
        Text.assemble((title, "bold"), f" {told} (python -m shared.cli retention plan)"), soft_wrap=True
    )
    for line in lines:
        out.print(Text(f"  {line}".rstrip()), soft_wrap=True)


def closing(out: Console, seconds: float) -> None:
    out.print()
    out.print(f"[green]✓[/green] All of it as it should be, in {seconds:.0f} s.")


def deviation(out: Console, why: str, hints: Sequence[str]) -> None:
    out.print()
    out.print(Text.assemble(("✗ Not as it should be: ", "bold red"), why), soft_wrap=True)
    for hint in hints:
        out.print(hint, markup=False, soft_wrap=True)


def _facts(out: Console, rows: dict[str, str]) -> None:
    width = max(len(name) for name in rows)
    for name, value in rows.items():
        out.print(f"  {name:<{width}}  {value}", markup=False, soft_wrap=True)


def _copied(done: int, total: int) -> str:
    return f"{_mib(done)} of {_mib(total)} MiB"


def _mib(size: int) -> str:
    return f"{size / MIB:.1f}"


def _clock(moment: Any) -> str:
    with suppress(TypeError, ValueError):
        return f"{datetime.fromisoformat(moment):%H:%M:%S}"
    return "-"


def _inferred(told: dict[str, Any]) -> str:
    return " (inferred)" if told["sourceVersionInferred"] else ""
