"""Every place of the API where a caller may put a text: parameters, path parts, body fields."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import FastAPI

Json = dict[str, Any]
KNOWN = {
    "school": "no1",
    "link": "c301",
    "scope": "binhai/east/no1",
    "incident": "i-1",
    "reason": "a reason",
    "retry": "retry-0001",
    "plan": "ab" * 32,
    "intent": "port.renegotiate",
    "first": "2026-09-01",
    "last": "2026-09-02",
    "month": "2026-09",
    "version": "1",
    "word": "comment",
    "start": "2027-01-01T00:00:00Z",
    "end": "2027-01-02T00:00:00Z",
    "valid_from": "2026-01-01T00:00:00Z",
    "valid_to": "2027-01-01T00:00:00Z",
    "phone": "",
    "email": "",
    "state": "open",
    "machine": "agent:no1",
    "serial": "0a",
}


@dataclass(frozen=True)
class Place:
    """One text of one operation."""

    method: str
    path: str
    kind: str
    """``query``, ``path``, ``body``."""
    name: str
    others: Mapping[str, str]
    """Values of the path's other parts."""
    body: Json | None
    form: bool = False
    """The body is what a page's form sends, not JSON."""

    @property
    def content_type(self) -> bytes:
        """Of the body."""
        return b"application/x-www-form-urlencoded" if self.form else b"application/json"

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.kind} {self.name}"

    def request(self, text: str) -> tuple[bytes, bytes]:
        """Raw target and body with ``text`` in its place."""
        parts = dict(self.others)
        query, body = "", copy.deepcopy(self.body)
        told = quote(text.encode("utf-8", "surrogatepass"), safe="")
        if self.kind == "path":
            parts[self.name] = told
        elif self.kind == "query":
            query = f"?{quote(self.name)}={told}"
        elif body is not None:
            _put(body, self.name, text)
        target = self.path
        for name, value in parts.items():
            target = target.replace("{" + name + "}", value).replace("{" + name + ":path}", value)
        if body is None:
            data = b""
        elif self.form:
            data = urlencode(body, doseq=True, errors="surrogatepass").encode()
        else:
            data = json.dumps(body).encode()
        return (target + query).encode("latin-1"), data


def places(openapi: Json, there: Mapping[str, str] | None = None) -> Iterator[Place]:
    """All of them; ``there`` names what exists, by the path's parts."""
    known = KNOWN | dict(there or {})
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            parameters = [_resolved(one, openapi) for one in operation.get("parameters", ())]
            in_path = [one["name"] for one in parameters if one["in"] == "path"]
            body = _body(operation, openapi)
            for name, value in {"incident": known["incident"], "link": "no1/c301"}.items():
                if body is not None and name in body:
                    body[name] = value
            for one in parameters:
                if one["in"] not in {"path", "query"}:
                    continue
                others = {name: known.get(name, "x-1") for name in in_path if name != one["name"]}
                yield Place(method.upper(), path, one["in"], one["name"], others, body)
            parts = {name: known.get(name, "x-1") for name in in_path}
            for name in _texts(body or {}):
                yield Place(method.upper(), path, "body", name, parts, body)


def pages(
    app: FastAPI, there: Mapping[str, str], queries: Mapping[str, set[str]]
) -> Iterator[Place]:
    """The same of what the description leaves out: pages, their forms, files.

    ``queries``: what a page reads of its address without declaring it, by path.
    """
    described = app.openapi()["paths"]
    known = KNOWN | dict(there)
    for method, path, route in routes(app):
        if path in described or method not in {"GET", "POST"}:
            continue
        in_path = [one.removesuffix(":path") for one in re.findall(r"{([^}]*)}", path)]
        parts = {name: known.get(name, "x-1") for name in in_path}
        asked = set(queries.get(path, ()))
        fields: Json = {}
        for needed in _dependants(getattr(route, "dependant", None)):
            asked |= {one.alias for one in needed.query_params}
            fields |= {one.alias: known.get(one.alias, "x-1") for one in needed.body_params}
        for name in in_path:
            others = {one: value for one, value in parts.items() if one != name}
            yield Place(method, path, "path", name, others, fields or None, form=True)
        for name in sorted(asked):
            yield Place(method, path, "query", name, parts, fields or None, form=True)
        for name in fields:
            yield Place(method, path, "body", name, parts, fields or None, form=True)


def _dependants(dependant: Any) -> Iterator[Any]:
    if dependant is not None:
        yield dependant
        for one in dependant.dependencies:
            yield from _dependants(one)


def routes(app: FastAPI) -> Iterator[tuple[str, str, Any]]:
    """Method, path template and route of every route there is, those outside OpenAPI as well."""
    found: dict[tuple[str, str], Any] = {}

    def walk(those: Any, prefix: str) -> None:
        for route in those:
            if hasattr(route, "original_router"):  # FastAPI keeps included routers as they are
                walk(route.original_router.routes, prefix + route.include_context.prefix)
            elif getattr(route, "methods", None):
                found.update({(method, prefix + route.path): route for method in route.methods})

    walk(app.routes, "")
    for (method, path), route in sorted(found.items(), key=lambda one: one[0]):
        yield method, path, route


def _resolved(schema: Json, openapi: Json) -> Json:
    while "$ref" in schema:
        found: Any = openapi
        for part in schema["$ref"].split("/")[1:]:
            found = found[part]
        schema = found
    return schema


def _body(operation: Json, openapi: Json) -> Json | None:
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is None:
        return None
    made = _example(_resolved(schema, openapi), openapi, "")
    return made if isinstance(made, dict) else {}


def _example(schema: Json, openapi: Json, name: str) -> Any:
    """Something of the schema's shape with all of its fields."""
    schema = _resolved(schema, openapi)
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], openapi, name)
    if "enum" in schema or "const" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        fields = schema["properties"]
        return {one: _example(inner, openapi, one) for one, inner in fields.items()}
    if kind == "array":
        return [_example(schema.get("items", {}), openapi, name)]
    plain = {
        "object": {"port": "GE1"},
        "integer": max(1, int(schema.get("minimum", 1))),
        "number": 1.0,
        "boolean": False,
    }
    return plain.get(str(kind), KNOWN.get(name, "x-1"))


def _texts(body: Json, before: str = "") -> Iterator[str]:
    """Dotted names of the texts in a body, lists and inner objects included."""
    for name, value in body.items():
        if isinstance(value, dict):
            yield from _texts(value, f"{before}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield from _texts(value[0], f"{before}{name}.0.")
        else:
            yield f"{before}{name}"


def _put(body: Any, dotted: str, text: str) -> None:
    *way, last = dotted.split(".")
    for part in way:
        body = body[int(part)] if part.isdigit() else body[part]
    body[last] = [text] if isinstance(body[last], list) else text
