"""What Dagster loads, and how lightly."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

import heygem_pipeline
from heygem_pipeline.definitions import defs
from heygem_pipeline.settings import settings

PACKAGE = Path(heygem_pipeline.__file__).parent
KNOWS_DAGSTER = ("runs", "assets", "campaigns", "planning", "operations", "orchestration", "definitions.py")
HEAVY = ("torch", "librosa", "cv2", "scipy", "matplotlib", "skimage", "face_alignment")


FLOORS = (
    ("blas_threads", "easing", "filters", "garbage_collection", "messages", "opencv_threads", "prefetch", "settings"),
    ("errors",),
    ("storage", "devices", "plug_ins"),
    ("media", "checkpoints", "web"),
    ("faces", "demo", "uploads"),
    ("speech", "synthesis"),
    ("lipsync", "quality", "photographs"),
    ("clip",),
    ("runs",),
    ("assets", "campaigns"),
    ("planning",),
    ("operations",),
    ("orchestration",),
    ("studio",),
    ("cli", "definitions"),
    ("__init__", "__main__"),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


def imports_of(file: Path) -> set[str]:
    """Full names of the modules a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def test_the_whole_graph_loads() -> None:
    graph = defs.resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert names == {"spoken_script", "audio_features", "face_tracks", "generated_frames", "encoded_video", "delivery"}
    assert defs.resolve_job_def("ingest") is not None
    dg.Definitions.validate_loadable(defs)


def test_every_asset_leads_to_the_studio() -> None:
    nodes = defs.resolve_asset_graph().asset_nodes
    assert {node.metadata["Studio"].value for node in nodes} == {settings().studio_address}


def test_every_asset_leads_to_its_code() -> None:
    for node in defs.resolve_asset_graph().asset_nodes:
        (place,) = node.metadata["dagster/code_references"].value.code_references
        file = Path(place.file_path)
        assert file.parent == PACKAGE / "assets"
        assert file.read_text(encoding="utf-8").splitlines()[place.line_number - 1].startswith("@dg.")


def test_assets_belong_to_the_owners_of_the_settings() -> None:
    code = "from heygem_pipeline.definitions import defs; " + (
        "print({owner for node in defs.resolve_asset_graph().asset_nodes for owner in node.owners})"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"HEYGEM_OWNERS": "team:teaching,anna@example.org"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert ast.literal_eval(told.stdout) == {"team:teaching", "anna@example.org"}


def test_every_check_says_what_it_looks_for() -> None:
    graph = defs.resolve_asset_graph()
    told = {key.name: graph.get_check_spec(key).description for key in graph.asset_check_keys}
    assert set(told) == {"speech_is_clear", "template_is_fit", "sound_and_picture_agree", "mouth_follows_sound"}
    assert all(told.values())


def test_definitions_load_without_heavy_imports() -> None:
    code = f"import sys, heygem_pipeline.definitions; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert loaded.stdout.split() == []


READERS = {"settings": "heygem_pipeline.settings", "data_folders": "heygem_pipeline.storage.paths"}
"""What reads the environment, and where it is defined."""

TOPS = (
    *("assets/", "orchestration/", "cli/", "definitions.py", "studio/server.py"),
    # The Python interface: whoever calls it gives no settings.
    *("clip/generate.py", "clip/presenter.py", "clip/voice.py"),
    # Dagster makes the handler of dagster.yaml by itself, without arguments.
    "runs/log_file.py",
    "storage/paths.py",
)
"""Who may: everything else is given what it needs."""


def reads_the_environment(file: Path) -> bool:
    """Does it import one of the readers, under whatever name?"""
    imported = {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return not imported.isdisjoint((module, name) for name, module in READERS.items())


def test_only_the_top_reads_the_environment() -> None:
    reading = {name_of(file) for file in FILES if reads_the_environment(file)}
    assert {name for name in reading if not name.startswith(TOPS)} == set()


@dataclass(frozen=True)
class Fallback:
    """A parameter that is ``DEFAULTS`` where a caller gives nothing.

    called: function, Class, or Class.method.
    """

    called: str
    position: int
    parameter: str

    def is_given(self, call: ast.Call) -> bool:
        return len(call.args) > self.position or any(keyword.arg == self.parameter for keyword in call.keywords)


def is_defaults(value: ast.expr | None) -> bool:
    return value is not None and any(isinstance(node, ast.Name) and node.id == "DEFAULTS" for node in ast.walk(value))


def fallbacks_of(function: ast.FunctionDef | ast.AsyncFunctionDef, owner: str | None) -> Iterator[Fallback]:
    called = function.name if owner is None else owner if function.name == "__init__" else f"{owner}.{function.name}"
    first = 0 if owner is None else 1
    positional = function.args.args
    without = len(positional) - len(function.args.defaults)
    for position, value in enumerate(function.args.defaults, without):
        if is_defaults(value):
            yield Fallback(called, position - first, positional[position].arg)
    for argument, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if is_defaults(value):
            yield Fallback(called, sys.maxsize, argument.arg)


def fallbacks_in(body: Sequence[ast.stmt], owner: str | None = None) -> Iterator[Fallback]:
    fields = [node for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    for position, field in enumerate(fields if owner else ()):
        if is_defaults(field.value):
            yield Fallback(str(owner), position, ast.unparse(field.target))
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from fallbacks_in(node.body, node.name)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from fallbacks_of(node, owner)


def calls_that_fall_back(tree: ast.Module, fallbacks: Iterable[Fallback]) -> list[str]:
    by_name = {fallback.called: fallback for fallback in fallbacks}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        ast.unparse(call)
        for call in calls
        if (fallback := by_name.get(ast.unparse(call.func))) is not None and not fallback.is_given(call)
    ]


FALLBACKS = [fallback for file in FILES for fallback in fallbacks_in(ast.parse(file.read_text(encoding="utf-8")).body)]


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_package_itself_never_falls_back_on_default_settings(file: Path) -> None:
    assert calls_that_fall_back(ast.parse(file.read_text(encoding="utf-8")), FALLBACKS) == []


def test_a_call_that_falls_back_is_found() -> None:
    given, not_given = "FrameSequence.open(path, limits)", "FrameSequence.open(path)"
    assert "FrameSequence.open" in {fallback.called for fallback in FALLBACKS}
    assert calls_that_fall_back(ast.parse(f"{given}\n{not_given}"), FALLBACKS) == [not_given]


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_room_below_the_assets_imports_dagster(file: Path) -> None:
    if file.relative_to(PACKAGE).parts[0] not in KNOWS_DAGSTER:
        assert "dagster" not in {module.split(".")[0] for module in imports_of(file)}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_imports_run_one_way(file: Path) -> None:
    room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    used = {module.split(".")[1] for module in imports_of(file) if module.startswith("heygem_pipeline.")} - {room}
    assert all(FLOOR[other] < FLOOR[room] for other in used)


def test_only_one_clip_at_a_time_asks_for_the_gpu() -> None:
    steps = defs.resolve_implicit_global_asset_job_def().graph.iterate_op_defs()
    assert {step.name: step.pool for step in steps if step.pool} == {"generated_frames": "gpu"}
