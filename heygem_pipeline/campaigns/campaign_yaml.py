"""YAML as campaigns need it: texts, lists and groups of keys, each with its place in the file."""

from dataclasses import dataclass, field
from typing import NoReturn

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from heygem_pipeline.errors import CampaignWrong
from heygem_pipeline.storage.printable import shown

PlainValue = str | list["PlainValue"] | dict[str, "PlainValue"] | None

LARGEST_FILE = 128 * 1024
"""Bytes. A thousand voices, each named with its language, take some 50 kB."""

DEEPEST = 8
"""Levels of nesting; a campaign needs four."""

_IN_QUOTES = 'a value that begins with "{}" must stand in quotes'

_MOSTLY_MEANT = {
    "while scanning an alias": _IN_QUOTES.format("*"),
    "while scanning an anchor": _IN_QUOTES.format("&"),
    "found character '\\t'": "indent with spaces, not with tabs",
    "found character '%'": _IN_QUOTES.format("%"),
    "found character '`'": _IN_QUOTES.format("`"),
    "found character '@'": _IN_QUOTES.format("@"),
    "mapping values are not allowed": 'a key must be indented like the keys beside it, and a text that holds ": " must '
    "stand in quotes",
    "could not find expected ':'": 'a key must be followed by ": "',
    "expected <block end>": "lines that belong together must be indented alike",
    "while scanning a quoted scalar": "a quote is opened here and never closed",
    "expected ',' or ']'": 'a list that begins with "[" needs a comma between its entries and "]" at its end',
    "expected ',' or '}'": 'a group that begins with "{" needs a comma between its keys and "}" at its end',
    "but found another document": "a file holds one campaign, so there may be no second ---",
}
"""PyYAML's words, and what is to be done about them."""

_BEGUN_THERE = ("while scanning an alias", "while scanning an anchor", "while scanning a quoted scalar")
"""Where the beginning is the place to look at, not what follows."""


@dataclass
class Problems:
    """What is wrong with one file."""

    file: str
    _found: list[tuple[int, int, str]] = field(default_factory=list)

    def note(self, place: Node | yaml.Mark | None, sentence: str) -> None:
        """Add a problem at a node or mark; None is the beginning of the file."""
        mark = place.start_mark if isinstance(place, Node) else place
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        self._found.append((line, column, sentence))

    def note_at(self, text_before: str, sentence: str) -> None:
        """Add a problem behind the beginning of the file."""
        lines = text_before.split("\n")
        self._found.append((len(lines), len(lines[-1]) + 1, sentence))

    def raise_any(self) -> None:
        """Raise CampaignWrong if there are any."""
        if self._found:
            raise self.as_error()

    def as_error(self) -> CampaignWrong:
        """All of them, in the order of their lines."""
        return CampaignWrong([self._sentence(*problem) for problem in sorted(set(self._found))])

    def _sentence(self, line: int, column: int, what: str) -> str:
        end = "" if what.endswith("?") else "."
        return f"{shown(self.file)}, line {line}, column {column}: {what}{end}"


class _Reader(yaml.BaseLoader):
    """Composes nodes. Plain values stay text: to YAML 1.1 the label ``off`` and the language ``no`` are booleans."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Node | None, index: object) -> Node | None:
        """Refuse what a campaign does not need and a few bytes could make endless: references, types, nesting."""
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            _refuse(event, _MOSTLY_MEANT["while scanning an alias"])
        if getattr(event, "anchor", None):
            _refuse(event, _MOSTLY_MEANT["while scanning an anchor"])
        if getattr(event, "tag", None):
            _refuse(event, _IN_QUOTES.format("!"))
        if self._depth == DEEPEST:
            _refuse(event, "this is nested too deeply for a campaign")
        self._depth += 1
        node = super().compose_node(parent, index)  # pyright: ignore[reportArgumentType]
        self._depth -= 1
        return node


def _refuse(event: yaml.Event, sentence: str) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=sentence, problem_mark=event.start_mark)


def compose(content: bytes, problems: Problems) -> MappingNode:
    """Return the node of the file's keys. Raises CampaignWrong where there is none."""
    if len(content) > LARGEST_FILE:
        problems.note(None, f"this is larger than {LARGEST_FILE // 1024} kB, too large for a campaign")
        raise problems.as_error()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.note_at(content[: error.start].decode("utf-8-sig", "replace"), "this is not UTF-8; save it as UTF-8")
        raise problems.as_error() from error
    node = _compose_text(text, problems)
    if node is None:
        problems.note(None, 'the file is empty; it should name at least "voices" and "presenters"')
    elif not isinstance(node, MappingNode):
        problems.note(node, 'the file should begin with a key, such as "voices:"')
    else:
        return node
    raise problems.as_error()


def _compose_text(text: str, problems: Problems) -> Node | None:
    reader = None
    try:
        reader = _Reader(text)
        return reader.get_single_node()
    except yaml.MarkedYAMLError as error:
        begun_there = error.context in _BEGUN_THERE
        problems.note(error.context_mark if begun_there else error.problem_mark, _syntax_sentence(error))
    except yaml.reader.ReaderError as error:
        problems.note_at(text[: error.position], "there is a control character here; remove it")
    except (ValueError, OverflowError):
        # PyYAML hands numbers of escapes and of the %YAML line to chr() and int() unseen.
        problems.note(reader.get_mark() if reader else None, "this number is too large")
    raise problems.as_error()


def _syntax_sentence(error: yaml.MarkedYAMLError) -> str:
    said = f"{error.context or ''} {error.problem or ''}"
    meant = next((sentence for words, sentence in _MOSTLY_MEANT.items() if words in said), None)
    return meant or (shown(error.problem) if error.problem else "this is no YAML")


def plain_values(root: MappingNode, problems: Problems) -> dict[str, PlainValue]:
    """Return texts, lists and dicts, None where nothing is written; note keys that stand twice or are no word."""
    values: dict[str, PlainValue] = {}
    places: dict[str, Node] = {}
    for key, value in root.value:
        name = _text(key, problems) if isinstance(key, ScalarNode) else ""
        if not name:
            problems.note(key, "a key should be one word")
        elif name in values:
            first = places[name].start_mark.line + 1
            problems.note(key, f'"{shown(name)}" stands here a second time; the first is in line {first}')
        else:
            places[name] = key
            values[name] = _plain_value(value, problems)
    return values


def _plain_value(node: Node, problems: Problems) -> PlainValue:
    if isinstance(node, MappingNode):
        return plain_values(node, problems)
    if isinstance(node, SequenceNode):
        return [_plain_value(entry, problems) for entry in node.value]
    if not isinstance(node, ScalarNode) or (not node.value and node.style is None):
        return None
    return _text(node, problems)


def _text(node: ScalarNode, problems: Problems) -> str:
    """What is written; half characters, which only an escape such as "\\ud800" can write, are noted and replaced."""
    whole = node.value.encode("utf-8", "replace").decode()
    if whole != node.value:
        problems.note(node, "there is a broken character here")
    return whole


def place_of(location: tuple[int | str, ...], root: Node, of_key: bool = False) -> Node:
    """Return the node a path of keys and positions leads to, or the last one on the way; of_key: its key's."""
    node: Node = root
    for position, step in enumerate(location, start=1):
        if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        elif isinstance(node, MappingNode):
            found = next(((k, v) for k, v in node.value if isinstance(k, ScalarNode) and k.value == step), None)
            if found is None:
                break
            node = found[0] if of_key and position == len(location) else found[1]
    return node
