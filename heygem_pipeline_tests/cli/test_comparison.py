"""The same seconds with several engines, on one page."""

import re
from pathlib import Path

import pytest

from heygem_pipeline.lipsync.contract.material import closed_lips
from heygem_pipeline.media.probe import probe_video
from heygem_pipeline_tests.cli.commands import heygem
from heygem_pipeline_tests.conftest import write_voice
from heygem_pipeline_tests.lipsync.program.recipes import write_recipe


@pytest.fixture(scope="module")
def compared(material: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a comparison, and what was said."""
    place = tmp_path_factory.mktemp("compared")
    write_voice(place / "voice <1>.wav", 3)
    good = write_recipe(place, closed_lips()).rename(place / "painter.yaml")
    bad = write_recipe(place, closed_lips(), "crash").rename(place / "crashing.yaml")
    voice, presenter = place / "voice <1>.wav", material / "presenter.mp4"
    engines = f"warp,program={good},program={bad},wav2lip,nobody"
    said = heygem(
        *("compare", "--audio", voice, "--template", presenter, "--seconds", "1"),
        *("--engines", engines, "--output", place / "page"),
        HEYGEM_CHECKPOINTS=str(place / "none"),
    )
    assert said.exit_code == 0, said.output
    return place / "page", " ".join(said.output.split())


def test_every_engine_has_the_same_seconds_or_says_what_it_lacks(compared: tuple[Path, str]) -> None:
    folder, said = compared
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert {path.name for path in folder.iterdir()} == {"index.html", "warp.mp4", "painter.mp4"}
    assert {probe_video(folder / name).frame_count for name in ("warp.mp4", "painter.mp4")} == {25}
    for told in ("CUDA out of memory", "HEYGEM_ACKNOWLEDGED_LICENCES=wav2lip", "no engine called"):
        assert told in page
    assert "painter" in said and "no clip: " in said


def test_the_page_shows_time_sync_and_licence_and_escapes_names(compared: tuple[Path, str]) -> None:
    page = (compared[0] / "index.html").read_text(encoding="utf-8")
    assert "voice &lt;1&gt;.wav" in page and re.findall(r'src="([^"]+)"', page) == ["warp.mp4", "painter.mp4"]
    assert page.count("<dt>Time</dt>") == page.count("<dt>Sync</dt>") == 2 and page.count("<dt>Licence</dt>") == 5
    assert "Apache-2.0" in page and "any use" in page and "Research and personal use only" in page


def test_where_no_engine_makes_a_clip_the_exit_status_says_so(material: Path, tmp_path: Path) -> None:
    said = heygem(
        *("compare", "--audio", material / "voice.wav", "--template", material / "presenter.mp4"),
        *("--engines", "nobody", "--output", tmp_path / "page"),
    )
    assert said.exit_code == 1 and (tmp_path / "page" / "index.html").is_file()
