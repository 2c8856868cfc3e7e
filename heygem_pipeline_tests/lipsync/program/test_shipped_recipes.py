"""The recipes that come with the pipeline, against programs that keep the interfaces of the real ones."""

import json
import os
import stat
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from heygem_pipeline.errors import ProgramFailed, ProgramMissing
from heygem_pipeline.lipsync.contract.material import HeldPresenter, Material
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.lipsync.program.shipped_recipes import recipe_text, shipped_recipes
from heygem_pipeline.settings import EngineSettings
from heygem_pipeline_tests.lipsync.program import stand_in
from heygem_pipeline_tests.lipsync.program.recipes import mouth_of

HERE = str(Path(stand_in.__file__).parent)

BEGINNING = f"""
import argparse, os, shutil, subprocess, sys
sys.path.insert(0, {HERE!r})
import stand_in, yaml
parser = argparse.ArgumentParser()
"""

LATENTSYNC = (
    BEGINNING
    + """
parser.add_argument("--unet_config_path", type=str, default="configs/unet.yaml")
parser.add_argument("--inference_ckpt_path", type=str, required=True)
parser.add_argument("--video_path", type=str, required=True)
parser.add_argument("--audio_path", type=str, required=True)
parser.add_argument("--video_out_path", type=str, required=True)
parser.add_argument("--inference_steps", type=int, default=20)
parser.add_argument("--guidance_scale", type=float, default=1.0)
parser.add_argument("--seed", type=int, default=1247)
parser.add_argument("--enable_deepcache", action="store_true")
args = parser.parse_args()
assert os.path.exists(args.unet_config_path) and os.path.exists(args.inference_ckpt_path)
assert args.inference_steps == 20 and args.guidance_scale == 1.5
if os.path.exists("temp"):
    shutil.rmtree("temp")
os.makedirs("temp")
stand_in.draw(args.video_path, args.audio_path, "temp/video.mp4", ("groups",))
shutil.copy("temp/video.mp4", args.video_out_path)
"""
)

MUSETALK = (
    BEGINNING
    + """
parser.add_argument("--ffmpeg_path", type=str, default="./ffmpeg-4.4-amd64-static/")
parser.add_argument("--gpu_id", type=int, default=0)
parser.add_argument("--vae_type", type=str, default="sd-vae")
parser.add_argument("--unet_config", type=str, default="./models/musetalk/musetalk.json")
parser.add_argument("--unet_model_path", type=str, default="./models/musetalkV15/unet.pth")
parser.add_argument("--whisper_dir", type=str, default="./models/whisper")
parser.add_argument("--inference_config", type=str, default="configs/inference/test_img.yaml")
parser.add_argument("--bbox_shift", type=int, default=0)
parser.add_argument("--result_dir", default="./results")
parser.add_argument("--output_vid_name", type=str, default=None)
parser.add_argument("--use_saved_coord", action="store_true")
parser.add_argument("--use_float16", action="store_true")
parser.add_argument("--version", type=str, default="v15", choices=["v1", "v15"])
args = parser.parse_args()
assert os.path.exists(args.unet_model_path) and os.path.exists(args.unet_config)
for task in yaml.safe_load(open(args.inference_config)).values():
    folder = os.path.join(args.result_dir, args.version)
    os.makedirs(folder, exist_ok=True)
    name = os.path.basename(task["video_path"]).split(".")[0]
    open(os.path.join(args.result_dir, "../", name + ".pkl"), "w").close()
    try:
        stand_in.draw(task["video_path"], task["audio_path"], os.path.join(folder, task["result_name"]), ("tint",))
    except Exception as error:
        print("Error occurred during processing:", error)
"""
)

