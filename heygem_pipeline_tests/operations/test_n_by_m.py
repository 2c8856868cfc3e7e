"""N voices x M presenters cost N analyses, M trackings and N x M clips, counted through the whole graph."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.clip import presenter, voice
from heygem_pipeline.operations.materialize import Materializer, make_missing
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.conftest import swaying_presenter, write_video, write_voice


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the calls that cost something, each with its file."""
    counted: Counter[str] = Counter()

    def count(module: Any, name: str, file_of: Callable[[Any], Path]) -> None:
        real = getattr(module, name)

        def counting(subject: Any, *arguments: Any) -> Any:
            counted[f"{name} {file_of(subject).name}"] += 1
            return real(subject, *arguments)

        monkeypatch.setattr(module, name, counting)

    count(voice, "analyse_speech", lambda path: path)
    count(presenter, "track_faces", lambda sequence: sequence.info.path)
    return counted


def made(instance: dg.DagsterInstance, asset: str) -> int:
    return len(instance.fetch_materializations(dg.AssetKey(asset), limit=1000).records)


@pytest.mark.long
def test_two_voices_on_three_presenters_are_analysed_twice_and_tracked_three_times(
    data: DataFolders, work: Counter[str], tmp_path: Path
) -> None:
    write_video(tmp_path / "presenter.mp4", [frame[::2, ::2].copy() for frame in swaying_presenter(8)])
    for number in range(2):
        write_voice(data.voices / f"voice {number}.wav", 0.5 + number / 25)
    for number in range(3):
        shutil.copy(tmp_path / "presenter.mp4", data.presenters / f"presenter {number}.mp4")

    with open_instance(data) as instance:

        def make() -> None:
            take_in_uploads(instance, data)
            clips = list(plan(instance, data, settings()).clips)
            materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(data, settings()))
            found = make_missing(instance, data, settings(), materializer, clips, print)
            assert found.counts == {State.DONE: len(clips)}

        make()
        assert work == dict.fromkeys(
            [f"analyse_speech voice {n}.wav" for n in range(2)] + [f"track_faces presenter {n}.mp4" for n in range(3)],
            1,
        )
        assert (made(instance, "audio_features"), made(instance, "face_tracks")) == (2, 3)
        assert made(instance, "encoded_video") == 6
        assert len(list((data.root / "outputs").glob("*/*.mp4"))) == 6

        make()
        assert sum(work.values()) == 5 and made(instance, "encoded_video") == 6

        write_voice(data.voices / "a third.wav", 0.5)
        make()
        assert work["analyse_speech a third.wav"] == 1 and sum(work.values()) == 6
        assert made(instance, "encoded_video") == 9
