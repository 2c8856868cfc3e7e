"""What several subjects' tests need: a presenter, a voice, a data folder."""

import gc
import os
import shutil
import signal
import socket
import sqlite3
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from numpy.typing import NDArray
from sqlalchemy import Engine, event

from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline_tests.bucket_server import BucketServer, bucket_server
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.postgres_server import PostgresServer, postgres_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REAL_CLIPS = Path(__file__).resolve().parents[2] / "shared" / "clips"
CHROMIUM = "/usr/bin/chromium"
ANY_NAME_IS_THIS_MACHINE = "--host-resolver-rules=MAP *.example 127.0.0.1"
PRESENTER_FRAMES = 12
PRESENTER_RATE = 25


# On a busy machine any example may take long.
hypothesis_settings.register_profile("unhurried", deadline=None)
hypothesis_settings.load_profile("unhurried")


def pytest_configure() -> None:
    """In the background of a script Ctrl-C is ignored; Dagster would have all it starts ignore SIGTERM too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for garbage only afterwards: imports leave none, and looking for it is a third of their time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: some of them wait, others work, and at the end nobody waits."""
    items.sort(key=minutes, reverse=True)


def minutes(item: pytest.Item) -> float:
    """How long the file takes, roughly."""
    marker = item.get_closest_marker("long")
    return marker.kwargs.get("minutes", 0.5) if marker else 0.0


@pytest.fixture(scope="session")
def clips() -> Path:
    """Folder of real footage kept beside the project; never part of it."""
    if not REAL_CLIPS.is_dir():
        pytest.skip("the folder of real footage is not on this machine")
    return REAL_CLIPS


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``presenter.mp4`` (Grace Hopper, swaying, 12 frames, 25 a second) and ``voice.wav`` (0.8 s)."""
    folder = tmp_path_factory.mktemp("material")
    write_video(folder / "presenter.mp4", swaying_presenter())
    write_voice(folder / "voice.wav", 0.8)
    return folder


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with stand-ins for face-alignment's weights, which find painted faces."""
    pytest.importorskip("face_alignment")
    from heygem_pipeline_tests.faces.stand_in_weights import write_stand_ins

    folder = tmp_path_factory.mktemp("stand-ins")
    write_stand_ins(folder)
    return folder


@event.listens_for(Engine, "connect")
def _write_without_waiting_for_the_disk(connection: object, _record: object) -> None:
    """Of the tests' own process: no power cut is survived here, and the disk is slower than everything else."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dagster's state as it is after the first start on an empty data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEYGEM_DATA", str(tmp_path_factory.mktemp("databases")))
        patch.delenv("DAGSTER_HOME", raising=False)
        settings.cache_clear()
        with open_instance(data_folders()):
            state = data_folders().state
    settings.cache_clear()
    return state


@pytest.fixture
def data(new_data: DataFolders, databases: Path) -> DataFolders:
    """The same with Dagster's databases, so that not every test waits half a second for new ones."""
    shutil.copytree(databases, new_data.state, dirs_exist_ok=True)
    return new_data


@pytest.fixture
def new_data(tmp_path: Path) -> Iterator[DataFolders]:
    """An empty data folder that the settings of this test point at; a pipeline started there starts nothing itself."""
    with data_folder_at(tmp_path / "data") as folders:
        yield folders


@contextmanager
def data_folder_at(root: Path) -> Iterator[DataFolders]:
    """Such a folder, for as long as the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEYGEM_AUTOMATIC", "off")
        patch.setenv("HEYGEM_KEEP_FREE_GB", "0")
        patch.setenv("HEYGEM_DATA", str(root))
        # What open_instance() sets is put back at the end.
        for name in ("HEYGEM_DATABASE", "HEYGEM_BROKER", "HEYGEM_BUCKET"):
            patch.setenv(name, os.environ.get(name, ""))
        patch.delenv("DAGSTER_HOME", raising=False)
        settings.cache_clear()
        folders = data_folders()
        folders.make()
        yield folders
    settings.cache_clear()


def swaying_presenter(count: int = PRESENTER_FRAMES) -> list[NDArray[np.uint8]]:
    """Frames, uint8 (480, 400, 3) BGR, of matplotlib's photograph of Grace Hopper moving a few pixels."""
    from matplotlib import cbook

    photograph = _read_rgb(Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))))[:, :, ::-1]
    places = np.round(8 + 8 * np.sin(np.arange(count) / 5)).astype(int)
    return [np.ascontiguousarray(photograph[40 : 40 + 480, 40 + place : 440 + place]) for place in places]


def write_video(path: Path, frames: list[NDArray[np.uint8]], rate: Fraction | int = PRESENTER_RATE) -> None:
    """Encode frames as H.264, nearly without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "12", "preset": "veryfast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(stream.encode(None))


def write_voice(path: Path, seconds: float, rate: int = 16_000) -> None:
    """Write the beginning of the demo's English recording as a WAV of exactly this length, repeated if need be."""
    recording = files("heygem_pipeline.demo").joinpath("voices", "english.ogg")
    speech = read_sound(Path(str(recording)), rate).samples
    samples = np.resize(speech, round(seconds * rate))
    write_wav(path, samples, rate)


def write_wav(path: Path, samples: NDArray[np.floating], rate: int = 16_000) -> None:
    """Write mono samples, -1..1, as 16-bit WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _read_rgb(path: Path) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"), np.uint8)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (make test does)")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM} (apt install chromium)")
    with playwright.sync_playwright() as running:
        yield running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", ANY_NAME_IS_THIS_MACHINE])


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A real PostgreSQL; its database ``dagster`` holds what Dagster makes at the first start."""
    with postgres_server(free_port()) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEYGEM_DATABASE", server.create("dagster"))
        patch.setenv("HEYGEM_DATA", str(tmp_path_factory.mktemp("first start")))
        settings.cache_clear()
        with open_instance(data_folders()):
            pass
        patch.undo()
        settings.cache_clear()
        yield server


@pytest.fixture(scope="session")
def bucket() -> Iterator[BucketServer]:
    """A real server of buckets."""
    with bucket_server(free_port()) as server:
        yield server


@pytest.fixture
def house(data: DataFolders) -> Iterator[House]:
    with open_instance(data) as instance:
        yield House(data, instance)


@pytest.fixture
def port() -> int:
    return free_port()


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
