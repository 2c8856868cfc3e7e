"""What the page says, in each language it speaks: one file a language in ``texts/``."""

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.requests import HTTPConnection

from heygem_pipeline.messages.message import Message
from heygem_pipeline.studio.clip_log import without_paths

LANGUAGES = {"en": "English", "zh": "中文"}
COOKIE = "heygem_language"


@cache
def texts(language: str) -> dict[str, Any]:
    """All texts of a language."""
    file = resources.files("heygem_pipeline.studio").joinpath("texts", f"{language}.json")
    return json.loads(file.read_text(encoding="utf-8"))


def language_of(request: HTTPConnection) -> str:
    """What somebody chose, else the first of their browser's languages that the page speaks."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    for wish in request.headers.get("accept-language", "").split(","):
        language = wish.partition(";")[0].strip().partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return "en"


def sentence_of(message: Message, language: str) -> str:
    """A message of the pipeline in the page's own words for its code, else as the pipeline says it."""
    template = texts(language).get(f"message.{message.code}")
    return message.sentence(language) if template is None else message.filled(template, language)


def message_json(message: Message, language: str, root: Path) -> dict[str, Any]:
    """What is told of a message: its code and values, to decide by, and its sentence, all without paths."""
    return {
        "code": message.code,
        "values": values_without_paths(message.as_json()["values"], root),
        "sentence": without_paths(sentence_of(message, language), root),
    }


def values_without_paths(values: Any, root: Path) -> Any:  # noqa: ANN401 - JSON
    """A message's values as JSON, which name files but not where this machine keeps them."""
    if isinstance(values, dict):
        return {name: values_without_paths(value, root) for name, value in values.items()}
    if isinstance(values, list):
        return [values_without_paths(value, root) for value in values]
    return without_paths(values, root) if isinstance(values, str) else values
