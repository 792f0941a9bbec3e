"""The functions of an app, indexed by the rules of Microsoft's Python worker.

What that worker would refuse is refused here with its reason, so that an app which runs in the sandbox is one
that a real host can index.
"""

import importlib.util
import inspect
import json
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import azure.functions as func
import msgspec
from azure.functions.meta import get_binding_registry

from sandbox.host.settings import AppSettings, SettingFault

HTTP: Final = "httpTrigger"
TIMER: Final = "timerTrigger"
QUEUE: Final = "queueTrigger"
EVENT_GRID: Final = "eventGridTrigger"
TRIGGERS: Final = (HTTP, TIMER, QUEUE, EVENT_GRID)


class AppFault(Exception):
    """The app cannot be loaded or indexed; the message has one line per fault."""


class Function(msgspec.Struct, frozen=True):
    """One indexed function: what triggers it, and how to call it."""

    name: str
    trigger: str
    binding: Mapping[str, Any]
    parameter: str
    annotation: object
    call: Callable[..., Any]
    is_async: bool
    wants_context: bool


def converter(kind: str) -> Any:
    """Return Microsoft's converter for a binding type; the library knows each by its wire name."""
    return get_binding_registry().get(kind)


def load_functions(folder: Path, settings: AppSettings) -> tuple[Function, ...]:
    """Import the app's entry file and index what it registers; raise `AppFault` if any of it is wrong."""
    entry = settings.get("PYTHON_SCRIPT_FILE_NAME") or "function_app.py"
    module = _import(folder, entry)
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionApp)]
    if len(apps) != 1:
        raise AppFault(f"{entry}: expected one FunctionApp at top level, found {len(apps)}")
    try:
        found = apps[0].get_functions()
    except ValueError as error:  # two functions of one name, a trigger that is missing
        raise AppFault(f"{entry}: {error}") from error
    return index(found, settings)


def index(found: Iterable[Any], settings: AppSettings) -> tuple[Function, ...]:
    functions, faults = [], []
    for each in found:
        try:
            functions.append(_index(each, settings))
        except (AppFault, SettingFault) as error:
            faults.append(f"{each.get_function_name()}: {error}")
    if faults:
        raise AppFault("\n".join(faults))
    return tuple(functions)


def _import(folder: Path, entry: str) -> ModuleType:
    path = folder.resolve() / entry
    if not path.exists():
        raise AppFault(f"{path} does not exist; it is the entry file of the app")
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise AppFault(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the app's import raises, the worker reports it as this
        raise AppFault(f"{entry}: {type(error).__name__}: {error}") from error
    return module


def _index(each: Any, settings: AppSettings) -> Function:
    bindings: list[dict[str, Any]] = json.loads(each.get_function_json())["bindings"]
    triggers = [binding for binding in bindings if binding["type"].endswith("Trigger")]
    if len(triggers) != 1:
        raise AppFault(f"expected exactly one trigger, found {len(triggers)}")
    (trigger,) = triggers
    if trigger["type"] not in TRIGGERS:
        raise AppFault(f"{trigger['type']} does not run here; this host runs {', '.join(TRIGGERS)}")
    for binding in bindings:
        if binding is not trigger and (binding["type"], binding["name"]) != ("http", "$return"):
            raise AppFault(f"the binding {binding['name']!r} ({binding['type']}) does not run in this host")
    if each.get_settings_dict("retry_policy"):
        raise AppFault("retry policies do not run in this host")
    call = each.get_user_function()
    wants_context, annotation = _check_signature(call, trigger, bindings)
    return Function(
        name=each.get_function_name(),
        trigger=trigger["type"],
        binding={
            name: settings.resolve(value) if isinstance(value, str) else value
            for name, value in trigger.items()
        },
        parameter=trigger["name"],
        annotation=annotation,
        call=call,
        is_async=inspect.iscoroutinefunction(call),
        wants_context=wants_context,
    )


def _check_signature(
    call: Callable[..., Any], trigger: Mapping[str, Any], bindings: list[dict[str, Any]]
) -> tuple[bool, object]:
    parameters = dict(inspect.signature(call).parameters)
    hints = typing.get_type_hints(call)
    bound = {binding["name"] for binding in bindings if binding["name"] != "$return"}
    wants_context = "context" in parameters and "context" not in bound
    if wants_context:
        del parameters["context"]
        hint = hints.get("context", func.Context)
        if getattr(hint, "__name__", "") != "Context":
            raise AppFault(f'the "context" parameter must be of type azure.functions.Context, not {hint!r}')
    if extra := set(parameters) - bound:
        raise AppFault(f"parameters without a binding: {', '.join(sorted(extra))}")
    if missing := bound - set(parameters):
        raise AppFault(f"bindings without a parameter: {', '.join(sorted(missing))}")
    annotation = hints.get(trigger["name"])
    _check_input(trigger, annotation)
    _check_return(bindings, hints)
    return wants_context, annotation


def _check_input(trigger: Mapping[str, Any], annotation: object) -> None:
    if annotation is None or (annotation in (str, bytes) and trigger["type"] != TIMER):
        return
    if not isinstance(annotation, type):
        raise AppFault(f"binding {trigger['name']} has invalid non-type annotation {annotation!r}")
    if not converter(trigger["type"]).check_input_type_annotation(annotation):
        raise AppFault(
            f'type of {trigger["name"]} binding "{trigger["type"]}" does not match its Python annotation '
            f'"{annotation.__name__}"'
        )


def _check_return(bindings: list[dict[str, Any]], hints: Mapping[str, object]) -> None:
    output = next((binding["type"] for binding in bindings if binding["name"] == "$return"), None)
    if output is None or "return" not in hints:
        return
    annotation = hints["return"]
    if not isinstance(annotation, type):
        raise AppFault(f"has invalid non-type return annotation {annotation!r}")
    if not converter(output).check_output_type_annotation(annotation):
        raise AppFault(
            f'Python return annotation "{annotation.__name__}" does not match binding type "{output}"'
        )
