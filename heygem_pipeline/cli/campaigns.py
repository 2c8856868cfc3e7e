"""The commands ``heygem campaign ...``."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from heygem_pipeline.cli.answers import JSON_HELP, campaign_answer, refusal, say
from heygem_pipeline.cli.completion import campaign_names
from heygem_pipeline.cli.status_matrix import word_of
from heygem_pipeline.cli.terminal import BAD_INPUT, output, sentences, tell
from heygem_pipeline.errors import CampaignWrong, PipelineError, UploadMissing
from heygem_pipeline.messages.message import Message

if TYPE_CHECKING:
    from heygem_pipeline.campaigns.campaign import Campaign
    from heygem_pipeline.campaigns.campaigns_folder import Campaigns
    from heygem_pipeline.clip.render_spec import RenderSpec
    from heygem_pipeline.planning.plan import Plan
    from heygem_pipeline.storage.clip_key import ClipKey
    from heygem_pipeline.storage.paths import DataFolders

app = typer.Typer(help="Which voices are wanted on which presenters: data/campaigns/*.yaml", no_args_is_help=True)

COUNTED = ("done", "stale", "failed")
"""Of a campaign's clips, by where the planner says that they stand; the rest is still to be made."""

LONGEST_LIST = 100
"""Names printed of a campaign's voices, and of its presenters."""


@app.command("webhook-secret")
def webhook_secret() -> None:
    """Print the secret with which receivers of webhooks check that a call comes from here."""
    from heygem_pipeline.operations.webhooks import secret_of
    from heygem_pipeline.storage.paths import data_folders

    with sentences():
        print(secret_of(data_folders()))


NAME_HELP = "Its name, title or file"


