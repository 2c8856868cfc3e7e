"""The page of the interface, made of its schema here: it asks for nothing outside."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from heygem_pipeline.studio.texts import texts

_CODE = re.compile("`+([^`]+)`+")


def coded(text: str) -> Markup:
    """The text, with what stands between grave accents as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


METHODS = ("get", "post", "put", "patch", "delete")

_environment = Environment(
    loader=PackageLoader("heygem_pipeline.studio", "templates"), autoescape=True, undefined=StrictUndefined
)


_environment.filters["coded"] = coded


@dataclass(frozen=True)
class Operation:
    """One thing to ask for. body: the name of what is sent. answers: status -> the name of what comes back."""

    method: str
    path: str
    summary: str
    description: str
    tag: str
    parameters: list[Mapping[str, Any]]
    body: str
    answers: Mapping[str, str]


def documentation(schema: Mapping[str, Any], language: str) -> Response:
    """The page."""
    by_tag: dict[str, list[Operation]] = {}
    for operation in _operations(schema):
        by_tag.setdefault(operation.tag, []).append(operation)
    page = _environment.get_template("http_api.html").render(
        t=texts(language),
        language=language,
        about=schema["info"],
        groups=by_tag,
        schemas={
            name: {"description": one.get("description", ""), "fields": list(_fields(one))}
            for name, one in sorted(schema["components"]["schemas"].items())
            if "properties" in one
        },
    )
    return HTMLResponse(page)


def _operations(schema: Mapping[str, Any]) -> Iterator[Operation]:
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                one = methods[method]
                yield Operation(
                    method=method.upper(),
                    path=path,
                    summary=one.get("summary", ""),
                    description=one.get("description", ""),
                    tag=one["tags"][0],
                    parameters=one.get("parameters", []),
                    body=_content(one.get("requestBody", {})),
                    answers={status: _content(of) for status, of in one["responses"].items() if status.isdigit()},
                )


def _content(holder: Mapping[str, Any]) -> str:
    for media_type, content in holder.get("content", {}).items():
        named = shape(content.get("schema", {}))
        return named if media_type == "application/json" else media_type
    return ""


def shape(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: ``Batch``, ``list of Clip``, ``string or null``."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(shape(one) for one in schema[several])
    if schema.get("type") == "array":
        return f"[{shape(schema.get('items', {}))}]"
    return str(schema.get("const", schema.get("type", "any")))


def _fields(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    needed = schema.get("required", ())
    for name, one in schema["properties"].items():
        yield {
            "name": name,
            "shape": shape(one),
            "needed": name in needed,
            "about": one.get("description", ""),
        }
