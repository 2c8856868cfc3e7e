"""What downloaded clips are called: ``voice - presenter.mp4``, or by a pattern of one's own."""

import re
from collections.abc import Iterable

from heygem_pipeline.storage.clip_key import CLIP_SUFFIX, ClipKey
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.studio.refusals import Refusal

USUAL_PATTERN = "{voice} - {presenter}"
FIELDS = ("voice", "presenter", "batch")
LONGEST_PATTERN = 200

_FIELD = re.compile(r"\{(\w*)\}")


def checked_pattern(pattern: str) -> str:
    """The pattern, "" standing for the usual one; a "/" makes folders.

    Raises Refusal where clips could not be told apart, or it holds what no file's name may.
    """
    pattern = pattern.strip() or USUAL_PATTERN
    fields = set(_FIELD.findall(pattern))
    plain = _FIELD.sub("", pattern)
    if (
        not {"voice", "presenter"} <= fields <= set(FIELDS)
        or len(pattern) > LONGEST_PATTERN
        or any(sign in plain for sign in '\\{}<>:"|?*')
        or not plain.isprintable()
        or any(part.strip(" .") in ("", "..") for part in pattern.split("/"))
    ):
        raise Refusal("pattern")
    return pattern


def names_of(clips: Iterable[ClipKey], pattern: str, batch: str) -> list[tuple[ClipKey, str]]:
    """Each clip with its name, a path inside a ZIP; no two have one name. pattern: a checked one."""
    named: list[tuple[ClipKey, str]] = []
    taken: set[str] = set()
    for clip in clips:
        stem = name = _filled(pattern, clip, batch)
        count = 2
        while name.casefold() in taken:
            name, count = f"{stem} ({count})", count + 1
        taken.add(name.casefold())
        named.append((clip, f"{name}{CLIP_SUFFIX}"))
    return named


def earlier_name(name: str, number: int) -> str:
    """What a clip is called that is kept beside the one of this name."""
    return f"{name.removesuffix(CLIP_SUFFIX)} (earlier {number}){CLIP_SUFFIX}"


def _filled(pattern: str, clip: ClipKey, batch: str) -> str:
    values = {"voice": clip.voice, "presenter": clip.presenter, "batch": partition_key(batch) if batch else ""}
    parts = (_FIELD.sub(lambda found: values[found[1]], part).strip(" .") for part in pattern.split("/"))
    return "/".join(part or "clips" for part in parts)
