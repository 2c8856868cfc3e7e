"""Both languages say the same."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from heygem_pipeline import errors
from heygem_pipeline.studio.texts import LANGUAGES, texts

ABOUT_WEIGHTS = {"CheckpointUnusable"}

PLURALS = re.compile(r"\.(one|other)$")


def names(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_each_language_has_every_text_with_the_same_names_in_it() -> None:
    english, chinese = texts("en"), texts("zh")
    assert {PLURALS.sub("", key) for key in english} == {PLURALS.sub("", key) for key in chinese}
    for key in chinese.keys() & english.keys() - {"sentences"}:
        assert names(english[key]) == names(chinese[key]), key


def test_every_pattern_of_a_sentence_can_be_read() -> None:
    for language in LANGUAGES:
        for pattern, words in texts(language)["sentences"]:
            groups = re.compile(pattern).groups
            assert all(int(number) <= groups for number in re.findall(r"\$(\d)", words))


def told(message: ast.expr) -> str:
    """A sentence as it would be told, with a number in every gap."""
    if isinstance(message, ast.JoinedStr):
        return "".join(told(part) for part in message.values)
    if isinstance(message, ast.FormattedValue):
        return "12%" if message.format_spec is not None and told(message.format_spec).endswith("%") else "12"
    assert isinstance(message, ast.Constant), ast.unparse(message)
    return str(message.value)


def sentences_about_uploads() -> Iterator[str]:
    """What is said of a file that cannot be used: every bad input the rooms that read uploads can raise."""
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    bad = {name for name, kind in kinds.items() if issubclass(kind, errors.BadInput)} - ABOUT_WEIGHTS
    for room in ("media", "speech", "faces"):
        for file in sorted((Path(errors.__file__).parent / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in bad:
                    yield told(node.args[0])


SENTENCES = sorted(set(sentences_about_uploads()))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_is_wrong_with_a_file_is_told_in_chinese(sentence: str) -> None:
    found = next((words for pattern, words in texts("zh")["sentences"] if re.search(pattern, sentence)), None)
    assert found is not None and re.search("[\u4e00-\u9fff]", found)


@pytest.mark.parametrize(
    ("wishes", "language"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("de-DE,en;q=0.5", "en"), ("fr", "en"), ("", "en"), ("en-GB,zh", "en")],
)
def test_the_browser_says_which_is_shown(studio: TestClient, wishes: str, language: str) -> None:
    assert f'<html lang="{language}">' in studio.get("/", headers={"accept-language": wishes}).text


def test_a_choice_counts_more(studio: TestClient) -> None:
    answer = studio.get("/", headers={"accept-language": "zh", "cookie": "heygem_language=en"})
    assert '<html lang="en">' in answer.text
