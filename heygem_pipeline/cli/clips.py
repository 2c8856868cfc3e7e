"""The commands of daily work: ``heygem status``, ``retry``, ``cancel``, ``keep`` and ``batch``."""

from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from heygem_pipeline.cli.answers import JSON_HELP, say, status_answer
from heygem_pipeline.cli.completion import campaign_names, clip_names, subject_names
from heygem_pipeline.cli.status_matrix import matrix, word_of, worker_in_words
from heygem_pipeline.cli.terminal import OTHER_FAILURE, StageBars, interruption, messages, output, sentences, tell
from heygem_pipeline.errors import UploadMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heygem_pipeline.planning.plan import Plan
    from heygem_pipeline.planning.status import Status
    from heygem_pipeline.runs.instance import Instance
    from heygem_pipeline.storage.clip_key import ClipKey
    from heygem_pipeline.storage.paths import DataFolders

app = typer.Typer()

SECONDS_BETWEEN_LOOKS = 2.0
SECONDS_OF_A_LIVE_RUN = 60.0
"""Within which a run that is at work has said how far it is."""

NAMES_TOLD = 10
STARTED_SOON = "The running pipeline starts them within seconds; watch: heygem status --watch"
NOBODY_RUNS = "Nothing runs now; start them with: heygem up, or make them here: heygem batch"


