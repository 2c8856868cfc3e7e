"""Changing single values of a campaign's file; what somebody wrote around them stays as it is, comments too."""

from collections.abc import Mapping
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node

WIDE = 10**6
"""Columns: a value stays on one line."""


def with_values(text: str, values: Mapping[str, Any]) -> str:
    """The text of a campaign's file with these values for keys of the first level; None takes a key out.

    Raises ValueError where the text is no mapping.
    """
    for key, value in values.items():
        text = _with_value(text, key, value)
    return text


def value_of(text: str, key: str) -> Any:  # noqa: ANN401 - whatever stands there
    """What the text says for a key; None where it says nothing."""
    written = yaml.safe_load(text)
    return written.get(key) if isinstance(written, dict) else None


def _with_value(text: str, key: str, value: Any) -> str:  # noqa: ANN401 - whatever YAML holds
    root = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(root, MappingNode):
        raise ValueError("no mapping")
    if root.flow_style:
        # In braces, as hardly anybody writes it: then as a whole.
        written = {**yaml.safe_load(text), key: value}
        return _dumped({name: one for name, one in written.items() if one is not None}, flow=False)
    place = next(((name, node) for name, node in root.value if name.value == key), None)
    said = None if value is None else _dumped(value, flow=True)
    if place is None:
        return text if said is None else f"{text.rstrip()}\n{key}: {said}\n"
    name, node = place
    begin, end = node.start_mark.index, _end_of(text, node)
    if said is None:
        return text[: name.start_mark.index] + text[end:].lstrip(" ").removeprefix("\n")
    # A block below its key moves up to it.
    head = text[:begin].rstrip() + " " if "\n" in text[name.end_mark.index : begin] else text[:begin]
    return head + said + text[end:]


def _end_of(text: str, node: Node) -> int:
    """Where a value ends; PyYAML says of a block that it ends where the next thing begins."""
    begin, end = node.start_mark.index, node.end_mark.index
    lines = text[begin:end].split("\n")
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        end -= len(lines.pop()) + 1
    return end


def _dumped(value: Any, flow: bool) -> str:  # noqa: ANN401 - whatever YAML holds
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=WIDE, default_flow_style=flow)
    return text.removesuffix("\n").removesuffix("\n...") if flow else text
