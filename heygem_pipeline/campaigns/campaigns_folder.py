"""The folder of campaigns, and which clips they want."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import cache, cached_property
from pathlib import Path
from re import compile as compile_pattern

from heygem_pipeline.campaigns.campaign import SUFFIX, Campaign, Speaker
from heygem_pipeline.campaigns.campaign_file import read_campaign
from heygem_pipeline.clip.render_spec import RenderSpec
from heygem_pipeline.errors import CampaignWrong, UploadMissing
from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.clip_table import ClipTable
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.synthesis.front_matter import FrontMatter, language_of_name

UNFINISHED_PREFIXES = (".", "~")
WILDCARDS = "*?["

ONLY_CAMPAIGNS = "only-campaigns.txt"
"""While a file of this name lies in the folder of campaigns, nothing is made that no campaign wants."""


@dataclass(frozen=True)
class Campaigns:
    """The campaigns of a folder in order of file name.

    Attributes:
        wrong: one error for each file that cannot be used.
        alone: only they decide what is wanted, even where there is none (``ONLY_CAMPAIGNS``).
    """

    usable: tuple[Campaign, ...] = ()
    wrong: tuple[CampaignWrong, ...] = ()
    alone: bool = False

    @property
    def everything(self) -> bool:
        """Is every voice wanted on every presenter? So it is until there is a campaign's file, be it a wrong one."""
        return not (self.usable or self.wrong or self.alone)

    def with_campaign(self, campaign: Campaign) -> "Campaigns":
        """The same folder with this campaign in it, first, in place of one of the same name."""
        others = tuple(other for other in self.usable if other.file != campaign.file)
        return Campaigns((campaign, *others), self.wrong, self.alone)


@dataclass(frozen=True)
class Matches:
    """The uploads a campaign names: voice -> its language, presenters, and a message for each doubt."""

    voices: dict[str, str | None]
    presenters: tuple[str, ...]
    warnings: tuple[Message, ...]


def load_campaigns(folder: Path, usual: RenderSpec) -> Campaigns:
    """Read every ``*.yaml`` of the folder; a file that is wrong keeps no other from being used.

    Args:
        usual: the engine and settings of campaigns that name none.
    """
    usable, wrong = [], []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix.lower() not in (SUFFIX, ".yml") or path.name.startswith(UNFINISHED_PREFIXES):
            continue
        try:
            usable.append(read_campaign(path, usual))
        except UploadMissing:
            continue  # a folder of that name, or removed meanwhile
        except CampaignWrong as error:
            wrong.append(error)
    return Campaigns(tuple(usable), tuple(wrong), (folder / ONLY_CAMPAIGNS).exists())


def wanted_clips(
    campaigns: Campaigns, voices: Collection[str], presenters: Collection[str]
) -> ClipTable[tuple[Campaign, ...]]:
    """Return every wanted clip with the campaigns that want it; without any campaign's file every pair, wanted by ().

    Args:
        voices: partition keys, or a mapping of keys to files, whose names then count as well.
        presenters: likewise.
    """
    if campaigns.everything:
        return ClipTable(dict.fromkeys(voices, dict.fromkeys(presenters, ())))
    voice_names, presenter_names = _Names(voices), _Names(presenters)
    wanting_voice: dict[str, int] = defaultdict(int)
    wanting_presenter: dict[str, int] = defaultdict(int)
    for position, campaign in enumerate(campaigns.usable):
        for voice in _voices_of(campaign, voice_names):
            wanting_voice[voice] |= 1 << position
        for presenter in presenter_names.of_any(campaign.presenters):
            wanting_presenter[presenter] |= 1 << position

    @cache
    def together(wanting: int) -> tuple[Campaign, ...]:
        return tuple(campaign for position, campaign in enumerate(campaigns.usable) if wanting >> position & 1)

    @cache
    def row(wanting: int) -> dict[str, tuple[Campaign, ...]]:
        return {
            presenter: together(both)
            for presenter in presenters
            if (both := wanting & wanting_presenter.get(presenter, 0))
        }

    return ClipTable({voice: mine for voice in voices if (mine := row(wanting_voice.get(voice, 0)))})


def matches(campaign: Campaign, voices: Collection[str], presenters: Collection[str]) -> Matches:
    """Return what the campaign's names and globs match; voices and presenters as for ``wanted_clips``."""
    warnings = []
    voice_names, presenter_names = _Names(voices), _Names(presenters)
    languages: dict[str, str | None] = {}
    for choice in campaign.voices:
        matched = voice_names.of(choice.voice)
        if not matched:
            warnings.append(Message("campaign.no_such_voice", file=campaign.file, name=choice.voice))
        for voice in matched:
            before = languages.get(voice)
            if before and choice.language and before != choice.language:
                warnings.append(Message("campaign.two_languages", file=campaign.file, voice=voice, language=before))
            languages[voice] = before or choice.language
    for translation in _translations(campaign, voice_names):
        if not translation.keys:
            warnings.append(translation.lack(campaign))
        for voice in translation.keys:
            languages[voice] = languages.get(voice) or translation.language
    for name in campaign.presenters:
        if not presenter_names.of(name):
            warnings.append(Message("campaign.no_such_presenter", file=campaign.file, name=name))
    if campaign.delivery.named_by_language and not all(languages.values()):
        unknown = next(voice for voice, language in languages.items() if not language)
        warnings.append(Message("campaign.no_language", file=campaign.file, voice=unknown))
    return Matches(languages, tuple(sorted(presenter_names.of_any(campaign.presenters))), tuple(warnings))


