"""Expressions of a deployment template, computed: parameters, variables, functions, and where it lives.

What would need Azure, or would come out differently each time, is refused with what to write in its place.
A template may refer to itself, or grow without end; both are refused as well.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.contracts.faults import nearest

from .azure import PLACES, RESOURCE_IDS, Place, resource_id
from .functions import ANY, FUNCTIONS, text
from .parts import DEEPEST, LARGEST, Context, Unevaluable, kind, show
from .syntax import Access, Call, Literal, Node, is_expression, parse, unescaped

_MOST_STEPS: Final = 5_000
_PART: Final = 20
"""Characters that a part of a list or an object counts for."""
_EACH_TIME: Final = "is another at every deployment; write a fixed value in its place"
_NEEDS_AZURE: Final = "can be answered by Azure alone; write the value in its place"
_REFUSED: Final = {
    "newguid": _EACH_TIME,
    "utcnow": _EACH_TIME,
    "deployment": _EACH_TIME,
    "uniquestring": "is computed in a way that only Azure knows; write a fixed name in its place",
    "guid": "is computed in a way that only Azure knows; write a fixed name in its place",
    "reference": _NEEDS_AZURE,
    "environment": _NEEDS_AZURE,
    "getsecret": _NEEDS_AZURE,
    "pickzones": _NEEDS_AZURE,
    "providers": _NEEDS_AZURE,
    "copyindex": "counts copies of a loop; write the image template without copy",
}
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "int": (int,),
    "bool": (bool,),
    "object": (dict,),
    "array": (list,),
}
_ABSENT: Final = object()


class Scope:
    """The parameters and variables of one template, each computed when it is first asked for."""

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, Any], context: Context) -> None:
        self._parameters = members(template.get("parameters"))
        self._variables = members(template.get("variables"))
        self._given = members(given)
        self._context = context
        self._known: dict[str, Any] = {}
        self._under_way: list[str] = []
        self._steps = 0
        self._depth = 0

    def value(self, expression: str) -> Any:
        """Raises Unevaluable."""
        found = self._evaluate(parse(expression))
        if isinstance(found, Place):
            raise Unevaluable(f"{found.name}() alone; expected one of its members, such as {found.name}().id")
        return found

    def _evaluate(self, node: Node) -> Any:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise Unevaluable(f"more than {_MOST_STEPS:,} steps to compute it")
        if isinstance(node, Literal):
            return node.value
        self._deeper()
        try:
            if isinstance(node, Access):
                return self._member(self._evaluate(node.of), self._evaluate(node.key))
            return _limited(self._call(node))
        finally:
            self._depth -= 1

    def _member(self, of: Any, key: Any) -> Any:
        if isinstance(of, Place):
            return of.member(text(key))
        if isinstance(of, dict) and isinstance(key, str):
            found = members(of).get(key.lower(), _ABSENT)
            if found is _ABSENT:
                near = nearest(key, of)
                raise Unevaluable(
                    f"no member {key} in {show(of, 60)}{f'; did you mean {near}?' if near else ''}"
                )
            return found
        if isinstance(of, list) and isinstance(key, int) and not isinstance(key, bool):
            if not 0 <= key < len(of):
                raise Unevaluable(f"element {key} of a list of {len(of)}")
            return of[key]
        raise Unevaluable(f"member {show(key, 60)} of {kind(of)}; expected an object, or a list and a number")

    def _call(self, call: Call) -> Any:
        name = call.name.lower()
        if name in _REFUSED or name.startswith("list"):
            raise Unevaluable(f"{call.name}() {_REFUSED.get(name, _NEEDS_AZURE)}")
        own = {"if": self._either, "parameters": self._parameter, "variables": self._variable}
        if name in own:
            _count(call, 3 if name == "if" else 1, 3 if name == "if" else 1)
            return own[name](call)
        if name in PLACES:
            _count(call, 0, 0)
            return PLACES[name](self._context)
        arguments = [self._evaluate(each) for each in call.arguments]
        if any(isinstance(each, Place) for each in arguments):
            raise Unevaluable(f"{call.name}() of a whole subscription or group; expected one of its members")
        if name in RESOURCE_IDS:
            _count(call, 2, ANY)
            return resource_id(call.name, [text(each) for each in arguments], self._context)
        known = FUNCTIONS.get(name)
        if known is None:
            near = nearest(call.name, FUNCTIONS)
            raise Unevaluable(f"{call.name}() is not known{f'; did you mean {near}?' if near else ''}")
        _count(call, known.least, known.most)
        try:
            return known.act(*arguments)
        except Unevaluable as error:
            raise Unevaluable(f"{call.name}(): {error}") from None

    def _either(self, call: Call) -> Any:
        """Only the branch that is taken counts."""
        asked = self._evaluate(call.arguments[0])
        if not isinstance(asked, bool):
            raise Unevaluable(f"if(): {kind(asked)}; expected true or false")
        return self._evaluate(call.arguments[1 if asked else 2])

    def _parameter(self, call: Call) -> Any:
        name = text(self._evaluate(call.arguments[0]))
        declared = self._parameters.get(name.lower())
        if not isinstance(declared, dict):
            near = nearest(name, self._parameters)
            hint = f"; did you mean {near}?" if near else ""
            raise Unevaluable(f"parameter {name} is not declared{hint}")
        return self._once(f"parameter {name}", lambda: self._chosen(name, declared))

    def _chosen(self, name: str, declared: dict[str, Any]) -> Any:
        declared, sort = members(declared), str(declared.get("type", "")).lower()
        if sort.startswith("secure"):
            raise Unevaluable(f"parameter {name} is a {declared['type']}; template files hold no secrets")
        given = self._given.get(name.lower())
        if isinstance(given, dict) and "value" in given:
            value = given["value"]
        elif given is not None:
            raise Unevaluable(f"parameter {name} is kept in a key vault; template files hold no secrets")
        elif "defaultvalue" not in declared:
            expected = "expected a defaultValue, or a value in the parameter file (NAME.parameters.json)"
            raise Unevaluable(f"parameter {name} has no value; {expected}")
        else:
            value = self._computed(declared["defaultvalue"])
        if not _fits(value, _TYPES.get(sort)):
            raise Unevaluable(f"parameter {name} is {kind(value)}; expected {declared['type']}, as declared")
        allowed = declared.get("allowedvalues")
        if isinstance(allowed, list) and value not in allowed:
            raise Unevaluable(f"parameter {name} is {show(value, 60)}; expected one of {show(allowed)}")
        return value

    def _variable(self, call: Call) -> Any:
        name = text(self._evaluate(call.arguments[0]))
        if name.lower() not in self._variables:
            near = nearest(name, self._variables)
            raise Unevaluable(f"variable {name} is not declared{f'; did you mean {near}?' if near else ''}")
        return self._once(f"variable {name}", lambda: self._computed(self._variables[name.lower()]))

    def _once(self, what: str, compute: Any) -> Any:
        key = what.lower()
        if key in self._under_way:
            raise Unevaluable(f"{what} refers to itself")
        if key not in self._known:
            self._under_way.append(key)
            try:
                self._known[key] = compute()
            finally:
                self._under_way.pop()
        return self._known[key]

    def _computed(self, value: Any) -> Any:
        """A part of the template with every expression in it."""
        if isinstance(value, str):
            return self.value(value) if is_expression(value) else unescaped(value)
        self._deeper()
        try:
            if isinstance(value, dict):
                if "copy" in value:
                    raise Unevaluable("a copy loop; write its elements one by one")
                return {text(self._computed(name)): self._computed(each) for name, each in value.items()}
            return [self._computed(each) for each in value] if isinstance(value, list) else value
        finally:
            self._depth -= 1

    def _deeper(self) -> None:
        if self._depth >= DEEPEST:
            raise Unevaluable(f"nested more than {DEEPEST} deep")
        self._depth += 1


def members(value: Any) -> dict[str, Any]:
    """Names count in any case, as they do for Resource Manager."""
    return {name.lower(): each for name, each in value.items()} if isinstance(value, Mapping) else {}


def _count(call: Call, least: int, most: int) -> None:
    if not least <= len(call.arguments) <= most:
        expected = (
            str(least) if least == most else f"{least} or more" if most == ANY else f"{least} to {most}"
        )
        raise Unevaluable(f"{call.name}() with {len(call.arguments)} argument(s); expected {expected}")


def _fits(value: Any, types: tuple[type, ...] | None) -> bool:
    """True is no whole number."""
    return types is None or (isinstance(value, types) and (not isinstance(value, bool) or bool in types))


def _limited(value: Any) -> Any:
    """Each part counts, and a number as much as Resource Manager can hold of it."""
    if _left(value, LARGEST, DEEPEST) < 0:
        raise Unevaluable(f"a value of more than {LARGEST:,} characters, or nested more than {DEEPEST} deep")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise Unevaluable(f"{value} is a number of more than 64 bits")
    return value


def _left(value: Any, left: int, depth: int) -> int:
    """What is left of the measure; below zero once it is used up."""
    left = left - len(value) if isinstance(value, str) else left - _PART if depth else -1
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in within:
        if left < 0:
            break
        left = _left(each, left, depth - 1)
    return left
