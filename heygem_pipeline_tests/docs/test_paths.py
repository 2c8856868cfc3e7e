"""What the pages name exists: files, folders, links and headings."""

import re
from itertools import chain
from pathlib import Path
from urllib.parse import unquote

import pytest

import heygem_pipeline
from heygem_pipeline_tests.test_definitions import FLOORS

PROJECT = Path(heygem_pipeline.__file__).parents[1]
PAGES = sorted(
    chain(
        PROJECT.glob("*.md"),
        PROJECT.glob("docs/**/*.md"),
        *(PROJECT.glob(f"{folder}/**/README.md") for folder in ("data", "checkpoints", "heygem_pipeline")),
    )
)
ROOTS = (PROJECT, PROJECT / "heygem_pipeline", PROJECT / "heygem_pipeline_tests")
"""Folders that the pages' paths begin in; a room's own files are named in the room's section."""

IN_CODE = re.compile(r"`([\w/.-]+/[\w.-]+\.(?:py|md|json|yaml|npz|service|conf))`")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
NOT_OURS = ("data/", "state/", "logs/")
"""What the pipeline makes, or people bring, in the data folder."""


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def anchors(page: Path) -> set[str]:
    """Of a page's headings, the way the hosting service makes them."""
    headings = re.findall(r"(?m)^#+ (.*)$", page.read_text(encoding="utf-8"))
    kept = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_named_in_a_page_exist(page: Path) -> None:
    named = set(IN_CODE.findall(page.read_text(encoding="utf-8")))
    ours = {path for path in named if not path.startswith(NOT_OURS) and "<" not in path}
    assert [path for path in sorted(ours) if not any((root / path).is_file() for root in ROOTS)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = unquote(link).partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_the_table_of_rooms_names_every_room() -> None:
    table = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## The rooms")[2]
    for room in chain.from_iterable(FLOORS):
        if not room.startswith("__"):
            folder = (PROJECT / "heygem_pipeline" / room).is_dir()
            assert f"`{room}{'/' if folder else '.py'}`" in table.partition("\n## ")[0], room


@pytest.mark.parametrize("page", [PROJECT / "README.zh-CN.md", *sorted(PROJECT.glob("docs/*.zh-CN.md"))], ids=name_of)
def test_a_chinese_page_has_the_sections_of_its_english_twin(page: Path) -> None:
    levels = [
        re.findall(r"(?m)^(#+|\|---|```\w*)", path.read_text(encoding="utf-8"))
        for path in (page, page.with_name(page.name.replace(".zh-CN", "")))
    ]
    assert levels[0] == levels[1]


def test_the_readme_is_short_in_both_languages() -> None:
    pages = [PROJECT / name for name in ("README.md", "README.zh-CN.md")]
    assert all(len(page.read_text(encoding="utf-8").splitlines()) <= 120 for page in pages)
