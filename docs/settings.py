"""The pages of settings, made from ``heygem_pipeline/settings.py``: ``python docs/settings.py --write``.

The English meanings are the descriptions there; the Chinese ones stand in ``settings.zh.json`` beside this file. What
stands above the first table is written by hand, in the pages themselves.
"""

import json
import sys
from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from heygem_pipeline.settings import Settings

FOLDER = Path(__file__).parent

GROUPS = {
    "Folders and programs": ("data", "checkpoints", "ffmpeg", "subtitle_font"),
    "Engine and face tracker": (
        *("engine", "tracker", "photographs_move", "device", "downloads", "acknowledged_licences"),
        *("wav2lip_lead_seconds", "wav2lip_sharpening"),
        *("musetalk_lead_seconds", "musetalk_steadying", "musetalk_precision", "program"),
    ),
    "What starts by itself": ("automatic", "queue_length", "keep_free_gb", "webhook_inside"),
    "The finished clip; a campaign can set these too": (
        *("label", "subtitles", "loudness", "crf", "preset", "audio_bitrate"),
        *("content_producer", "content_propagator", "propagate_id"),
    ),
    "The finished clip; the same for all campaigns": ("encoder", "max_frame_rate"),
    "Limits for voices and presenters": (
        *("min_speech_seconds", "max_minutes", "long_minutes", "max_width", "max_height", "good_height"),
        *("min_face_pixels", "min_face_share", "max_yaw_degrees"),
    ),
    "Scripts and how they are spoken": (
        *("speech_engine", "speech_voice", "speech_speed", "max_script_words"),
        *("speech_address", "speech_model", "speech_key", "speech_seconds"),
    ),
    "Checks of the finished clip": ("sync_tolerance_frames",),
    "How long data is kept": (
        *("keep_patches_days", "keep_store_days", "keep_previews_days", "keep_runs_days", "keep_failed_runs_days"),
        *("keep_outputs_days", "keep_encodings_gb"),
    ),
    "The Studio": (
        *("studio_users", "studio_hosts", "studio_proxy", "studio_proxy_header"),
        *("studio_address", "studio_dagster", "studio_max_gb", "easy_folder", "easy_clients"),
    ),
    "Dagster's page": ("owners",),
    "Several machines": ("database", "broker", "bucket", "scratch_gb"),
}
"""Heading -> names, in the order of the pages."""


def english_page() -> str:
    """Markdown of ``settings.md``. Raises ValueError where a setting has no group or no description."""
    _require_all("group", [name for names in GROUPS.values() for name in names])
    meanings = {name: field.description for name, field in Settings.model_fields.items() if field.description}
    _require_all("description", meanings)
    return _page("settings.md", {title: title for title in GROUPS}, "| setting | default | meaning |", meanings)


def chinese_page() -> str:
    """Markdown of ``settings.zh-CN.md``. Raises ValueError where a setting lacks its Chinese meaning."""
    chinese: dict[str, dict[str, str]] = json.loads((FOLDER / "settings.zh.json").read_text(encoding="utf-8"))
    _require_all("Chinese meaning in settings.zh.json", chinese["settings"])
    return _page("settings.zh-CN.md", chinese["groups"], "| 设置 | 默认值 | 含义 |", chinese["settings"])


PAGES = {"settings.md": english_page, "settings.zh-CN.md": chinese_page}


def _require_all(what: str, names: Collection[str]) -> None:
    there, fields = set(names), set(Settings.model_fields)
    if fields - there:
        raise ValueError(f"Settings without a {what}: {', '.join(sorted(fields - there))}")
    if there - fields:
        raise ValueError(f"No setting, but with a {what}: {', '.join(sorted(there - fields))}")


def _page(file: str, titles: Mapping[str, str], head: str, meanings: Mapping[str, str]) -> str:
    introduction = (FOLDER / file).read_text(encoding="utf-8").partition("\n## ")[0]
    tables = (
        f"## {titles[title]}\n\n{head}\n|---|---|---|\n{_rows(names, meanings)}" for title, names in GROUPS.items()
    )
    return "\n".join([introduction, *tables])


def _rows(names: Iterable[str], meanings: Mapping[str, str]) -> str:
    rows = ((name, _default(Settings.model_fields[name].default), meanings[name]) for name in names)
    return "".join(f"| `HEYGEM_{name.upper()}` | {default} | {meaning} |\n" for name, default, meaning in rows)


def _default(value: Any) -> str:  # noqa: ANN401 - whatever a setting holds
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("Usage: python docs/settings.py --write")
    for file, page in PAGES.items():
        (FOLDER / file).write_text(page(), encoding="utf-8")
