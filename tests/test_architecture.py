"""Rules of the design that ruff and import-linter cannot say, or that a per-file exemption lifts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PRODUCT = sorted([ROOT / "function_app.py", *ROOT.glob("shared/**/*.py"), *ROOT.glob("functions/**/*.py")])
PYTHON = sorted(
    [*PRODUCT, *ROOT.glob("sandbox/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("bench/**/*.py")]
)
LARGEST_FILE = 400
LARGEST_FUNCTION = 60

OWNERS = {
    "os.environ": {"shared/settings.py"},
    "os.getenv": set(),
    "datetime.now": {"shared/gateways/clock.py"},
    "datetime.utcnow": set(),
    "date.today": set(),
    "time.time": {"shared/gateways/credential.py"},  # a token's expiry is told in seconds since 1970
}
"""Where the environment is read and time is told; everywhere else both are arguments."""

SECRETS = re.compile(
    r"AccountKey|SharedAccess|SharedKey|DefaultEndpointsProtocol|connection_string|NamedKeyCredential"
    r"|SasCredential|AzureKeyCredential|generate_\w+_sas|[?&]sig=|UseDevelopmentStorage",
    re.IGNORECASE,
)
KNOWS_SECRETS = {"shared/redaction.py"}  # to keep them out of logs it has to know what they look like
SETTINGS = ("host.json", "local.settings.sample.json", "config/**/*", "infra/**/*")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(nodes: ast.AST) -> Iterator[str]:
    """Every module that is imported in there, at the top or not."""
    for node in ast.walk(nodes):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_sdk(module: str) -> bool:
    return module.startswith("azure.") and not module.startswith("azure.functions")


def at_import(nodes: ast.Module) -> ast.Module:
    """What runs when the module is imported: no function's body, and nothing for type checkers alone."""
    kept: list[ast.stmt] = []
    for node in nodes.body:
        checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not checking and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            kept.append(node)
    return ast.Module(kept, [])


def test_environment_and_time_are_told_in_the_rooms_that_own_them() -> None:
    for path in PRODUCT:
        used = {ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        for what, owners in OWNERS.items():
            found = any(each == what or each.endswith(f".{what}") for each in used)
            assert not found or name(path) in owners, f"{what} in {name(path)}, expected in {owners} alone"


def test_azure_sdks_are_imported_in_gateways_alone_and_only_when_used() -> None:
    """A gateway imports its SDK within the method that needs it: a look pays for no more than it uses."""
    for path in PRODUCT:
        nodes = tree(path)
        inside = name(path).startswith("shared/gateways/")
        found = {module for module in imports(at_import(nodes) if inside else nodes) if is_sdk(module)}
        assert not found, f"{name(path)} imports {', '.join(sorted(found))}"


def test_files_and_functions_stay_readable() -> None:
    for path in PYTHON:
        text = path.read_text(encoding="utf-8")
        lines = len(text.splitlines())
        assert lines <= LARGEST_FILE, f"{name(path)} has {lines} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                assert lines <= LARGEST_FUNCTION, f"{node.name} in {name(path)} has {lines} lines"


def test_neither_sources_nor_settings_know_of_keys_connection_strings_and_signatures() -> None:
    settings = [path for pattern in SETTINGS for path in ROOT.glob(pattern) if path.is_file()]
    assert len(settings) > len(SETTINGS)
    for path in (*PRODUCT, *settings):
        if name(path) not in KNOWS_SECRETS:
            found = SECRETS.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{name(path)} mentions {found}"
