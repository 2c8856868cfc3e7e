"""What the page says, in each language it speaks: one file a language in ``texts/``."""

import json
from functools import cache
from importlib import resources
from typing import Any

from starlette.requests import Request

LANGUAGES = {"en": "English", "zh": "中文"}
COOKIE = "heygem_language"


@cache
def texts(language: str) -> dict[str, Any]:
    """All texts of a language."""
    file = resources.files("heygem_pipeline.studio").joinpath("texts", f"{language}.json")
    return json.loads(file.read_text(encoding="utf-8"))


def language_of(request: Request) -> str:
    """What somebody chose, else the first of their browser's languages that the page speaks."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    for wish in request.headers.get("accept-language", "").split(","):
        language = wish.partition(";")[0].strip().partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return "en"
