"""What the demo looks like: a table that fills itself on a terminal, plain lines anywhere else."""

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
from sandbox.demo.scene import MIB, Scene
from sandbox.demo.steps import STORY, Seen, Step
from sandbox.demo.surface import Line

_WORDS: Final = max(len(step.words) for step in STORY) + 1
_QUARTERS: Final = 4
_PLAIN_WIDTH: Final = 110


def console() -> Console:
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


class Timeline:
    """`with` shows the steps while they happen."""

    def __init__(self, out: Console, began: datetime, *stories: Sequence[Step]) -> None:
        self._out = out
        self._steps = [step for story in stories or (STORY,) for step in story]
        self._began = began
        self._seen: list[tuple[Step, Seen]] = []
        self._waiting: tuple[Step, ...] = ()
        self._progress: tuple[int, int] = (0, 0)
        self._spinner = Spinner("dots", style="cyan")
        moving = out.is_terminal and not out.is_dumb_terminal
        self._live = Live(console=out, auto_refresh=False, get_renderable=self._table) if moving else None
        self._quarter = 0

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._waiting = ()
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
            self._out.print(f"{'':>9}   {'':<{_WORDS}} {_copied(done, total)}", style="dim")
        self._quarter = max(self._quarter, quarter)

    def has_seen(self, step: Step, seen: Seen) -> None:
        self._seen.append((step, seen))
        if self._live is None:
            line = f"{self._elapsed(seen):>7} s   {step.words:<{_WORDS}} {self._told(step, seen)}"
            self._out.print(line.rstrip(), soft_wrap=True)
        self.refresh()

    def _elapsed(self, seen: Seen) -> str:
        return f"{max(0.0, (seen.at - self._began).total_seconds()):.1f}"

    def _told(self, step: Step, seen: Seen) -> str:
        return f"{_mib(self._progress[0])} MiB {seen.told}" if step.copying else seen.told

    def _table(self) -> Group:
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(justify="right", width=9, no_wrap=True)
        table.add_column(width=1, no_wrap=True)
        table.add_column(width=_WORDS, no_wrap=True)
        table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
        for step, seen in self._seen:
            elapsed = Text(f"{self._elapsed(seen)} s", style="dim")
            table.add_row(
                elapsed, Text("✓", style="green"), step.words, Text(self._told(step, seen), style="dim")
            )
        done = [step for step, _ in self._seen]
        waiting = [step for step in self._waiting if step not in done]
        for step in waiting:
            table.add_row("", self._spinner, Text(step.words, style="cyan"), self._bar(step))
        for step in self._steps:
            if step not in done and step not in waiting:
                table.add_row("", Text("·", style="dim"), Text(step.words, style="dim"), "")
        return Group(table)

    def _bar(self, step: Step) -> Table | str:
        done, total = self._progress
        if not step.copying or not total:
            return ""
        bar = Table.grid(padding=(0, 1))
        bar.add_row(ProgressBar(total=total, completed=done, width=36), _copied(done, total))
        return bar


def opening(out: Console) -> None:
    out.print()
    out.print("[bold]Image Factory[/bold]: a new marketplace version becomes an archived VHD, by itself")


def appears(out: Console, scene: Scene, baseline: str, seconds: float) -> None:
    out.print(f"A local Azure and the app are up after {seconds:.1f} s; the factory knows {baseline}.")
    out.print()
    out.print(f"{'0.0 s':>9}     [bold]{scene.version}[/bold] appears in the marketplace")


def appears_too(out: Console, scene: Scene) -> None:
    out.print()
    out.print(
        "[bold]Next[/bold]: a gallery version crosses three rings, and what is built from it is rebuilt"
    )
    out.print()
    out.print(f"{'0.0 s':>9}     [bold]{scene.version}[/bold] appears in the marketplace")


def where_latest(out: Console, rows: Sequence[tuple[str, str, str, datetime]]) -> None:
    """Definition, region, what Azure says is latest there, and since when."""
    out.print()
    out.print("[bold]Latest[/bold], asked of Azure region by region:")
    widths = [max(len(str(row[column])) for row in rows) for column in range(3)]
    for definition, region, version, since in rows:
        cells = (text.ljust(width) for text, width in zip((definition, region, version), widths, strict=True))
        out.print(f"  {'  '.join(cells)}  since {since:%H:%M:%S}", markup=False, soft_wrap=True)


def descent(out: Console, lines: Sequence[str], thing: str) -> None:
    out.print()
    out.print(f"[bold]Lineage[/bold] of {thing} (python -m shared.cli lineage {thing})")
    for line in lines:
        told = Text(f"  {line}")
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
