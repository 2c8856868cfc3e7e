"""The package as a library: what it offers, how lightly it is imported, what it takes."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import heygem_pipeline
from heygem_pipeline import analyse_voice, generate_clip, track_presenter
from heygem_pipeline_tests.test_definitions import FILES, PACKAGE, imports_of, name_of

FACADE = PACKAGE / "__init__.py"


def python(code: str) -> list[str]:
    """What a new interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()


def test_every_name_of_the_interface_is_there() -> None:
    assert all(getattr(heygem_pipeline, name) is not None for name in heygem_pipeline.__all__)
    assert set(heygem_pipeline.__all__) <= set(dir(heygem_pipeline))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="generate_clips"):
        heygem_pipeline.generate_clips  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_see_what_is_loaded_later() -> None:
    seen = {
        alias.name: node.module
        for node in ast.walk(ast.parse(FACADE.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("heygem_pipeline.")
        for alias in node.names
    }
    loaded = {
        name: f"heygem_pipeline.{module}"
        for module, names in heygem_pipeline._MODULES.items()  # pyright: ignore[reportPrivateUsage]
        for name in names
    }
    assert seen == loaded
    assert {*seen, "__version__"} == set(heygem_pipeline.__all__)


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import heygem_pipeline; print(*set(sys.modules) - before)"
    loaded = python(code)
    assert [name for name in loaded if name.split(".")[0] not in sys.stdlib_module_names] == ["heygem_pipeline"]


def test_the_interface_brings_no_dagster() -> None:
    assert python(
        "import sys; from heygem_pipeline import *; print('generate_clip' in dir(), 'dagster' in sys.modules)"
    ) == ["True", "False"]


@pytest.mark.parametrize("file", [file for file in FILES if file != FACADE], ids=name_of)
def test_no_room_imports_through_the_interface(file: Path) -> None:
    assert "heygem_pipeline" not in imports_of(file)


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert heygem_pipeline.__version__ == project["version"]


def test_the_package_says_that_it_is_typed() -> None:
    package_data = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "package-data"
    ]["heygem_pipeline"]
    assert (PACKAGE / "py.typed").is_file()
    assert "py.typed" in package_data


def test_text_and_paths_serve_alike_and_so_does_what_was_analysed_before(material: Path, tmp_path: Path) -> None:
    voice, presenter = material / "voice.wav", material / "presenter.mp4"
    by_text = generate_clip(str(voice), str(presenter), str(tmp_path / "text.mp4"))
    before = generate_clip(analyse_voice(str(voice)), track_presenter(str(presenter)), tmp_path / "before.mp4")
    assert by_text.version == before.version
    assert {path.name for path in tmp_path.iterdir()} == {"text.mp4", "before.mp4"}
