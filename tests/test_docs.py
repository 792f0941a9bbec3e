"""The pages tell the truth about the code: what can be compared is compared."""

import argparse
import ast
import dataclasses
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from sandbox import console, options
from sandbox.arm.roles import Roles
from sandbox.azure import SUBSCRIPTION
from sandbox.control import orders, seeds
from sandbox.eventgrid.outbox import Disturbance
from sandbox.identity.tokens import FACTORY
from sandbox.provision import FACTORY_ASSIGNMENTS, QUEUES, TABLES
from sandbox.storage.limits import Limits
from sandbox.switches import Switches
from shared import cli, settings
from shared.contracts import schema
from shared.contracts.api.table import OPERATIONS
from shared.domain.events import EventType
from shared.domain.releases import Stage

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
CODE = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name: str) -> Iterator[list[str]]:
    """The cells of every table row of a page."""
    for line in text(name).splitlines():
        if line.startswith("| ") and line.rstrip().endswith("|"):
            yield [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def told(name: str) -> dict[str, list[str]]:
    """Rows by the one word in code that their first cell is."""
    return {cells[0].strip("` "): cells for cells in rows(name) if re.fullmatch(r"`[^`]+`", cells[0])}


def commands(*languages: str) -> Iterator[tuple[str, str]]:
    """Every command line in the pages' code blocks, with the page."""
    for page in PAGES:
        for language, block in re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), re.M | re.S):
            if language in languages:
                for line in block.replace("\\\n", " ").splitlines():
                    yield page.name, line


def test_every_app_setting_is_explained_with_its_default() -> None:
    page = told("docs/settings.md")
    for each in settings._SETTINGS:
        default = page[each.variable][1]
        assert default == f"`{each.default}`" if each.default else "required" in default or not each.required


def test_every_setting_of_the_bindings_is_explained() -> None:
    bound = {name for file in CODE for name in re.findall(r'"%(\w+)%"', file.read_text())}
    assert bound
    assert bound <= told("docs/settings.md").keys()


def test_the_sample_settings_can_be_copied_and_run() -> None:
    """Identity-based, all of them explained, and sound as they are."""
    values = json.loads(text("local.settings.sample.json"))["Values"]
    found = settings.Settings.from_env(values)
    assert found.config == ROOT / "config" / "factory.yaml"
    assert values.keys() <= told("docs/settings.md").keys()
    for prefix in ("AzureWebJobsStorage", "FactoryStorage"):
        kinds = {name.removeprefix(f"{prefix}__") for name in values if name.startswith(prefix)}
        assert kinds == {"blobServiceUri", "queueServiceUri", "tableServiceUri", "credential"}
    assert not re.search(r"AccountKey|SharedAccess|sig=", text("local.settings.sample.json"))


def test_every_option_of_the_configuration_is_explained_with_its_default() -> None:
    page, parts = told("docs/settings.md"), schema.generate()["$defs"]
    prefixes = {"Document": "", "ImagePart": "", "Options": "", "ArchivePart": "archive."}
    prefixes |= {
        "SchedulePart": "schedule.",
        "WindowPart": "window.",
        "LimitsPart": "limits.",
        "TimingPart": "timing.",
    }
    prefixes |= {"DefinitionPart": "", "RingPart": "rings.", "RegionPart": "rings.regions."}
    prefixes |= {"PolicyPart": "gallery_versions.", "TripPart": "trip.", "PatiencePart": "stuck."}
    prefixes |= {"RetentionPart": "retention."}
    for part, prefix in prefixes.items():
        for name, option in parts[part]["properties"].items():
            sections = [key for key in page if key.startswith(f"{name}.")]
            if name != "defaults" and not sections:
                cells = page[prefix + name]
                assert "default" not in option or cells[1] in (_written(option["default"]), _INHERITED), name


_INHERITED: Final = "that of the top level"


def _written(default: object) -> str:
    if isinstance(default, list):
        return ", ".join(f"`{each}`" for each in default)
    return f"`{json.dumps(default)}`".replace('"', "")


def test_every_queue_setting_of_the_host_has_its_reason() -> None:
    page, host = told("docs/settings.md"), json.loads(text("host.json"))
    values = {**host["extensions"]["queues"], "functionTimeout": host["functionTimeout"]}
    for name, value in values.items():
        _, said, _, why = page[name]
        assert said == f"`{value}`", name
        assert len(why) > 40, name


def test_every_published_event_is_told() -> None:
    page = told("docs/events.md")
    assert {each.value for each in EventType} == {name for name in page if name.startswith("ImageFactory.")}
    short = {each.value.removeprefix("ImageFactory.") for each in EventType}
    assert all(f"`{name}`" in text("CHANGELOG.md") for name in short)


def test_the_subscriptions_are_told_as_they_are() -> None:
    page, commands_told = told("docs/events.md"), text("docs/deployment.md")
    for each in json.loads(text("config/event-subscriptions.json"))["subscriptions"]:
        row = " ".join(page[each["name"]])
        filters = [value for part in each["advancedFilters"] for value in (part["key"], *part["values"])]
        for word in (each["function"], *each["includedEventTypes"], *filters):
            assert f"`{word}`" in row
            assert word in commands_told


def actions() -> set[str]:
    return {name.lower() for name in told("docs/roles.md") if name.startswith("Microsoft.")}


def test_the_custom_role_is_exactly_what_the_page_lists() -> None:
    role = json.loads(text("infra/image-factory-role.json"))
    data = re.compile(r"(blob|table|queue)services/|eventgrid/")
    listed = {name for name in actions() if not data.search(name)}
    assert {name.lower() for name in role["Actions"]} == listed


