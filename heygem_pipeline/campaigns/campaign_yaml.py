"""YAML as campaigns need it: texts, lists and groups of keys, each with its place in the file."""

from dataclasses import dataclass, field

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from heygem_pipeline.errors import CampaignWrong
from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.printable_text import shown

PlainValue = str | list["PlainValue"] | dict[str, "PlainValue"] | None

LARGEST_FILE = 128 * 1024
"""Bytes. A thousand voices, each named with its language, take some 50 kB."""

DEEPEST = 8
"""Levels of nesting; a campaign needs four."""

_MOSTLY_MEANT = {
    "while scanning an alias": Message("yaml.quotes", sign="*"),
    "while scanning an anchor": Message("yaml.quotes", sign="&"),
    "found character '\\t'": Message("yaml.tabs"),
    "found character '%'": Message("yaml.quotes", sign="%"),
    "found character '`'": Message("yaml.quotes", sign="`"),
    "found character '@'": Message("yaml.quotes", sign="@"),
    "mapping values are not allowed": Message("yaml.indent_or_quote"),
    "could not find expected ':'": Message("yaml.colon"),
    "expected <block end>": Message("yaml.indent"),
    "while scanning a quoted scalar": Message("yaml.quote_open"),
    "expected ',' or ']'": Message("yaml.list_open"),
    "expected ',' or '}'": Message("yaml.group_open"),
    "but found another document": Message("yaml.second_document"),
}
"""PyYAML's words, and what is to be done about them. It has one class for all errors of syntax, and no codes: only its
words tell them apart."""

_BEGUN_THERE = ("while scanning an alias", "while scanning an anchor", "while scanning a quoted scalar")
"""Where the beginning is the place to look at, not what follows."""


@dataclass
class Problems:
    """What is wrong with one file."""

    file: str
    _found: list[tuple[int, int, Message]] = field(default_factory=list)

    def note(self, place: Node | yaml.Mark | None, problem: Message) -> None:
        """Add a problem at a node or mark; None is the beginning of the file."""
        mark = place.start_mark if isinstance(place, Node) else place
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        self._found.append((line, column, problem))

    def note_at(self, text_before: str, problem: Message) -> None:
        """Add a problem behind the beginning of the file."""
        lines = text_before.split("\n")
        self._found.append((len(lines), len(lines[-1]) + 1, problem))

    def raise_any(self) -> None:
        """Raise CampaignWrong if there are any."""
        if self._found:
            raise self.as_error()

    def as_error(self) -> CampaignWrong:
        """All of them, in the order of their lines."""
        ordered = sorted(set(self._found), key=lambda found: (found[0], found[1], str(found[2])))
        file = shown(self.file)
        return CampaignWrong(
            [
                Message("campaign.problem", file=file, line=line, column=column, problem=problem)
                for line, column, problem in ordered
            ]
        )


class _RefusedError(Exception):
    """What YAML allows, and a campaign does not."""

    def __init__(self, problem: Message, mark: yaml.Mark) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.mark = mark


class _Reader(yaml.BaseLoader):
    """Composes nodes. Plain values stay text: to YAML 1.1 the label ``off`` and the language ``no`` are booleans."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Node | None, index: object) -> Node | None:
        """Refuse what a campaign does not need and a few bytes could make endless: references, types, nesting."""
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError(Message("yaml.quotes", sign="*"), event.start_mark)
        if getattr(event, "anchor", None):
            raise _RefusedError(Message("yaml.quotes", sign="&"), event.start_mark)
        if getattr(event, "tag", None):
            raise _RefusedError(Message("yaml.quotes", sign="!"), event.start_mark)
        if self._depth == DEEPEST:
            raise _RefusedError(Message("yaml.too_deep"), event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)  # pyright: ignore[reportArgumentType]
        self._depth -= 1
        return node


def compose(content: bytes, problems: Problems) -> MappingNode:
    """Return the node of the file's keys. Raises CampaignWrong where there is none."""
    if len(content) > LARGEST_FILE:
        problems.note(None, Message("yaml.too_large", limit=LARGEST_FILE // 1024))
        raise problems.as_error()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.note_at(content[: error.start].decode("utf-8-sig", "replace"), Message("yaml.not_utf8"))
        raise problems.as_error() from error
    node = _compose_text(text, problems)
    if node is None:
        problems.note(None, Message("yaml.empty"))
    elif not isinstance(node, MappingNode):
        problems.note(node, Message("yaml.no_keys"))
    else:
        return node
    raise problems.as_error()


def _compose_text(text: str, problems: Problems) -> Node | None:
    reader = None
    try:
        reader = _Reader(text)
        return reader.get_single_node()
    except _RefusedError as error:
        problems.note(error.mark, error.problem)
    except yaml.MarkedYAMLError as error:
        begun_there = error.context in _BEGUN_THERE
        problems.note(error.context_mark if begun_there else error.problem_mark, _syntax_problem(error))
    except yaml.reader.ReaderError as error:
        problems.note_at(text[: error.position], Message("yaml.control_character"))
    except (ValueError, OverflowError):
        # PyYAML hands numbers of escapes and of the %YAML line to chr() and int() unseen.
        problems.note(reader.get_mark() if reader else None, Message("yaml.number"))
    raise problems.as_error()


def _syntax_problem(error: yaml.MarkedYAMLError) -> Message:
    said = f"{error.context or ''} {error.problem or ''}"
    meant = next((problem for words, problem in _MOSTLY_MEANT.items() if words in said), None)
    if meant is not None:
        return meant
    return Message("yaml.as_told", told=shown(error.problem)) if error.problem else Message("yaml.none")


def plain_values(root: MappingNode, problems: Problems) -> dict[str, PlainValue]:
    """Return texts, lists and dicts, None where nothing is written; note keys that stand twice or are no word."""
    values: dict[str, PlainValue] = {}
    places: dict[str, Node] = {}
    for key, value in root.value:
        name = _text(key, problems) if isinstance(key, ScalarNode) else ""
        if not name:
            problems.note(key, Message("yaml.key"))
        elif name in values:
            first = places[name].start_mark.line + 1
            problems.note(key, Message("yaml.key_twice", key=shown(name), line=first))
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
        problems.note(node, Message("yaml.broken_character"))
    return whole


def place_of(location: tuple[int | str, ...], root: Node, of_key: bool = False) -> Node:
    """Return the node a path of keys and positions leads to, or the last one on the way.

    Args:
        of_key: its key's.
    """
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