WAV2LIP = (
    BEGINNING
    + """
parser.add_argument("--checkpoint_path", type=str, required=True)
parser.add_argument("--face", type=str, required=True)
parser.add_argument("--audio", type=str, required=True)
parser.add_argument("--outfile", type=str, default="results/result_voice.mp4")
parser.add_argument("--static", type=bool, default=False)
parser.add_argument("--fps", type=float, default=25.0, required=False)
parser.add_argument("--pads", nargs="+", type=int, default=[0, 10, 0, 0])
parser.add_argument("--face_det_batch_size", type=int, default=16)
parser.add_argument("--wav2lip_batch_size", type=int, default=128)
parser.add_argument("--resize_factor", default=1, type=int)
parser.add_argument("--nosmooth", default=False, action="store_true")
args = parser.parse_args()
assert os.path.isfile(args.face) and os.path.isfile(args.checkpoint_path)
if not args.audio.endswith(".wav"):
    raise ValueError("not a wav")
stand_in.draw(args.face, args.audio, "temp/result.mp4", ("shorter",))
shutil.copy("temp/result.mp4", args.outfile)
"""
)

PROGRAMS = {
    "latentsync": (LATENTSYNC, "scripts/inference.py"),
    "musetalk": (MUSETALK, "scripts/inference.py"),
    "wav2lip": (WAV2LIP, "inference.py"),
}


