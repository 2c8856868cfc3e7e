"""The lines at the beginning of a script that say how it is spoken: ``language: de`` between two lines of ``---``."""

from dataclasses import asdict, dataclass

from heygem_pipeline.errors import ScriptUnusable
from heygem_pipeline.storage.printable_text import is_whole, shown

FENCE = "---"
LONGEST_FRONT_MATTER = 20
"""Lines; a script that begins with a line of ``---`` and means something else is not read to its end."""

SLOWEST, FASTEST = 0.5, 2.0
"""Of the engine's usual speed."""


@dataclass(frozen=True)
class FrontMatter:
    """What a script says of itself; None where it says nothing. language: BCP 47. voice: as its engine calls it."""

    language: str | None = None
    engine: str | None = None
    voice: str | None = None
    speed: float | None = None

    def written(self) -> str:
        """As lines that ``read_front_matter`` reads; "" where nothing is said."""
        lines = [
            f"{key}: {value:g}" if key == "speed" else f"{key}: {value}" for key, value in asdict(self).items() if value
        ]
        return "\n".join([FENCE, *lines, FENCE, ""]) if lines else ""


KEYS = tuple(FrontMatter.__dataclass_fields__)


def read_front_matter(text: str, file: str) -> tuple[FrontMatter, str]:
    """Return what a script says of itself, and the text behind it. Raises ScriptUnusable."""
    first, _, rest = text.lstrip("\n").partition("\n")
    if first.rstrip() != FENCE:
        return FrontMatter(), text
    lines = rest.split("\n")
    end = next((at for at, line in enumerate(lines[:LONGEST_FRONT_MATTER]) if line.rstrip() == FENCE), None)
    if end is None:
        raise ScriptUnusable("script.front_matter_open", file=file)
    values: dict[str, str] = {}
    for line in lines[:end]:
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not key or key.startswith("#"):
            continue
        if not colon or key not in KEYS or key in values or not is_whole(value):
            raise ScriptUnusable("script.front_matter_line", file=file, line=shown(line), known=", ".join(KEYS))
        values[key] = value.strip("\"'")
    speed, language = values.get("speed"), values.get("language")
    return (
        FrontMatter(
            language=_language(language, file) if language else None,
            engine=values.get("engine") or None,
            voice=values.get("voice") or None,
            speed=_speed(speed, file) if speed else None,
        ),
        "\n".join(lines[end + 1 :]),
    )


def language_of_name(stem: str) -> str | None:
    """The language that a file's name ends with (``welcome.pt-BR``): of two letters, or more with its region."""
    import langcodes

    tag = stem.rpartition(".")[2] if "." in stem else ""
    try:
        known = len(tag.partition("-")[0]) == 2 and langcodes.tag_is_valid(tag)
    except ValueError:
        known = False
    return langcodes.standardize_tag(tag) if known else None


def _language(tag: str, file: str) -> str:
    import langcodes

    try:
        known = langcodes.tag_is_valid(tag)
    except ValueError:
        known = False
    if not known:
        raise ScriptUnusable("script.language", file=file, tag=shown(tag))
    return langcodes.standardize_tag(tag)


def _speed(text: str, file: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not SLOWEST <= speed <= FASTEST:
        raise ScriptUnusable("script.speed", file=file, speed=shown(text), slowest=SLOWEST, fastest=FASTEST)
    return speed