@app.command()
def check(
    name: Annotated[
        str | None,
        typer.Argument(
            help=f"{NAME_HELP}, anywhere; default: every campaign in data/campaigns", autocompletion=campaign_names
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """List every mistake in the campaigns with its line; exit status 2 if there is one."""
    from heygem_pipeline.campaigns.campaigns_folder import load_campaigns, matches
    from heygem_pipeline.clip.render_spec import default_render_spec
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders

    with sentences(as_json, _files()):
        folders, usual = data_folders(), default_render_spec(settings())
        campaigns = load_campaigns(folders.campaigns, usual)
        checked = campaigns.usable
        if name is not None:
            checked = (_named(name, folders, usual),)
            campaigns = campaigns.with_campaign(checked[0])
        voices, presenters = _uploads(folders)
        for campaign in checked if not as_json else ():
            _say_what_it_wants(campaign, voices, presenters)
        if campaigns.everything and not as_json:
            output.print("There is no campaign: every voice is wanted on every presenter.")
        problems = _contradictions(campaigns, checked, voices, presenters)
        problems += _disagreements_on_speakers(campaigns, checked, voices)
        if name is None:
            problems = [*_problems(campaigns), *problems]
        if problems:
            raise CampaignWrong(problems)
        if as_json:
            found = ((campaign, matches(campaign, voices, presenters)) for campaign in checked)
            told = [campaign_answer(one, folders, its.voices, its.presenters, {}, its.warnings) for one, its in found]
            say({"campaigns": told, "everything": campaigns.everything})


@app.command()
def new(name: Annotated[str, typer.Argument(help="Name of the campaign and of its file")]) -> None:
    """Write a new campaign in which every key is explained."""
    from heygem_pipeline.campaigns.campaign_file import write_example
    from heygem_pipeline.storage.paths import data_folders

    with sentences():
        path = write_example(data_folders().campaigns, name)
    output.print(Text(f"{path} wants every voice on every presenter; change it, then: heygem campaign check"))


@app.command()
def status(
    name: Annotated[
        str | None, typer.Argument(help=f"{NAME_HELP}; default: all in a table", autocompletion=campaign_names)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Show what each campaign matches, how many clips it wants and how many are done, and when it starts next."""
    from heygem_pipeline.campaigns.campaigns_folder import Campaigns, load_campaigns, matches
    from heygem_pipeline.clip.render_spec import default_render_spec
    from heygem_pipeline.planning.planner import plan
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders

    with sentences(as_json, _files()):
        folders, usual = data_folders(), default_render_spec(settings())
        if name is None:
            campaigns = load_campaigns(folders.campaigns, usual)
        else:
            campaigns = Campaigns((_named(name, folders, usual),))
        voices, presenters = _uploads(folders)
        with open_instance(folders) as instance:
            found = plan(instance, folders, settings())
        if as_json:
            _say_campaigns(campaigns, folders, voices, presenters, found)
            if campaigns.wrong:
                raise typer.Exit(BAD_INPUT)
            return
        _print_table(campaigns, voices, presenters, found)
        if name is not None:
            for campaign in campaigns.usable:
                matched = matches(campaign, voices, presenters)
                said = [f"{key} ({language})" if language else key for key, language in matched.voices.items()]
                output.print(Text(f"Voices: {_listed(said)}\nPresenters: {_listed(matched.presenters)}"))
                for warning in matched.warnings:
                    tell(f"Warning: {warning}")
        if campaigns.wrong:
            raise CampaignWrong(_problems(campaigns))


def _say_campaigns(
    campaigns: "Campaigns",
    folders: "DataFolders",
    voices: Mapping[str, Path],
    presenters: Mapping[str, Path],
    found: "Plan",
) -> None:
    from heygem_pipeline.campaigns.campaigns_folder import matches

    told = []
    for campaign in campaigns.usable:
        matched = matches(campaign, voices, presenters)
        counts = Counter(word_of(found.clips[clip]) for clip in _clips_of(campaign, found))
        told.append(campaign_answer(campaign, folders, matched.voices, matched.presenters, counts, matched.warnings))
    answer = {"campaigns": told, "everything": campaigns.everything}
    say(answer | (refusal(CampaignWrong(_problems(campaigns)), _files()) if campaigns.wrong else {}))


def _named(name: str, folders: "DataFolders", usual: "RenderSpec") -> "Campaign":
    """The campaign of a name, a file anywhere, or a title: all that these commands print of one."""
    from heygem_pipeline.campaigns.campaign import SUFFIX
    from heygem_pipeline.campaigns.campaign_file import read_campaign
    from heygem_pipeline.campaigns.campaigns_folder import load_campaigns

    if Path(name).is_file():
        return read_campaign(Path(name), usual)
    path = folders.campaigns / f"{name.removesuffix(SUFFIX)}{SUFFIX}"
    if not path.is_file():
        called = [one for one in load_campaigns(folders.campaigns, usual).usable if one.is_called(name)]
        if len(called) > 1:
            raise UploadMissing("campaign.several", name=name, files=", ".join(one.file for one in called))
        path = folders.campaigns / called[0].file if called else path
    return read_campaign(path, usual)


def _files() -> Iterator[Path]:
    """Those that a refusal may name: the campaigns' files. Looked for only when something is refused."""
    from heygem_pipeline.storage.paths import data_folders

    with suppress(PipelineError, OSError):
        yield from data_folders().campaigns.iterdir()


def _say_what_it_wants(campaign: "Campaign", voices: Mapping[str, Path], presenters: Mapping[str, Path]) -> None:
    from heygem_pipeline.campaigns.campaigns_folder import matches

    found = matches(campaign, voices, presenters)
    count = len(found.voices) * len(found.presenters)
    output.print(
        Text(
            f"{campaign.file} is in order: {len(found.voices)} voices x {len(found.presenters)} presenters = "
            f"{count} clips"
        )
    )
    for warning in found.warnings:
        tell(f"Warning: {warning}")


def _print_table(
    campaigns: "Campaigns", voices: Mapping[str, Path], presenters: Mapping[str, Path], found: "Plan"
) -> None:
    from heygem_pipeline.campaigns.campaigns_folder import matches

    rows = [(campaign, _clips_of(campaign, found)) for campaign in campaigns.usable]
    # A column for what somebody cancelled is seldom needed, and the table is wide.
    cancelled = any(word_of(found.clips[clip]) == "cancelled" for _, mine in rows for clip in mine)
    counted = (*COUNTED, "cancelled") if cancelled else COUNTED
    head = "campaign", "voices", "presenters", "clips", *counted, "next time"
    table = Table(*head, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for campaign, mine in rows:
        matched = matches(campaign, voices, presenters)
        sizes = len(matched.voices), len(matched.presenters), len(mine)
        numbers = map(str, (*sizes, *_counts(found, mine, counted)))
        table.add_row(Text(campaign.title, overflow="fold"), *numbers, _next_time(campaign))
    if campaigns.everything:
        sizes = len(voices), len(presenters), len(found.clips)
        table.add_row("no campaign: everything", *map(str, (*sizes, *_counts(found, found.clips, counted))), "")
    output.print(table)


def _clips_of(campaign: "Campaign", found: "Plan") -> list["ClipKey"]:
    return [clip for clip, wanting in found.wanting.items() if any(its.file == campaign.file for its in wanting)]


def _counts(found: "Plan", clips: Iterable["ClipKey"], counted: Iterable[str]) -> list[int]:
    statuses = Counter(word_of(found.clips[clip]) for clip in clips)
    return [statuses[word] for word in counted]


def _next_time(campaign: "Campaign") -> str:
    from heygem_pipeline.campaigns.cron import next_time

    if campaign.schedule is None:
        return ""
    return f"{next_time(campaign.schedule, campaign.timezone, datetime.now(UTC)):%a %Y-%m-%d %H:%M} {campaign.timezone}"


def _problems(campaigns: "Campaigns") -> list[Message]:
    return [problem for error in campaigns.wrong for problem in error.problems]


def _contradictions(
    campaigns: "Campaigns",
    checked: Sequence["Campaign"],
    voices: Mapping[str, Path],
    presenters: Mapping[str, Path],
) -> list[Message]:
    """The first clip for each group of campaigns that contradict each other, where one of them is among ``checked``."""
    from heygem_pipeline.campaigns.campaigns_folder import wanted_clips
    from heygem_pipeline.campaigns.contradictions import contradictions

    wanted = wanted_clips(campaigns, voices, presenters)
    told: dict[tuple[str, ...], Message] = {}
    for clip, contradiction in contradictions(wanted).items():
        files = tuple(campaign.file for campaign in wanted[clip])
        if any(campaign.file in files for campaign in checked):
            told.setdefault(files, contradiction)
    return list(told.values())


def _disagreements_on_speakers(
    campaigns: "Campaigns", checked: Sequence["Campaign"], voices: Mapping[str, Path]
) -> list[Message]:
    from heygem_pipeline.campaigns.campaigns_folder import speech_orders

    files = {campaign.file for campaign in checked}
    orders = speech_orders(campaigns.usable, voices).values()
    return [one for one in orders if isinstance(one, Message) and files & {one.values["first"], one.values["second"]}]


def _uploads(folders: "DataFolders") -> tuple[dict[str, Path], dict[str, Path]]:
    """The voices and presenters that are taken in; says which files are not, where nobody is about to take them in."""
    from heygem_pipeline.runs.data_folder_lock import is_served
    from heygem_pipeline.uploads.registry import UploadKind, Uploads

    uploads = Uploads(folders)
    known = {kind: uploads.paths(kind, uploads.known(kind)) for kind in UploadKind}
    taken_in = {path for files in known.values() for path in files.values()}
    new = [path.name for kind in UploadKind for path in uploads.files(kind) if path not in taken_in]
    if new and not is_served(folders):
        tell(f"Not taken in yet: {_listed(new)}; heygem ingest does it, and so does heygem up.")
    return uploads.voices(), known[UploadKind.PRESENTER]


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - LONGEST_LIST} more" if len(names) > LONGEST_LIST else ""
    return (", ".join(names[:LONGEST_LIST]) or "none") + rest
