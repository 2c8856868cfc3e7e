"""docs/api.md tells what the interface is, and its examples run as they stand."""

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import heygem_pipeline

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
SECTIONS = {
    re.split(r"[`(]", section)[0]: section for section in re.split(r"^### `", PAGE, flags=re.MULTILINE)[1:]
}  # name -> its heading and text
TOLD_ELSEWHERE = {"with_traceback", "add_note", "args"}


WITH_EXAMPLES = [PROJECT / "README.md", PROJECT / "docs" / "api.md"]


def examples_of(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def public_members(name: str) -> set[str]:
    """What can be asked of a class, or given to a function, of the interface."""
    value = getattr(heygem_pipeline, name)
    if inspect.isfunction(value):
        return set(inspect.signature(value).parameters)
    if not inspect.isclass(value):
        return set()
    fields = getattr(value, "__match_args__", ()) or getattr(value, "__annotations__", {})
    named = {*fields, *(member for member in vars(value) if not inspect.isclass(getattr(value, member)))}
    return {member for member in named if not member.startswith("_")} - TOLD_ELSEWHERE


def test_every_name_of_the_interface_is_on_the_page_and_no_other() -> None:
    assert set(SECTIONS) == set(heygem_pipeline.__all__)


@pytest.mark.parametrize("name", heygem_pipeline.__all__)
def test_every_member_is_on_the_page(name: str) -> None:
    heading, _, text = SECTIONS[name].partition("\n")
    told = set(re.findall(r"\w+", " ".join([heading, *re.findall(r"`[^`]+`", text)])))
    assert public_members(name) - told == set()


@pytest.mark.long
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.name)
def test_the_examples_run(page: Path, material: Path, tmp_path: Path) -> None:
    for voice in ("hello.wav", "goodbye.wav", "lesson.wav"):
        shutil.copy(material / "voice.wav", tmp_path / voice)
    for presenter in ("anna.mp4", "teacher.mp4"):
        shutil.copy(material / "presenter.mp4", tmp_path / presenter)
    (tmp_path / "notes.txt").write_text("no sound", encoding="utf-8")
    examples = examples_of(page)
    (tmp_path / "examples.py").write_text("\n".join(examples), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "examples.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    wanted = set(re.findall(r'"([\w-]+\.mp4)"', "".join(examples)))
    assert wanted <= {path.name for path in tmp_path.iterdir()}


def test_the_chinese_readme_has_the_same_examples() -> None:
    assert examples_of(PROJECT / "README.zh-CN.md") == examples_of(PROJECT / "README.md") != []