def languages(campaigns: Iterable[Campaign], voices: Collection[str]) -> dict[str, str]:
    """The language of each voice that is given one by a campaign that names clips by it; the first counts."""
    names = _Names(voices)
    naming = [campaign for campaign in campaigns if campaign.delivery.named_by_language]
    return {
        voice: language
        for campaign in reversed(naming)
        for voice, language in reversed(_voices_of(campaign, names).items())
        if language
    }


def speech_orders(campaigns: Iterable[Campaign], voices: Collection[str]) -> dict[str, FrontMatter | Message]:
    """How campaigns have scripts spoken that do not say it themselves, by key; a message where two disagree."""
    names, orders, by = _Names(voices), dict[str, FrontMatter | Message](), dict[str, Campaign]()
    for campaign in campaigns:
        for translation in _translations(campaign, names):
            speaker = campaign.speakers.get(translation.language or "", Speaker())
            order = FrontMatter(translation.language, speaker.engine, speaker.voice, speaker.speed)
            for key in translation.keys:
                before = orders.setdefault(key, order)
                first = by.setdefault(key, campaign)
                if before != order and first is not campaign:
                    orders[key] = Message(
                        "campaigns.speakers_disagree", voice=key, first=first.file, second=campaign.file
                    )
    return orders


def render_spec_of(wanting: tuple[Campaign, ...], usual: RenderSpec) -> RenderSpec:
    """How a clip is made that these campaigns want, which agree on it; as usual where none wants it."""
    return RenderSpec(wanting[0].engine, wanting[0].settings) if wanting else usual


@dataclass(frozen=True)
class _Translation:
    """A script in one language, and the voices that are called so: scripts, or recordings of it.

    Attributes:
        script: as the campaign calls it.
        language: None where it names none, and none of the names does.
    """

    script: str
    language: str | None
    keys: tuple[str, ...]

    def lack(self, campaign: Campaign) -> Message:
        if self.language is None:
            return Message("campaign.no_such_script", file=campaign.file, name=self.script)
        return Message("campaign.no_translation", file=campaign.file, script=self.script, language=self.language)


def _translations(campaign: Campaign, names: "_Names") -> Iterator[_Translation]:
    for script in campaign.scripts:
        for language in campaign.languages:
            yield _Translation(script, language, tuple(names.of(f"{script}.{language}")))
        if not campaign.languages:
            keys = names.of(script)
            for key in keys:
                yield _Translation(script, language_of_name(key), (key,))
            if not keys:
                yield _Translation(script, None, ())


def _voices_of(campaign: Campaign, names: "_Names") -> dict[str, str | None]:
    """The voices that a campaign wants -> their language, where it is told."""
    found: dict[str, str | None] = {}
    for choice in campaign.voices:
        for key in names.of(choice.voice):
            found[key] = found.get(key) or choice.language
    for translation in _translations(campaign, names):
        for key in translation.keys:
            found[key] = found.get(key) or translation.language
    return found


class _Names:
    """What uploads are called: by key, and by file name where it is known. Unicode is compared composed (NFC)."""

    def __init__(self, keys: Collection[str]) -> None:
        self._uploads = keys
        self._known: dict[str, list[str]] = {}

    @cached_property
    def _keys(self) -> dict[str, list[str]]:
        """Name -> keys; worked out when the first campaign asks."""
        files = self._uploads if isinstance(self._uploads, Mapping) else {}
        keys: dict[str, list[str]] = defaultdict(list)
        for key in self._uploads:
            for name in {key, Path(files.get(key, key)).name}:
                keys[unicodedata.normalize("NFC", name)].append(key)
        return keys

    def of(self, pattern: str) -> list[str]:
        """The keys of a name, or of a glob; a key's own spelling may be left to the pipeline."""
        if pattern not in self._known:
            self._known[pattern] = self._find(pattern)
        return self._known[pattern]

    def of_any(self, patterns: Iterable[str]) -> set[str]:
        """The keys of several."""
        return {key for pattern in patterns for key in self.of(pattern)}

    def _find(self, pattern: str) -> list[str]:
        if pattern in self._keys:
            return self._keys[pattern]
        if not any(sign in pattern for sign in WILDCARDS):
            return self._keys.get(partition_key(pattern), [])
        fits = compile_pattern(translate(pattern)).match
        return list(dict.fromkeys(key for name, keys in self._keys.items() if fits(name) for key in keys))
