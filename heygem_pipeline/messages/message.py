"""What the pipeline says to people, as data: a stable code and named values, from which each language makes a sentence.

What a machine decides hangs on the code and the values, never on a sentence. The sentences stand in ``en.json`` and
``zh.json`` beside this file: code -> a template of ``str.format`` with the values' names. On its page the Studio words
some codes otherwise (``studio/texts.py``): where the commands that a sentence names are of no use there.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

LANGUAGES: Final = ("en", "zh")

_HALF_CHARACTERS = re.compile(r"[\ud800-\udfff]")

VERBATIM = "verbatim"
"""The code of a sentence that came as a sentence: from an earlier version's records, or from another program."""


def legible(text: str) -> str:
    """The text as it can be written anywhere. Half characters, which stand for the bytes of a file's name that is no
    UTF-8, become those bytes: ``\\xbd``."""
    return _HALF_CHARACTERS.sub(_as_byte, text)


def _as_byte(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number - 0xDC00:02x}" if 0xDC80 <= number <= 0xDCFF else f"\\u{number:04x}"


class Message:
    """One thing to say. Immutable; equal where code and values are.

    Attributes:
        code: stable name such as ``"face.not_found"``; machines decide by it.
        values: what the sentence's template names: text, numbers as they were measured, a message within it, or
            several, a line each.
    """

    __slots__ = ("code", "values")

    def __init__(self, code: str, /, **values: "Value") -> None:
        object.__setattr__(self, "code", code)
        legibly = {name: legible(value) if isinstance(value, str) else value for name, value in values.items()}
        object.__setattr__(self, "values", legibly)

    code: str
    values: Mapping[str, "Value"]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A message does not change; {name} cannot be set.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.code, self.values) == (other.code, other.values)

    def __hash__(self) -> int:
        return hash((self.code, tuple(sorted(self.values.items(), key=lambda item: item[0]))))

    def __repr__(self) -> str:
        return f"Message({', '.join([repr(self.code), *(f'{name}={value!r}' for name, value in self.values.items())])})"

    def __str__(self) -> str:
        return self.sentence("en")

    def __reduce__(self) -> tuple[Any, ...]:
        return Message.from_json, (self.as_json(),)

    def sentence(self, language: str) -> str:
        """The sentence in a language of ``LANGUAGES``. A code that this version does not know is shown as it is."""
        template = sentences(language).get(self.code)
        if template is None:
            return f"{self.code} {json.dumps(self.as_json()['values'], ensure_ascii=False)}"
        return self.filled(template, language)

    def filled(self, template: str, language: str) -> str:
        """A template of ``str.format`` with the message's values."""
        return template.format_map({name: _worded(value, language) for name, value in self.values.items()})

    def as_json(self) -> dict[str, Any]:
        """The message as JSON values: ``{"code": ..., "values": {...}}``."""
        return {"code": self.code, "values": {name: _stored(value) for name, value in self.values.items()}}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Message":
        """The message of ``as_json``. Raises KeyError where it is none."""
        return Message(stored["code"], **{name: _read(value) for name, value in stored["values"].items()})


Value = str | int | float | Message | tuple[Message, ...]


def _worded(value: Value, language: str) -> str | int | float:
    if isinstance(value, tuple):
        return "\n".join(one.sentence(language) for one in value)
    return value.sentence(language) if isinstance(value, Message) else value


def _stored(value: Value) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, tuple):
        return [one.as_json() for one in value]
    return value.as_json() if isinstance(value, Message) else value


def _read(value: Any) -> Value:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return tuple(Message.from_json(one) for one in value)
    return Message.from_json(value) if isinstance(value, dict) else value


def verbatim(text: str) -> Message:
    """A sentence that came as one; it is the same in every language."""
    return Message(VERBATIM, text=text)


@cache
def sentences(language: str) -> dict[str, str]:
    """Code -> template, of one language."""
    file = resources.files("heygem_pipeline.messages").joinpath(f"{language}.json")
    return json.loads(file.read_text(encoding="utf-8"))
