"""Both languages say the same."""

import re

import pytest
from starlette.testclient import TestClient

from heygem_pipeline.studio.texts import LANGUAGES, texts

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


@pytest.mark.parametrize(
    ("wishes", "language"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("de-DE,en;q=0.5", "en"), ("fr", "en"), ("", "en"), ("en-GB,zh", "en")],
)
def test_the_browser_says_which_is_shown(studio: TestClient, wishes: str, language: str) -> None:
    assert f'<html lang="{language}">' in studio.get("/", headers={"accept-language": wishes}).text


def test_a_choice_counts_more(studio: TestClient) -> None:
    answer = studio.get("/", headers={"accept-language": "zh", "cookie": "heygem_language=en"})
    assert '<html lang="en">' in answer.text