def test_the_roles_that_the_page_asks_for_have_every_action_on_it() -> None:
    """They are those that the sandbox gives the app; see tests/stories/test_roles.py for what it uses."""
    roles, page = Roles(), text("docs/roles.md")
    scopes = []
    for role, scope in FACTORY_ASSIGNMENTS:
        scopes.append(scope.format(subscription=SUBSCRIPTION, group="image-factory"))
        roles.assign(FACTORY, role, scopes[-1])
        assert role in page
    for action in actions():
        assert any(roles.allows(FACTORY, action, at, data) for at in scopes for data in (True, False)), action


def test_the_queues_and_the_table_that_have_to_be_made_are_told() -> None:
    page = text("docs/deployment.md")
    assert f"for queue in {' '.join(sorted(QUEUES, key=lambda name: '-poison' in name))}; do" in page
    assert all(f"az storage table create -n {name} --" in page for name in TABLES)


def words(*names: str) -> Iterator[str]:
    """The literal texts among the arguments of these functions."""
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
                yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


def test_every_word_of_the_journal_and_the_logs_is_explained() -> None:
    said = {
        word
        for word in words(
            *("event", "metric", "save", "_save", "_settle", "_armed", "image_line", "source_line"),
            *(
                "factory_line",
                "version_line",
                "JournalLine",
                "_line",
                "rest",
                "armed",
                "_say",
                "line",
                "_tell",
            ),
        )
        if re.fullmatch(r"[a-z]+(-[a-z]+)*", word)
    }
    explained = set(re.findall(r"`([a-z-]+)`", text("docs/operations.md")))
    units = {"s", "looks", "things"}
    said |= {f"version-{stage.value}" for stage in Stage}
    assert len(said) > 30
    assert said - explained - units == set()


def test_the_command_line_is_told_whole() -> None:
    """Every command stands in the README, and what stands in the pages is understood."""
    parser = cli._parser()
    readme = text("README.md")
    known = _choices(parser)
    assert all(f"python -m shared.cli {name}" in readme for name in known)
    for page, line in commands("", "bash"):
        if (found := re.search(r"python -m shared\.cli ([^#|)]+)", line)) and "[" not in line:
            parser.parse_args(shlex.split(found[1])), page


def test_the_sandbox_understands_what_the_pages_tell_people_to_type() -> None:
    parser = console._parser()
    checks = {
        "/outcomes": orders.Plan, "/marketplace/deprecations": orders.Deprecate, "/roles": orders.Assignment,
        "/limits": Limits, "/events": orders.Disturb, "/seed": seeds.Seed,
        "/replications": orders.Replication,
    }  # fmt: skip
    seen = 0
    for page, line in commands("", "bash"):
        found = re.search(r"python -m sandbox ([^#]+)", line)
        if not found:
            continue
        words_ = shlex.split(found[1].rstrip(")"))
        if words_[0] == "up":
            options.parse(words_[1:])
        elif words_[0] not in ("demo", "conform"):
            given = parser.parse_args(words_)
            if words_[0] == "control" and given.body:
                seen += 1
                if given.path == "/switches":
                    Switches().with_values(json.loads(given.body))
                else:
                    orders.decode(given.body.encode(), checks[given.path])
        assert page
    assert seen > 5
    assert set(orders.Disturb.__struct_fields__) == set(Disturbance.__struct_fields__)


def test_every_switch_is_explained_with_its_default() -> None:
    page = told("docs/sandbox.md")
    for field in dataclasses.fields(Switches):
        default = field.default if isinstance(field.default, str) else json.dumps(field.default)
        assert page[field.name][1] == f"`{default}`", field.name


def test_every_seed_is_told_with_all_its_members() -> None:
    kinds = {name: each.__args__[0] for name, each in seeds.Seed.__annotations__.items()}
    page = {name: cells for cells in rows("docs/sandbox.md") for name in re.findall(r"`(\w+)`", cells[0])}
    for name, kind in kinds.items():
        assert set(re.findall(r"`(\w+)`", page[name][1])) == set(kind.__struct_fields__), name


def _choices(parser: argparse.ArgumentParser) -> list[str]:
    group = next(each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return list(group.choices)


def test_every_make_target_in_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.M))
    used = {name for _, line in commands("", "bash") for name in re.findall(r"^make ([a-z-]+)", line)}
    assert {"demo", "test", "test-long", "lint", "conform", "bench"} <= used <= targets


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
            assert anchor in {_anchor(head) for head in heads}, target


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_nothing_in_the_repository_knows_the_machine_that_it_was_written_on() -> None:
    """No home folders, and no package registry but the one that an installation uses."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    forbidden = re.compile(
        r"(?<![\w.}>$-])/(work|root|Users)/\w|(?<![\w.}>$-])/home/\w|"
        r"registry\.npm" r"js|pypi\.o" r"rg|pythonhos" r"ted"
    )  # fmt: skip
    found = []
    for name in listed.stdout.split("\0"):
        file = ROOT / name
        if name and file.is_file() and name != "tests/test_docs.py":
            content = file.read_text(encoding="utf-8", errors="replace")
            found += [f"{name}: {match[0]}" for match in forbidden.finditer(content)]
    assert found == []


def test_every_operation_of_the_api_is_told_with_its_role() -> None:
    rows = re.findall(
        r"^\| `([A-Z]+) (/\S*)` \| (.+?) \| (?:`([\w.]+)`)? ?\|$", text("docs/api.md"), re.MULTILINE
    )
    wanted = [(o.method, o.path, o.summary, o.role.value if o.role else "") for o in OPERATIONS]
    assert rows == wanted
