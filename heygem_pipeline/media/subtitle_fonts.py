"""Which font of this machine has the characters of a text."""

import os
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import category

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")

GOOD = (
    "notosanscjk",
    "notosans-",
    "sourcehansans",
    "pingfang",
    "msyh",
    "hiragino",
    "arial",
    "dejavusans.",
    "dejavusans-b",
)
"""Beginnings of the names of plain, wide-ranging fonts: they are looked at first."""

FACES = {"zh-Hant": "TC", "zh-TW": "TC", "zh-HK": "HK", "zh": "SC", "ja": "JP", "ko": "KR"}
"""Language -> what the name of a collection's face ends with: one character is drawn differently in each."""

LAST_RESORT = "lastresort"
"""How fonts are called that have a box for every character."""

ABSENT = "\U0010fffd"
"""A character that no font has."""

JOINERS = "\ufe0e\ufe0f\u200d\u20e3"
"""What emoji are put together with."""

JOINING = ((0x0590, 0x08FF), (0x0900, 0x0DFF), (0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF))
"""Scripts whose letters change with their neighbours, or run from right to left: they need raqm."""


def font_for(text: str, size: int, language: str, chosen: Path | None) -> "FreeTypeFont | None":
    """A font that has all characters of the text, the chosen one where it does; None where none has."""
    letters = _needed(text)
    if _needs_shaping(letters) and not _shapes():
        return None
    for path in (chosen,) if chosen is not None else _fonts():
        for font in _faces(path, size, language):
            if _has(font, letters):
                return font
    return None


def missing_letters(text: str, language: str, chosen: Path | None, most: int = 8) -> str:
    """Those of a text that no font has which has most of the others; for a sentence."""
    letters = sorted(_needed(text))
    fewest = letters
    for path in (chosen,) if chosen is not None else _fonts()[:20]:
        for font in list(_faces(path, 20, language))[:1]:
            lacking = [letter for letter in letters if not _has(font, letter)]
            fewest = min(fewest, lacking, key=len)
    return "".join((fewest or letters)[:most])


def without_pictures(text: str, font: "FreeTypeFont") -> str:
    """The text without emoji and the like that the font lacks."""
    kept = (letter for letter in text if letter == " " or not _is_picture(letter) or _has(font, letter))
    return " ".join("".join(kept).split())


def _needed(text: str) -> str:
    """The characters that must be drawn: not spaces, marks that nobody sees, and pictures."""
    return "".join(sorted({one for one in text if category(one) not in ("Cc", "Cf", "Zs") and not _is_picture(one)}))


def _is_picture(letter: str) -> bool:
    return category(letter) in ("So", "Sk") or letter in JOINERS


def _needs_shaping(letters: str) -> bool:
    return any(first <= ord(letter) <= last for letter in letters for first, last in JOINING)


def _shapes() -> bool:
    from PIL import features

    return bool(features.check("raqm"))


def _has(font: "FreeTypeFont", letters: str) -> bool:
    """What a font lacks, it draws as it draws what no font has."""
    absent = _drawn(font, ABSENT)
    return all(_drawn(font, letter) != absent for letter in letters)


def _drawn(font: "FreeTypeFont", letter: str) -> bytes:
    from PIL import Image, ImageDraw

    picture = Image.new("L", (2 * int(font.size), 2 * int(font.size)))
    ImageDraw.Draw(picture).text((0, 0), letter, fill=255, font=font)
    return picture.tobytes()


def _faces(path: Path, size: int, language: str) -> "Iterator[FreeTypeFont]":
    """The faces of a font's file, the language's own first. A file that is no font has none."""
    from PIL import ImageFont

    found: list[FreeTypeFont] = []
    for index in range(12 if path.suffix.lower() in (".ttc", ".otc") else 1):
        try:
            found.append(ImageFont.truetype(str(path), size, index=index))
        except OSError:
            break
    own = FACES.get(language) or FACES.get(language.partition("-")[0], "SC")
    yield from sorted(found, key=lambda font: not str(font.getname()[0]).endswith(own))


@lru_cache(maxsize=1)
def _fonts() -> Sequence[Path]:
    """The machine's fonts, plain ones first, and last the one that comes with matplotlib."""
    found = [
        path
        for folder in _folders()
        if folder.is_dir()
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.lower().startswith(LAST_RESORT)
    ]

    def order(path: Path) -> tuple[int, bool, str]:
        name = path.name.lower()
        rank = next((number for number, good in enumerate(GOOD) if name.startswith(good)), len(GOOD))
        return rank, "regular" not in name, name

    return tuple(sorted(found, key=order))


def _folders() -> Iterator[Path]:
    home = Path.home()
    if sys.platform == "win32":
        yield Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"
    for folder in ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts"):
        yield Path(folder)
    yield from (home / ".local/share/fonts", home / ".fonts", home / "Library/Fonts")
    import matplotlib

    yield Path(matplotlib.get_data_path()) / "fonts" / "ttf"