@pytest.fixture
def tried(closed_lips: HeldPresenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Material:
    monkeypatch.setenv("STAND_IN_MOUTH", mouth_of(closed_lips))
    return Material(closed_lips, tmp_path, EngineSettings())


def drawn_with(tried: Material, recipe: dict[str, Any]) -> list[MouthPatch]:
    path = tried.folder / "own.yaml"
    path.write_text(yaml.safe_dump(recipe))
    settings = EngineSettings(program=path, acknowledged_licences=("wav2lip-reference",))
    engine = load_engine("program", settings)
    return list(engine.generate(tried.voice(20), tried.presenter.sequence, tried.presenter.tracks))


def installed(name: str, folder: Path) -> dict[str, Any]:
    """The recipe with the two paths of an installation, in which the program's stand-in lies."""
    recipe = yaml.safe_load(recipe_text(name))
    code, place = PROGRAMS[name]
    for needed in (place, *recipe["command"]["needs"]):
        (folder / needed).parent.mkdir(parents=True, exist_ok=True)
        (folder / needed).touch() if "." in needed else (folder / needed).mkdir()
    (folder / place).write_text(code)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    recipe["command"] |= {"folder": str(folder), "program": str(python)}
    return recipe


def everything_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in str(path)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_command_line_is_called_as_its_program_wants_it(name: str, tried: Material) -> None:
    folder = tried.folder / "installed program"
    folder.mkdir()
    recipe = installed(name, folder)
    before = everything_in(folder)
    patches = drawn_with(tried, recipe)
    assert len(patches) == 20 and sum(patch.pixels is not None for patch in patches) >= 16
    assert everything_in(folder) - before <= {"temp", "temp/video.mp4", "temp/result.mp4"}


def test_a_script_that_swallows_its_error_is_told_by_its_last_words(tried: Material) -> None:
    folder = tried.folder / "installed"
    folder.mkdir()
    recipe = installed("musetalk", folder)
    code, place = PROGRAMS["musetalk"]
    (folder / place).write_text(code.replace("stand_in.draw(", "stand_in.no_such_thing("))
    with pytest.raises(ProgramFailed, match=r"MuseTalk 1.5 ended without leaving a video.*no_such_thing"):
        drawn_with(tried, recipe)


class Duix(ThreadingHTTPServer):
    """Keeps the interface of Duix.Avatar's video service."""

    def __init__(self, folder: Path, wrong: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.wrong = folder, wrong
        self.tasks: dict[str, dict[str, Any]] = {}
        self.asked = 0


class Handler(BaseHTTPRequestHandler):
    server: Duix  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        task = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/easy/submit" and self.headers["Content-Type"] == "application/json"
        assert set(task) == {"audio_url", "video_url", "code", "chaofen", "watermark_switch", "pn"}
        assert (task["chaofen"], task["watermark_switch"], task["pn"]) == (0, 0, 1)
        if self.server.wrong == "busy":
            self._say({"code": 10001, "success": True, "msg": "busy now"})
            return
        self.server.tasks[task["code"]] = task
        self._say({"code": 10000, "data": {}, "msg": "", "success": True})

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        assert place.path == "/easy/query"
        (code,) = parse_qs(place.query)["code"]
        self.server.asked += 1
        if self.server.wrong == "gone":
            self.send_error(500)
            return
        if self.server.wrong == "page":
            self._send(b"<html>login</html>")
            return
        if self.server.asked < 3:
            self._say({"code": 10000, "data": {"code": code, "status": 1, "progress": 40, "msg": "working"}})
        elif self.server.wrong == "failed":
            self._say({"code": 10000, "data": {"code": code, "status": 3, "msg": "no face in the video"}})
        elif self.server.wrong == "lost":
            self._say({"code": 10004, "msg": "no such task"})
        else:
            task, folder = self.server.tasks[code], self.server.folder
            result = "/../secret.mp4" if self.server.wrong == "outside" else f"/{code}-r.mp4"
            if self.server.wrong != "outside":
                video, sound = folder / task["video_url"], folder / task["audio_url"]
                stand_in.draw(str(video), str(sound), f"{folder}{result}", ("tint",))
            self._say(
                {"code": 10000, "data": {"code": code, "status": 2, "progress": 100, "result": result, "msg": ""}}
            )

    def log_message(self, format: str, *args: object) -> None: ...

    def _say(self, answer: dict[str, Any]) -> None:
        self._send(json.dumps(answer).encode())

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def duix(tmp_path: Path) -> Iterator[Duix]:
    folder = tmp_path / "temp"
    folder.mkdir()
    with Duix(folder) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


def recipe_for(duix: Duix) -> dict[str, Any]:
    recipe = yaml.safe_load(recipe_text("duix").replace("127.0.0.1:8383", f"127.0.0.1:{duix.server_port}"))
    recipe["service"]["folder"] = str(duix.folder)
    recipe["service"]["query"]["every_seconds"] = 0.05
    return recipe


def test_a_service_is_given_the_task_asked_and_leaves_nothing(duix: Duix, tried: Material) -> None:
    forgotten, others = duix.folder / "heygem-of-a-killed-run.mp4", duix.folder / "somebody-elses.mp4"
    for old in (forgotten, others):
        old.touch()
        os.utime(old, (0, 0))
    patches = drawn_with(tried, recipe_for(duix))
    assert sum(patch.pixels is not None for patch in patches) >= 16 and duix.asked == 3
    assert list(duix.folder.iterdir()) == [others]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("busy", "did not make the video; it said: busy now"),
        ("failed", "did not make the video; it said: no face in the video"),
        ("gone", r"stopped answering while it worked \(HTTP 500\)"),
        ("page", r"stopped answering while it worked \(its answer is no JSON\)"),
        ("outside", "ended without leaving a video"),
        ("lost", "not done after 1 s"),
    ],
)
def test_a_service_that_does_wrong_is_told_in_a_sentence(duix: Duix, tried: Material, wrong: str, told: str) -> None:
    duix.wrong = wrong
    (duix.folder.parent / "secret.mp4").write_bytes(b"not to be taken")
    limit = 1 if wrong == "lost" else 60
    with pytest.raises(ProgramFailed, match=told):
        drawn_with(tried, recipe_for(duix) | {"time_limit_seconds": limit})
    assert list(duix.folder.iterdir()) == [] and (duix.folder.parent / "secret.mp4").exists()


def test_a_service_that_is_not_there_is_told_with_its_address(tried: Material, port: int) -> None:
    recipe = yaml.safe_load(recipe_text("duix").replace("127.0.0.1:8383", f"127.0.0.1:{port}"))
    recipe["service"]["folder"] = str(tried.folder)
    with pytest.raises(ProgramMissing, match=rf"does not answer at http://127.0.0.1:{port}/easy/submit"):
        drawn_with(tried, recipe)


def test_every_recipe_names_its_licence_and_a_limit() -> None:
    recipes = shipped_recipes()
    assert set(recipes) == {*PROGRAMS, "duix"}
    assert all(len(recipe.licence) > 20 and recipe.time_limit_seconds >= 600 for recipe in recipes.values())
    assert recipes["wav2lip"].research_only and os.sep not in recipes["wav2lip"].licence_name
