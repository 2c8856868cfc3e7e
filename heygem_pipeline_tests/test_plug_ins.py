"""Engines and trackers of other packages: found, and disturbing nobody where they are broken."""

import json
import os
import shutil
import subprocess
import sys
import venv
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from heygem_pipeline import plug_ins
from heygem_pipeline.errors import ModelMissing, PlugInUnusable
from heygem_pipeline.faces.tracker_registry import TRACKERS
from heygem_pipeline.lipsync.engine_registry import ENGINES, load_engine
from heygem_pipeline.plug_ins import PlugIns
from heygem_pipeline_tests.cli.commands import heygem

PROJECT = Path(plug_ins.__file__).parents[1]
GOOD = """
class Engine:
    name, version, device = "{name}", "1", "cpu"
    def __init__(self, settings): ...
    def generate(self, speech, template, tracks, template_speech=None): ...
"""


class Packages:
    """A folder on Python's path with installed packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, package: str, engine: str, code: str, target: str = "Engine", group: str = "engines") -> None:
        module = f"module_of_{package.replace('-', '_')}"
        (self.folder / f"{module}.py").write_text(code)
        known = self.folder / f"{package}-1.dist-info"
        known.mkdir()
        (known / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (known / "entry_points.txt").write_text(f"[heygem_pipeline.{group}]\n{engine} = {module}:{target}\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packages:
    monkeypatch.syspath_prepend(tmp_path)
    for register in (ENGINES, TRACKERS):
        monkeypatch.setattr(register, "__dict__", {"_kind": register._kind, "_needed": register._needed})
    for module in [name for name in sys.modules if name.startswith("module_of_")]:
        monkeypatch.delitem(sys.modules, module)
    return Packages(tmp_path)


def refusal(name: str) -> str:
    with pytest.raises(PlugInUnusable) as told:
        load_engine(name)
    return str(told.value)


def test_ours_are_registered_like_others_and_first() -> None:
    assert list(ENGINES)[:2] == ["warp", "wav2lip"] and list(TRACKERS)[:2] == ["mesh", "face_alignment"]
    assert ENGINES.package_of("warp") == TRACKERS.package_of("mesh") == "heygem-pipeline"


def test_an_engine_of_another_package_is_found(packages: Packages) -> None:
    packages.install("nice-lips", "nice", GOOD.format(name="nice"))
    assert load_engine("nice").version == "1"
    assert ENGINES.added() == ["nice"] and list(ENGINES.problems()) == []


def test_nothing_of_a_package_is_imported_before_it_is_asked_for(packages: Packages) -> None:
    packages.install("nice-lips", "nice", GOOD.format(name="nice"))
    assert "nice" in ENGINES and load_engine("warp").name == "warp"
    assert "module_of_nice_lips" not in sys.modules


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import nobody_has_this", "ModuleNotFoundError: No module named 'nobody_has_this'"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("", "no attribute 'Engine'"),
        ("Engine = 5", "module_of_bad_lips:Engine cannot be called"),
        ("def Engine(settings): return object()", 'no usable "name"'),
        ("def Engine(): ...", "TypeError"),
        (GOOD.format(name="bad").replace('"1"', "1"), 'no usable "version"'),
        (GOOD.format(name="other"), "is called 'other'"),
        (GOOD.format(name="bad").replace("def generate", "def make"), 'no usable "generate"'),
    ],
)
def test_a_broken_one_is_told_in_a_sentence_and_breaks_no_other(packages: Packages, code: str, told: str) -> None:
    packages.install("bad-lips", "bad", code)
    packages.install("nice-lips", "nice", GOOD.format(name="nice"))
    said = refusal("bad")
    assert said.startswith("The engine bad of the package bad-lips cannot be ") and told in said and "\n" not in said
    assert load_engine("nice").name == "nice" and load_engine("warp").name == "warp"


def test_a_name_that_two_packages_register_is_nobodys(packages: Packages) -> None:
    for package in ("more-lips", "nice-lips"):
        packages.install(package, "nice", GOOD.format(name="nice"))
    assert "(more-lips, nice-lips)" in refusal("nice")
    assert [message.code for message in ENGINES.problems()] == ["plug_in.twice"]


def test_our_names_stay_ours(packages: Packages) -> None:
    packages.install("other-lips", "warp", GOOD.format(name="warp"))
    assert type(load_engine("warp")).__module__ == "heygem_pipeline.lipsync.warp.engine"
    assert [message.code for message in ENGINES.problems()] == ["plug_in.name_is_ours"]


def test_a_name_that_versions_cannot_hold_is_refused(packages: Packages) -> None:
    packages.install("other-lips", "Nice-Lips", GOOD.format(name="Nice-Lips"))
    assert "small letters" in refusal("Nice-Lips")


def test_what_an_engine_itself_says_it_lacks_is_told_as_it_is(packages: Packages) -> None:
    code = "from heygem_pipeline.errors import ModelMissing\ndef Engine(_): raise ModelMissing('wav2lip.no_torch')"
    packages.install("lazy-lips", "lazy", code)
    with pytest.raises(ModelMissing):
        load_engine("lazy")


def test_a_tracker_of_another_package_is_found_and_checked(packages: Packages) -> None:
    packages.install("seeing", "seeing", "class Engine:\n name = version = 'seeing'\n", group="trackers")
    with pytest.raises(PlugInUnusable, match="tracker seeing"):
        TRACKERS["seeing"](None)


def test_help_and_doctor_stand_above_broken_packages(packages: Packages) -> None:
    packages.install("bad-lips", "bad", "raise SystemExit(3)")
    packages.install("other-lips", "warp", GOOD.format(name="warp"))
    assert heygem("--help").exit_code == 0
    said = heygem("doctor").output.replace("\n", " ")
    assert "bad-lips" in said and "other-lips" in said


def test_an_installation_older_than_the_code_finds_the_source_trees_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plug_ins, "entry_points", lambda group: ())
    fresh = PlugIns("engine", {})
    assert set(fresh) == set(ENGINES) - set(ENGINES.added())


def test_without_source_tree_and_metadata_it_is_said_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plug_ins, "entry_points", lambda group: ())
    monkeypatch.setattr(plug_ins, "_of_source_tree", lambda group: None)
    with pytest.raises(PlugInUnusable, match="make setup"):
        list(PlugIns("engine", {}))


def test_outside_a_source_tree_the_installed_metadata_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dist:
        name = "heygem-pipeline"

    point = EntryPoint("warp", "heygem_pipeline.lipsync.warp.engine:engine_of", "heygem_pipeline.engines")
    vars(point)["dist"] = Dist()
    monkeypatch.setattr(plug_ins, "entry_points", lambda group: (point,))
    monkeypatch.setattr(plug_ins, "_of_source_tree", lambda group: None)
    assert list(PlugIns("engine", {})) == ["warp"]


@pytest.mark.long(0.5)
def test_the_example_installs_into_a_fresh_environment_and_makes_a_clip_through_dagster(
    material: Path, tmp_path: Path
) -> None:
    pytest.importorskip("setuptools")
    python = fresh_environment(tmp_path / "venv")
    source = shutil.copytree(PROJECT / "docs" / "examples" / "painted_mouth", tmp_path / "painted_mouth")
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", source]
    subprocess.run(install, check=True, timeout=120)
    data = tmp_path / "data"
    for kind, name in (("audio", "voice.wav"), ("templates", "presenter.mp4")):
        (data / kind).mkdir(parents=True)
        shutil.copy(material / name, data / kind)
    chosen = {"HEYGEM_DATA": str(data), "HEYGEM_ENGINE": "painted", "HEYGEM_KEEP_FREE_GB": "0"}
    made = subprocess.run(
        [python, "-m", "heygem_pipeline", "batch"],
        env=os.environ | chosen | {"PYTHONPATH": str(PROJECT)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    (report,) = (json.loads(path.read_text()) for path in data.glob("store/clip_reports/*/*.json"))
    assert (report["engine"], report["engine_version"], report["frames"]) == ("painted", "1", 20)
    assert (data / "outputs" / "voice" / "presenter.mp4").stat().st_size > 0


def fresh_environment(folder: Path) -> Path:
    """An environment of its own that sees the packages of this one; returns its Python."""
    venv.create(folder, symlinks=True)
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "this_environment.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in here))
    return folder / "bin" / "python"
