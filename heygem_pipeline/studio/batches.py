"""A batch of the page is a campaign of the pipeline: which voices on which presenters, and how they are made."""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from heygem_pipeline.campaigns.campaign import LONGEST_NAME, SUFFIX, Campaign
from heygem_pipeline.campaigns.campaign_edits import value_of, with_values
from heygem_pipeline.campaigns.campaign_file import read_campaign
from heygem_pipeline.campaigns.campaigns_folder import ONLY_CAMPAIGNS, Campaigns, load_campaigns, wanted_clips
from heygem_pipeline.campaigns.contradictions import contradictions
from heygem_pipeline.clip.render_spec import RenderSpec, default_render_spec
from heygem_pipeline.errors import CampaignWrong, PipelineError
from heygem_pipeline.lipsync.engine_registry import ENGINES, load_engine
from heygem_pipeline.lipsync.engine_terms import terms_of
from heygem_pipeline.messages.message import Message
from heygem_pipeline.operations.webhooks import renamed
from heygem_pipeline.planning.machine_readiness import engine_of
from heygem_pipeline.planning.time_left import speeds_here
from heygem_pipeline.runs.instance import Instance
from heygem_pipeline.settings import ClipSettings, EngineSettings, Settings, Subtitles
from heygem_pipeline.storage.atomic import atomic_path, place
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio.refusals import Refusal
from heygem_pipeline.uploads.registry import UploadKind, Uploads
from heygem_pipeline.web.http_client import place_of

QUALITIES: dict[str, dict[str, str | int]] = {
    "standard": {},
    "best": {"crf": 14, "preset": "slow"},
    "small": {"crf": 26, "preset": "medium"},
}
"""What the page's three words mean; "standard" is what the machine's settings say."""

SUBTITLES: dict[str, dict[str, str | int]] = {choice.value: {"subtitles": choice.value} for choice in Subtitles}

LOUDNESS: dict[str, dict[str, float | str]] = {
    "as_is": {"loudness": "as_is"},
    "web": {"loudness": -16.0},
    "broadcast": {"loudness": -23.0},
}
"""As loud as the voice is, as most pages of the web play it, and as broadcasters ask for it (EBU R 128)."""

LABELS: dict[str, dict[str, str | int]] = {"start": {"label": "start"}, "always": {"label": "always"}}

MOST_CLIPS = 2000

ONLY_CAMPAIGNS_TEXT = """\
While this file is here, only those clips are made that a campaign of this folder asks for.
The Studio page puts it here. Without it, and without any campaign, every voice is made with every presenter.
"""


@dataclass(frozen=True)
class BatchSpec:
    """What somebody chose in the page. languages: BCP 47, by voice, where known. webhook: told when it is finished."""

    title: str
    voices: Sequence[str]
    presenters: Sequence[str]
    quality: str
    label: str
    engine: str
    languages: Mapping[str, str]
    webhook: str = ""
    subtitles: str = Subtitles.SOFT.value
    loudness: str = "as_is"

    @property
    def clips(self) -> list[ClipKey]:
        """Voice by voice."""
        return [ClipKey(voice, presenter) for voice in self.voices for presenter in self.presenters]


def usable_engines(settings: EngineSettings) -> list[str]:
    """Those that can work on this machine: their weights are there, and their licence is acknowledged."""
    usable = []
    for name in sorted(ENGINES):
        with suppress(PipelineError):
            usable.append(load_engine(name, settings).name)
    return usable


@dataclass(frozen=True)
class EngineChoice:
    """An engine as the page lists it. speed: seconds of clip a second here; None where none was made."""

    name: str
    terms: Message
    lack: Message | None
    speed: float | None


def engine_choices(settings: EngineSettings, instance: Instance, folders: DataFolders) -> list[EngineChoice]:
    """All engines, those that cannot work with what they lack."""
    speeds = speeds_here(instance, folders)
    return [
        EngineChoice(name, terms_of(name, settings), engine_of(name, settings)[1], speeds.get(name))
        for name in sorted(ENGINES)
    ]


def require_campaigns(folders: DataFolders) -> None:
    """Write ``ONLY_CAMPAIGNS``: from now on nothing is made that no campaign wants."""
    (folders.campaigns / ONLY_CAMPAIGNS).write_text(ONLY_CAMPAIGNS_TEXT, encoding="utf-8")


