"""What one campaign says: which voices on which presenters, how they are made, when, and what is handed over."""

import unicodedata
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from heygem_pipeline.campaigns.cron import checked_cron_line
from heygem_pipeline.campaigns.wrong_value import wrong_value
from heygem_pipeline.clip.render_spec import RenderSpec
from heygem_pipeline.errors import WebhookRefused
from heygem_pipeline.lipsync.engine_registry import ENGINES
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import ClipSettings
from heygem_pipeline.storage.printable_text import did_you_mean, is_whole, shown
from heygem_pipeline.synthesis.front_matter import FASTEST, SLOWEST
from heygem_pipeline.synthesis.synthesizer_registry import SYNTHESIZERS
from heygem_pipeline.web.http_client import checked_address

SUFFIX = ".yaml"
"""Ending of a campaign's file."""

LONGEST_NAME = 255
"""Characters; no file name on Linux is longer."""


def _printable(text: str) -> str:
    """Refuse control characters and broken Unicode; compose what is left, since file systems differ in that."""
    if not is_whole(text):
        raise wrong_value(Message("campaign.control_characters"))
    return unicodedata.normalize("NFC", text)


def _known_engine(name: str) -> str:
    if name not in ENGINES:
        known = ", ".join(sorted(ENGINES))
        hint = did_you_mean(name, ENGINES) or Message("hint.none")
        raise wrong_value(Message("campaign.engine", known=known, name=shown(name), hint=hint))
    return name


def _known_speech_engine(name: str) -> str:
    if name not in SYNTHESIZERS:
        hint = did_you_mean(name, SYNTHESIZERS) or Message("hint.none")
        known = ", ".join(sorted(SYNTHESIZERS))
        raise wrong_value(Message("campaign.engine", known=known, name=shown(name), hint=hint))
    return name


def _known_languages(speakers: object) -> object:
    if not isinstance(speakers, dict):
        return speakers
    return {_known_language(str(tag)): speaker for tag, speaker in speakers.items()}


def _known_language(tag: str) -> str:
    """Return the tag in its usual spelling (zh-Hant-TW). The registry of BCP 47 decides what there is."""
    import langcodes

    try:
        known = langcodes.tag_is_valid(tag)
    except ValueError:
        known = False
    if not known:
        raise wrong_value(Message("campaign.language", tag=shown(tag)))
    return langcodes.standardize_tag(tag)


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        hint = did_you_mean(name, available_timezones()) or Message("hint.none")
        raise wrong_value(Message("campaign.timezone", name=shown(name), hint=hint))
    return name


def _known_address(address: str) -> str:
    """Whether the name is known and lies outside is looked at when it is called: that changes with time."""
    try:
        checked_address(address)
    except WebhookRefused as error:
        raise wrong_value(error.message) from error
    return address


def _list_of_one(value: object) -> object:
    return [value] if isinstance(value, str) else value


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME), AfterValidator(_printable)
]
Language = Annotated[str, AfterValidator(_known_language)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VoiceChoice(_Part):
    """Voices by name or glob, and the language they speak where that matters. Written alone, a name is enough."""

    voice: Line
    language: Language | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"voice": value} if isinstance(value, str) else value


class Speaker(_Part):
    """Who speaks the scripts of one language, where they do not say it. Written alone, a voice is enough."""

    voice: Line | None = None
    engine: Annotated[str, AfterValidator(_known_speech_engine)] | None = None
    speed: Annotated[float, Field(ge=SLOWEST, le=FASTEST)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_voice(cls, value: object) -> object:
        return {"voice": value} if isinstance(value, str) else value


class CampaignSettings(ClipSettings):
    """The settings of the campaign's clips."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def completed(self, usual: ClipSettings) -> "CampaignSettings":
        """Its own, and the usual ones for those it leaves out."""
        return CampaignSettings.model_construct(**dict(usual) | self.model_dump(exclude_unset=True))


class Delivery(_Part):
    """What lies in the ZIP of a voice beside its clips and the manifest, and how the clips are called there."""

    report: bool = False
    filmstrips: bool = False
    voice: bool = False
    named_by_language: bool = False


class CampaignText(_Part):
    """The keys of a campaign's file: voices or scripts, or both.

    Attributes:
        engine: "" where it is left out.
        scripts: names without their language; each is wanted in every one of the ``languages``, where some are named.
        speakers: by language.
    """

    title: Line
    voices: Annotated[tuple[VoiceChoice, ...], BeforeValidator(_list_of_one), Field(min_length=1)] = ()
    scripts: Annotated[tuple[Line, ...], BeforeValidator(_list_of_one), Field(min_length=1)] = ()
    languages: Annotated[tuple[Language, ...], BeforeValidator(_list_of_one), Field(min_length=1)] = ()
    speakers: Annotated[dict[str, Speaker], BeforeValidator(_known_languages)] = {}
    presenters: Annotated[tuple[Line, ...], BeforeValidator(_list_of_one), Field(min_length=1)]
    engine: Annotated[str, AfterValidator(_known_engine)] = ""
    settings: CampaignSettings = CampaignSettings()
    schedule: Annotated[str, AfterValidator(checked_cron_line)] | None = None
    timezone: Annotated[str, AfterValidator(_known_timezone)] = "UTC"
    delivery: Delivery = Delivery()
    webhook: Annotated[str, AfterValidator(_known_address)] | None = None


class Campaign(CampaignText):
    """A campaign that can be used.

    Attributes:
        file: its name in the folder of campaigns.
        schedule: a cron line in ``timezone``.
    """

    file: str

    @classmethod
    def completed(cls, file: str, text: CampaignText, usual: RenderSpec) -> Self:
        """What the file says, and the usual engine and settings for what it leaves out."""
        made = {"engine": text.engine or usual.engine, "settings": text.settings.completed(usual.settings)}
        return cls.model_construct(file=file, **dict(text) | made)

    @property
    def name(self) -> str:
        """The file's name without ``.yaml``."""
        return self.file.removesuffix(SUFFIX)

    def is_called(self, name: str) -> bool:
        """Is it meant by this: its name, its file, a path to that, or its title?"""
        composed = unicodedata.normalize("NFC", name)
        wanted = {unicodedata.normalize("NFC", known) for known in (self.name, self.file, self.title)}
        return composed in wanted or Path(composed).name == unicodedata.normalize("NFC", self.file)

    @property
    def rendering(self) -> dict[str, str | int]:
        """All that decides how its clips are made: two campaigns that want one clip must agree on it."""
        return {"engine": self.engine} | self.settings.model_dump(mode="json")
