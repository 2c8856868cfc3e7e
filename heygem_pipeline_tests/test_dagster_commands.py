"""The project under Dagster's own commands, as somebody uses it who knows Dagster and not ``heygem``."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest

from heygem_pipeline_tests.dagster_page import Page
from heygem_pipeline_tests.served import wait_for_page
from heygem_pipeline_tests.test_definitions import PACKAGE

PROJECT = PACKAGE.parent
FOLDERS_OF_PEOPLE = {"audio", "templates", "campaigns", "outputs"}
ASSETS = "query { assetNodes { assetKey { path } } }"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project as it is cloned: its files, no data, no virtual environment, nothing of it in the environment."""
    clone = tmp_path / "project"
    shutil.copytree(PACKAGE, clone / "heygem_pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "dagster.yaml", "workspace.yaml", ".env", "data/README.md"):
        (clone / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, clone / name)
    for name in [name for name in os.environ if name.startswith(("HEYGEM_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(clone))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return clone


@pytest.mark.long
def test_assets_that_dg_scaffolds_stand_in_the_graph(project: Path) -> None:
    for place in ("my_asset.py", "assets/my_other_asset.py"):
        command = ["dg", "scaffold", "defs", "dagster.asset", place]
        subprocess.run(command, cwd=project, capture_output=True, check=True, timeout=240)
        assert (project / "heygem_pipeline" / "assets" / place).is_file()
    listed = subprocess.run(
        ["dg", "list", "defs", "--json"], cwd=project, capture_output=True, text=True, check=True, timeout=240
    )
    ours = {"spoken_script", "audio_features", "face_tracks", "generated_frames", "encoded_video", "delivery"}
    assert {asset["asset_key"] for asset in json.loads(listed.stdout)["assets"]} == {
        *ours,
        "my_asset",
        "my_other_asset",
    }


@pytest.mark.long
@pytest.mark.server
def test_a_fresh_clone_under_dagster_dev_makes_its_folders_and_loads(project: Path, tmp_path: Path, port: int) -> None:
    with (tmp_path / "output").open("wb") as output:
        server = subprocess.Popen(
            ["dagster", "dev", "--host", "127.0.0.1", "--port", str(port)],
            cwd=project,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for_page(port, server)
        deadline = monotonic() + 120
        page = Page(port)
        while len(page.ask(ASSETS)) < 5 or not any(tick.said for tick in page.sensor_ticks("uploads")):
            assert server.poll() is None and monotonic() < deadline, (tmp_path / "output").read_text()
            sleep(0.5)
        assert {path.name for path in (project / "data").iterdir()} >= FOLDERS_OF_PEOPLE
        assert {tick.said for tick in page.sensor_ticks("uploads")} == {"No change: 0 audio, 0 template."}
    finally:
        processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        server.send_signal(signal.SIGINT)
        _gone, left = psutil.wait_procs(processes, timeout=60)
        for process in left:
            process.kill()
        server.wait()


@pytest.mark.long
def test_folders_that_went_away_are_not_made_again(project: Path) -> None:
    state = project / "data" / "state"
    state.mkdir()
    (state / "uploads.json").write_text("{}", encoding="utf-8")
    load = [sys.executable, "-c", "import heygem_pipeline.definitions"]
    subprocess.run(load, cwd=project, check=True, timeout=120)
    assert not FOLDERS_OF_PEOPLE & {path.name for path in (project / "data").iterdir()}
    (state / "uploads.json").unlink()
    subprocess.run(load, cwd=project, check=True, timeout=120)
    assert {path.name for path in (project / "data").iterdir()} >= FOLDERS_OF_PEOPLE
