"""The commands ``heygem campaign ...``."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from heygem_pipeline.errors import CampaignWrong
from heygem_pipeline.terminal import output, sentences, tell

if TYPE_CHECKING:
    from heygem_pipeline.automation.campaign import Campaign
    from heygem_pipeline.automation.campaigns import Campaigns

app = typer.Typer(help="Which voices are wanted on which presenters: data/campaigns/*.yaml", no_args_is_help=True)

LONGEST_LIST = 100
"""Names printed of a campaign's voices, and of its presenters."""


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="Default: every campaign in data/campaigns")] = None,
) -> None:
    """Name every problem of the campaigns with its line; exit 2 if there is one."""
    from heygem_pipeline.automation.campaign_files import read_campaign
    from heygem_pipeline.automation.campaigns import load_campaigns
    from heygem_pipeline.storage.folders import data_folders

    with sentences():
        folders = data_folders()
        if file is None:
            campaigns = load_campaigns(folders.campaigns)
            checked = campaigns.usable
        else:
            checked = (read_campaign(file),)
            campaigns = load_campaigns(folders.campaigns).with_campaign(checked[0])
        voices, presenters = _uploads()
        for campaign in checked:
            _say_what_it_wants(campaign, voices, presenters)
        if campaigns.everything:
            output.print("There is no campaign: every voice is wanted on every presenter.")
        problems = _contradictions(campaigns, checked, voices, presenters)
        if file is None:
            problems = [*_problems(campaigns), *problems]
        if problems:
            raise CampaignWrong(problems)


@app.command()
def new(name: Annotated[str, typer.Argument(help="What the campaign is called; its file gets this name")]) -> None:
    """Write a campaign with every key explained, for you to change."""
    from heygem_pipeline.automation.campaign_files import write_example
    from heygem_pipeline.storage.folders import data_folders

    with sentences():
        path = write_example(data_folders().campaigns, name)
    output.print(Text(f"{path} wants every voice on every presenter; change it, then: heygem campaign check"))


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(help="Default: all campaigns in a table")] = None,
) -> None:
    """Say what the campaigns match, how many clips they want, how many are finished, and their next time."""
    from heygem_pipeline.automation.campaign import SUFFIX
    from heygem_pipeline.automation.campaign_files import read_campaign
    from heygem_pipeline.automation.campaigns import Campaigns, load_campaigns, matches
    from heygem_pipeline.storage.folders import data_folders

    with sentences():
        folder = data_folders().campaigns
        if name is None:
            campaigns = load_campaigns(folder)
        else:
            campaigns = Campaigns((read_campaign(folder / f"{name.removesuffix(SUFFIX)}{SUFFIX}"),))
        voices, presenters = _uploads()
        _print_table(campaigns, voices, presenters)
        if name is not None:
            for campaign in campaigns.usable:
                found = matches(campaign, voices, presenters)
                said = [f"{key} ({language})" if language else key for key, language in found.voices.items()]
                output.print(Text(f"Voices: {_listed(said)}\nPresenters: {_listed(found.presenters)}"))
                for warning in found.warnings:
                    tell(f"Warning: {warning}")
        if campaigns.wrong:
            raise CampaignWrong(_problems(campaigns))


def _say_what_it_wants(campaign: "Campaign", voices: Mapping[str, Path], presenters: Mapping[str, Path]) -> None:
    from heygem_pipeline.automation.campaigns import matches

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


def _print_table(campaigns: "Campaigns", voices: Mapping[str, Path], presenters: Mapping[str, Path]) -> None:
    from heygem_pipeline.automation.campaigns import matches

    table = Table("campaign", "voices", "presenters", "clips", "finished", "next time", box=SIMPLE_HEAD)
    rows = [
        (campaign.title, matched.voices, matched.presenters, _next_time(campaign))
        for campaign in campaigns.usable
        for matched in [matches(campaign, voices, presenters)]
    ]
    if campaigns.everything:
        rows = [("no campaign: everything", voices, presenters, "")]
    for title, its_voices, its_presenters, when in rows:
        counts = len(its_voices), len(its_presenters), len(its_voices) * len(its_presenters)
        finished = _finished(its_voices, its_presenters)
        table.add_row(Text(title, overflow="fold"), *map(str, counts), str(finished), when)
    output.print(table)


def _next_time(campaign: "Campaign") -> str:
    from heygem_pipeline.automation.cron import next_time

    if campaign.schedule is None:
        return ""
    return f"{next_time(campaign.schedule, campaign.timezone, datetime.now(UTC)):%a %Y-%m-%d %H:%M} {campaign.timezone}"


def _finished(voices: Collection[str], presenters: Collection[str]) -> int:
    from heygem_pipeline.quality.report import finished_report
    from heygem_pipeline.storage.folders import data_folders

    folders = data_folders()
    return sum(finished_report(folders, voice, presenter) is not None for voice in voices for presenter in presenters)


def _problems(campaigns: "Campaigns") -> list[str]:
    return [problem for error in campaigns.wrong for problem in error.problems]


def _contradictions(
    campaigns: "Campaigns",
    checked: Sequence["Campaign"],
    voices: Mapping[str, Path],
    presenters: Mapping[str, Path],
) -> list[str]:
    """The first clip for each group of campaigns that contradict each other, where one of them is among ``checked``."""
    from heygem_pipeline.automation.campaigns import contradictions, wanted_clips

    wanted = wanted_clips(campaigns, voices, presenters)
    told: dict[tuple[str, ...], str] = {}
    for clip, sentence in contradictions(wanted).items():
        files = tuple(campaign.file for campaign in wanted[clip])
        if any(campaign.file in files for campaign in checked):
            told.setdefault(files, sentence)
    return list(told.values())


def _uploads() -> tuple[dict[str, Path], dict[str, Path]]:
    from heygem_pipeline.assets.uploads import UploadKind, Uploads
    from heygem_pipeline.storage.folders import data_folders

    uploads = Uploads(data_folders())
    return uploads.take_in(UploadKind.AUDIO), uploads.take_in(UploadKind.TEMPLATE)


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - LONGEST_LIST} more" if len(names) > LONGEST_LIST else ""
    return (", ".join(names[:LONGEST_LIST]) or "none") + rest
