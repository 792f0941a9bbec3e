"""The page to read: the API's description as plain HTML, made of the same data, without a script."""

import base64
import functools
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any, Final

import msgspec

from . import openapi
from .operations import ROOT
from .problems import JSON
from .table import BY_ID, OPERATIONS

_STYLE: Final = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
_SEAL: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_SEAL}'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}


@functools.cache
def html(version: str) -> bytes:
    told = openapi.described(version)
    tags = list(dict.fromkeys(o.tag for o in OPERATIONS))
    links = "".join(f'<li><a href="#{_anchor(tag)}">{escape(tag)}</a></li>' for tag in (*tags, "Types"))
    parts = [_tag(tag, told) for tag in tags]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Image Factory API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><header><h1>Image Factory API</h1>
<p class="dim">Version {escape(version)}. The same as <a href="openapi.json">OpenAPI 3.1</a>.</p>
<p>Send a function key as <code>x-functions-key</code>: it counts as <code>Factory.Operate</code>, the
host's master key as <code>Factory.Admin</code>. Behind App Service authentication the app roles of whoever
is signed in count instead. A POST or DELETE may bear an <code>Idempotency-Key</code>: repeated with the same
key it is one request. Errors are problem details (RFC 9457).</p>
<nav aria-label="Parts"><ul>{links}</ul></nav></header>
<main>{"".join(parts)}<h2 id="types">Types</h2>{"".join(_types(told))}</main></body></html>
""".encode()


def _tag(tag: str, told: dict[str, Any]) -> str:
    found = (
        _operation(path, method, operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
        if tag in operation["tags"]
    )
    return f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2>{"".join(found)}'


def _operation(path: str, method: str, told: dict[str, Any]) -> str:
    role = escape(told.get("x-role", "anybody"))
    verb, id = method.upper(), told["operationId"]
    given = [
        (f"<code>{escape(p['name'])}</code>", p["in"], _kind(p["schema"]), escape(p.get("description", "")))
        for p in told["parameters"]
    ]
    answers = [(s, _content(r), _marked(r["description"])) for s, r in told["responses"].items()]
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return f"""<section class="operation" id="{id}"><span class="role">{role}</span>
<h3><span class="method {verb}">{verb}</span> <code>{escape(ROOT + path)}</code></h3>
<p>{escape(told["summary"])}</p>
<pre>{escape(_curl(verb, path, id))}</pre>
{_table(("Parameter", "In", "Form", "What it is"), given)}
{f"<p>Body: {_kind(body)}, may be left out.</p>" if body else ""}
<details><summary>Answers</summary>{_table(("Status", "Body", "When"), answers)}</details></section>"""


def _curl(verb: str, path: str, id: str) -> str:
    """As somebody would type it; with a body where one is taken."""
    operation = BY_ID[id]
    parts = [f"curl -X {verb}" if verb != "GET" else "curl"]
    parts += ['-H "x-functions-key: $KEY"'] if operation.role else []
    parts += ['-H "Idempotency-Key: $(uuidgen)"'] if operation.acts else []
    if operation.body:
        names = ", ".join(f'"{f.encode_name}": "..."' for f in msgspec.structs.fields(operation.body))
        parts += [f"-H 'Content-Type: {JSON}' -d '{{{names}}}'"]
    parts += [f'"https://$APP{ROOT}{path}"']
    return (" \\\n  " if operation.acts else " ").join(parts)


def _types(told: dict[str, Any]) -> Iterator[str]:
    for name, schema in sorted(told["components"]["schemas"].items()):
        rows = [
            (f"<code>{escape(field)}</code>", _kind(part), escape(part.get("description", "")))
            for field, part in schema.get("properties", {}).items()
        ]
        values = f"<p>One of {_kind(schema)}.</p>" if "enum" in schema else ""
        about = f"<p>{_marked(schema.get('description', ''))}</p>"
        table = _table(("Field", "Form", "What it is"), rows)
        yield f'<section class="operation" id="type-{name}"><h3>{name}</h3>{about}{values}{table}</section>'


def _kind(schema: dict[str, Any]) -> str:
    """What a value looks like, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#type-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if "items" in schema:
        return f"list of {_kind(schema['items'])}"
    form = schema.get("format") or schema.get("pattern")
    words = str(schema.get("type", "anything"))
    if "maximum" in schema:
        words += f" {schema.get('minimum', 0)} to {schema['maximum']}"
    return f"{words} <code>{escape(form)}</code>" if form else words


def _content(response: dict[str, Any]) -> str:
    found = [_kind(each["schema"]) for each in response.get("content", {}).values() if each["schema"]]
    return ", ".join(found)


def _marked(text: str) -> str:
    """Words in backquotes are code."""
    return "".join(
        f"<code>{escape(part)}</code>" if i % 2 else escape(part) for i, part in enumerate(text.split("`"))
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    if not lines:
        return ""
    top = "".join(f'<th scope="col">{each}</th>' for each in head)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="table"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _anchor(tag: str) -> str:
    return tag.lower().replace(" ", "-")