@app.command()
def status(
    watch: Annotated[bool, typer.Option("--watch", help="Keep showing the changes, until Ctrl-C")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Show the state of every wanted clip: done, running, failed, waiting ..."""
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.storage.paths import data_folders

    with sentences(as_json), open_instance(folders := data_folders()) as instance:
        if as_json:
            _say_status(instance, folders, watch)
            return
        # Here nothing is to be copied: the matrix fits the terminal, however narrow.
        console = Console() if output.is_terminal else output
        if not watch:
            console.print(_look(instance, folders).matrix(console.width, None))
            for line in _workers(folders):
                console.print(line)
            return
        screen = console.is_terminal
        with interruption() as interrupted, Live(console=console, auto_refresh=False, screen=screen) as live:
            while True:
                look = _look(instance, folders)
                live.update(look.matrix(console.width, console.height if screen else None), refresh=True)
                if interrupted.wait(SECONDS_BETWEEN_LOOKS):
                    return


def _workers(folders: "DataFolders") -> list[str]:
    """A line for each worker of a cluster."""
    if not folders.broker:
        return []
    from heygem_pipeline.runs.cluster_workers import workers_of

    return [worker_in_words(worker) for worker in workers_of(folders)] or ["No worker has come yet: heygem worker"]


def _say_status(instance: "Instance", folders: "DataFolders", watch: bool) -> None:
    """One line of JSON; with ``watch`` one more whenever something has changed."""
    before = None
    with interruption() as interrupted:
        while True:
            look = _look(instance, folders)
            answer = status_answer(look.found, folders, look.word, look.served)
            if answer != before:
                say(answer)
            before = answer
            if not watch or interrupted.wait(SECONDS_BETWEEN_LOOKS):
                return


@dataclass(frozen=True)
class _Look:
    """One look at where everything stands.

    Attributes:
        killed: runs that are recorded as running, and that nobody runs.
    """

    found: "Plan"
    served: bool
    killed: frozenset[str]

    def word(self, status: "Status") -> str:
        return word_of(status, self.killed)

    def matrix(self, width: int, height: int | None) -> RenderableType:
        return matrix(self.found, width, height, self.word)


def _look(instance: "Instance", folders: "DataFolders") -> _Look:
    from heygem_pipeline.planning.planner import plan
    from heygem_pipeline.planning.status import State
    from heygem_pipeline.runs.data_folder_lock import is_served
    from heygem_pipeline.runs.progress import read_progress
    from heygem_pipeline.settings import settings

    found, served = plan(instance, folders, settings()), is_served(folders)
    if served:
        return _Look(found, served, frozenset())
    statuses = [*found.voices.values(), *found.presenters.values(), *found.clips.values(), *found.deliveries.values()]
    recorded = {status.run_id for status in statuses if status.state is State.RUNNING and status.run_id is not None}
    # What was started by Dagster's own commands holds no lock; it tells how far it is.
    told = {run_id: read_progress(folders, run_id) for run_id in recorded}
    quiet = {run_id for run_id, at in told.items() if at is None or time() - at.at > SECONDS_OF_A_LIVE_RUN}
    return _Look(found, served, frozenset(quiet))


@app.command()
def retry(
    clips: Annotated[
        list[str] | None,
        typer.Argument(help="VOICE/PRESENTER, as in data/outputs; default: all", autocompletion=clip_names),
    ] = None,
) -> None:
    """Have failed clips made again, also those whose voice or presenter failed, and removed clips that you name."""
    from heygem_pipeline.planning.planner import plan
    from heygem_pipeline.planning.retry_and_cancel import try_again
    from heygem_pipeline.planning.status import State
    from heygem_pipeline.runs.data_folder_lock import is_served
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders

    with sentences(), open_instance(folders := data_folders()) as instance:
        found = plan(instance, folders, settings())
        # What was removed for its age is made again only where it is named.
        failed = [clip for clip, status in found.clips.items() if status.state is State.FAILED]
        chosen = [_clip(found, name) for name in clips] if clips else failed
        again = try_again(folders, found, chosen)
        for clip in chosen:
            if clip not in again:
                tell(f"{clip.label} has not failed; it is {word_of(found.clips[clip])}.")
        _say_asked(len(again), is_served(folders))


@app.command()
def cancel(
    name: Annotated[
        str,
        typer.Argument(
            help="VOICE/PRESENTER, as in data/outputs; or a voice or presenter alone", autocompletion=subject_names
        ),
    ],
) -> None:
    """Stop the run of a clip, or prevent its start; the clip is then not made until somebody asks for it."""
    from heygem_pipeline.planning import retry_and_cancel
    from heygem_pipeline.planning.planner import plan
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders

    with sentences(), open_instance(folders := data_folders()) as instance:
        found = plan(instance, folders, settings())
        uploads = [statuses[name] for statuses in (found.voices, found.presenters) if name in statuses]
        clips = [] if uploads else [_clip(found, name)]
        statuses = uploads or [found.clips[clip] for clip in clips]
        runs = [run_id for status in uploads if (run_id := status.active_run) is not None]
        if not runs and all(found.clips[clip].settled for clip in clips):
            tell(f"{name} is in no run; it is {word_of(statuses[0])}.")
            raise typer.Exit(OTHER_FAILURE)
        silent = [run_id for run_id in runs if not retry_and_cancel.stop(instance, folders, run_id)]
        silent += retry_and_cancel.cancel(instance, folders, found, clips)
        if silent:
            tell(f"The run {silent[0]} of {name} does not answer; restarting the pipeline (heygem up) ends it.")
            raise typer.Exit(OTHER_FAILURE)
    output.print(Text(f"{name} is cancelled; to have it made: heygem retry{'' if uploads else f' {name}'}"))


@app.command()
def keep(
    clips: Annotated[
        list[str] | None,
        typer.Argument(help="VOICE/PRESENTER, as in data/outputs; default: all", autocompletion=clip_names),
    ] = None,
    campaign: Annotated[
        str | None, typer.Option(help="Only what this campaign wants", autocompletion=campaign_names)
    ] = None,
) -> None:
    """Keep finished clips under numbers of their own, before they are made in another way under their names."""
    from heygem_pipeline.operations.earlier_clips import keep_as_they_are
    from heygem_pipeline.planning.planner import plan
    from heygem_pipeline.planning.retry_and_cancel import clips_of_campaign
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders

    with sentences(), open_instance(folders := data_folders()) as instance:
        found = plan(instance, folders, settings())
        chosen = [_clip(found, name) for name in clips] if clips else clips_of_campaign(found, campaign)
        kept = keep_as_they_are(folders, chosen)
    for one in kept:
        output.print(Text(str(one.path(folders))), soft_wrap=True)
    if not kept:
        output.print("No finished clip was to be kept.")


@app.command()
def batch(
    campaign: Annotated[
        str | None,
        typer.Argument(
            help="Only what this campaign wants: its name, title or file; default: all clips",
            autocompletion=campaign_names,
        ),
    ] = None,
) -> None:
    """Make every wanted clip that is missing or out of date, in the running pipeline or, if none runs, right here."""
    from heygem_pipeline.operations.materialize import Materializer, make_missing
    from heygem_pipeline.operations.recovery import fail_abandoned_runs
    from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
    from heygem_pipeline.planning.planner import plan
    from heygem_pipeline.planning.retry_and_cancel import clips_of_campaign, make_missing_now
    from heygem_pipeline.planning.status import State
    from heygem_pipeline.runs.data_folder_lock import is_served, only_runner
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.runs.partitions import take_in_uploads
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders

    with sentences(), open_instance(folders := data_folders()) as instance:
        take_in_uploads(instance, folders, photographs_move=settings().photographs_move)
        if is_served(folders):
            found = plan(instance, folders, settings())
            asked = make_missing_now(folders, found, clips_of_campaign(found, campaign))
            _say_asked(len(asked), served=True)
            wanted = clips_of_campaign(found, campaign)
            failed = [clip for clip in wanted if found.clips[clip].state is State.FAILED]
            if _tell_unmade(failed, len(wanted), folders):
                raise typer.Exit(OTHER_FAILURE)
            return
        with only_runner(folders), StageBars(messages) as bars:
            fail_abandoned_runs(instance, folders)
            chosen = clips_of_campaign(plan(instance, folders, settings()), campaign)
            materializer = Materializer(instance, bars, CampaignSpecifications(folders, settings()))
            found = make_missing(instance, folders, settings(), materializer, chosen, messages.print)
    output.print(matrix(found, output.width))
    # What was removed for its age was made, and is made again only where it is named.
    unmade = [clip for clip, status in found.clips.items() if status.state not in (State.DONE, State.REMOVED)]
    unpacked = [voice for voice, status in found.deliveries.items() if status.state is State.FAILED]
    for voice in unpacked:
        tell(f"The ZIP of {voice} is not made: {found.deliveries[voice].reason}")
    if _tell_unmade(unmade, len(found.clips), folders) or unpacked:
        raise typer.Exit(OTHER_FAILURE)


def _tell_unmade(unmade: "Sequence[ClipKey]", wanted: int, folders: "DataFolders") -> bool:
    """Name wanted clips that are not made, and campaigns' files that want nothing because they are wrong."""
    from heygem_pipeline.campaigns.campaigns_folder import load_campaigns
    from heygem_pipeline.clip.render_spec import default_render_spec
    from heygem_pipeline.settings import settings

    wrong = load_campaigns(folders.campaigns, default_render_spec(settings())).wrong
    for error in wrong:
        tell(str(error))
    if unmade:
        named = ", ".join(clip.label for clip in unmade[:NAMES_TOLD])
        more = f" and {len(unmade) - NAMES_TOLD} more" if len(unmade) > NAMES_TOLD else ""
        tell(f"{len(unmade)} of {wanted} wanted clips are not made: {named}{more}. Why: heygem status")
    return bool(unmade or wrong)


def _clip(found: "Plan", name: str) -> "ClipKey":
    """The clip of ``voice/presenter``, the way its file lies in outputs; ``voice|presenter`` is how Dagster says it."""
    from heygem_pipeline.storage.clip_key import ClipKey

    clip = ClipKey.from_label(name)
    if clip is None or clip not in found.clips:
        raise UploadMissing("clip.not_wanted", name=name)
    return clip


def _say_asked(count: int, served: bool) -> None:
    if count == 0:
        output.print("There is nothing to make.")
    else:
        output.print(f"{count} clips are asked for. {STARTED_SOON if served else NOBODY_RUNS}")