def begin(folders: DataFolders, settings: Settings, wish: BatchSpec) -> Campaign:
    """Write the campaign of a wish, under a name of its own. Raises Refusal, naming the batch it contradicts.

    Raises WebhookRefused for an address that cannot be called, or may not be.
    """
    _check(wish, settings)
    usual = default_render_spec(settings)
    text = {
        "title": wish.title,
        "voices": [_choice(voice, wish.languages.get(voice)) for voice in wish.voices],
        "presenters": list(wish.presenters),
        "engine": wish.engine,
        "settings": QUALITIES[wish.quality] | LABELS[wish.label] | SUBTITLES[wish.subtitles],
    }
    if wish.loudness != loudness_word(usual.settings.loudness):
        text["settings"] |= LOUDNESS[wish.loudness]
    if wish.webhook:
        text["webhook"] = wish.webhook
    written = folders.state / f"batch-{os.getpid()}{SUFFIX}"
    try:
        written.write_text(yaml.safe_dump(text, allow_unicode=True, sort_keys=False, width=1000), encoding="utf-8")
        _refuse_contradiction(
            load_campaigns(folders.campaigns, usual), read_campaign(written, usual), wish.voices, wish.presenters
        )
        path = place(written, _names(folders.campaigns, wish.title))
    except CampaignWrong as error:
        raise Refusal("title", title=wish.title[:80]) from error
    finally:
        written.unlink(missing_ok=True)
    require_campaigns(folders)
    return read_campaign(path, usual)


@dataclass(frozen=True)
class BatchChange:
    """What is to be different about a batch; None for what stays."""

    title: str | None = None
    quality: str | None = None
    label: str | None = None
    engine: str | None = None
    subtitles: str | None = None
    loudness: str | None = None

    @property
    def makes_clips_anew(self) -> bool:
        """Is it more than the name?"""
        chosen = self.quality, self.label, self.engine, self.subtitles, self.loudness
        return any(one is not None for one in chosen)


def change(folders: DataFolders, settings: Settings, name: str, wish: BatchChange) -> Campaign:
    """Change a campaign's file, which follows the batch's name; whatever else somebody wrote into it stays.

    Raises Refusal, naming the batch it would contradict.
    """
    usual = default_render_spec(settings)
    campaigns = load_campaigns(folders.campaigns, usual)
    before = next((campaign for campaign in campaigns.usable if campaign.name == name), None)
    if before is None:
        raise Refusal("not_there", 404)
    _check_change(wish, before, settings)
    path = folders.campaigns / before.file
    text = path.read_text(encoding="utf-8")
    values: dict[str, Any] = {} if wish.title is None else {"title": wish.title}
    if wish.engine is not None:
        values["engine"] = wish.engine
    if any(one is not None for one in (wish.quality, wish.label, wish.subtitles, wish.loudness)):
        values["settings"] = _changed_settings(value_of(text, "settings") or {}, wish)
    written = folders.state / f"changed-{os.getpid()}" / before.file
    written.parent.mkdir(exist_ok=True)
    try:
        written.write_text(with_values(text, values), encoding="utf-8")
        changed = read_campaign(written, usual)
        uploads = Uploads(folders)
        presenters = uploads.paths(UploadKind.PRESENTER, uploads.known(UploadKind.PRESENTER))
        _refuse_contradiction(campaigns, changed, uploads.voices(), presenters)
        stem = _stem(wish.title) if wish.title is not None else before.name
        if stem == before.name:
            with atomic_path(path) as temporary:
                temporary.write_bytes(written.read_bytes())
            return changed
        new = place(written, _names(folders.campaigns, wish.title or ""))
        path.unlink()
        renamed(folders, before.name, new.stem)
        return read_campaign(new, usual)
    except (CampaignWrong, ValueError) as error:
        raise Refusal("title", title=(wish.title or before.title)[:80]) from error
    finally:
        written.unlink(missing_ok=True)
        written.parent.rmdir()


def _changed_settings(written: Mapping[str, Any], wish: BatchChange) -> dict[str, Any]:
    values = dict(written)
    if wish.quality is not None:
        for key in ("crf", "preset"):
            values.pop(key, None)
        values |= QUALITIES[wish.quality]
    values |= {} if wish.label is None else LABELS[wish.label]
    values |= {} if wish.subtitles is None else SUBTITLES[wish.subtitles]
    return values | ({} if wish.loudness is None else LOUDNESS[wish.loudness])


def _check_change(wish: BatchChange, before: Campaign, settings: Settings) -> None:
    known = wish.quality in (None, *QUALITIES) and wish.label in (None, *LABELS)
    known = known and wish.subtitles in (None, *SUBTITLES) and wish.loudness in (None, *LOUDNESS)
    if not known or wish.engine not in (None, before.engine, *usable_engines(settings)):
        raise Refusal("unknown_choice")
    if wish.title is not None and not 0 < len(wish.title) <= LONGEST_NAME:
        raise Refusal("title", title=wish.title[:80])


def end(folders: DataFolders, settings: Settings, names: Iterable[str]) -> None:
    """Delete the campaigns of these names. Nothing else is begun in their place."""
    campaigns = load_campaigns(folders.campaigns, default_render_spec(settings))
    there = {campaign.name: campaign for campaign in campaigns.usable}
    require_campaigns(folders)
    for name in names:
        if name in there:
            (folders.campaigns / there[name].file).unlink(missing_ok=True)


def choices_of(campaign: Campaign, settings: ClipSettings) -> dict[str, str]:
    """The page's words for how a campaign's clips are made."""
    return words_for(RenderSpec(campaign.engine, campaign.settings), settings)


def words_for(spec: RenderSpec, settings: ClipSettings) -> dict[str, str]:
    """The page's words for how clips are made; "own" where somebody wrote other settings by hand."""
    made, usual = spec.settings.model_dump(mode="json"), settings.model_dump(mode="json")
    quality = next(
        (
            name
            for name, values in QUALITIES.items()
            if all(made[key] == values.get(key, usual[key]) for key in ("crf", "preset"))
        ),
        "own",
    )
    named = {"label": str(made["label"]), "subtitles": str(made["subtitles"])}
    named["loudness"] = loudness_word(spec.settings.loudness)
    return {"quality": quality, "engine": spec.engine} | named


def loudness_word(target: float | None) -> str:
    """The page's word for a target; "own" for another one, which somebody wrote by hand."""
    told = "as_is" if target is None else target
    return next((name for name, values in LOUDNESS.items() if values["loudness"] == told), "own")


def usual_loudness(settings: ClipSettings) -> str:
    """The word for what holds where nobody chose; a target of the machine's own is chosen by no word."""
    word = loudness_word(settings.loudness)
    return word if word in LOUDNESS else "as_is"


def _check(wish: BatchSpec, settings: Settings) -> None:
    if not wish.voices or not wish.presenters:
        raise Refusal("nothing_chosen")
    if len(wish.clips) > MOST_CLIPS:
        raise Refusal("too_many", limit=str(MOST_CLIPS))
    known = wish.quality in QUALITIES and wish.label in LABELS and wish.subtitles in SUBTITLES
    known = known and wish.loudness in LOUDNESS
    if not known or wish.engine not in usable_engines(settings):
        raise Refusal("unknown_choice")
    if wish.webhook:
        place_of(wish.webhook, settings.webhook_inside)
    if not wish.title or len(wish.title) > LONGEST_NAME:
        raise Refusal("title", title=wish.title[:80])


def _choice(voice: str, language: str | None) -> str | dict[str, Any]:
    return {"voice": voice, "language": language} if language else voice


def _refuse_contradiction(
    others: Campaigns, campaign: Campaign, voices: Collection[str], presenters: Collection[str]
) -> None:
    wanted = wanted_clips(others.with_campaign(campaign), voices, presenters)
    disagreed = [wanted[clip] for clip in contradictions(wanted) if campaign.file in {c.file for c in wanted[clip]}]
    for campaigns in disagreed:
        other = next(c for c in campaigns if c.file != campaign.file)
        raise Refusal("other_quality", 409, title=other.title, count=str(len(disagreed)))


def _stem(title: str) -> str:
    return re.sub(r"^[.~]+", "", partition_key(title)) or "batch"


def _names(folder: Path, title: str) -> Iterator[Path]:
    stem = _stem(title)
    yield folder / f"{stem}{SUFFIX}"
    for number in count(2):
        yield folder / f"{stem} {number}{SUFFIX}"
