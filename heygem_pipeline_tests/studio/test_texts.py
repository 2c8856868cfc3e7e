"""Both languages say the same."""

import ast
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from heygem_pipeline import errors
from heygem_pipeline import studio as studio_package
from heygem_pipeline.messages.message import Message, sentences, verbatim
from heygem_pipeline.studio.texts import LANGUAGES, message_json, sentence_of, texts

STUDIO = Path(studio_package.__file__).parent

PLURALS = re.compile(r"\.(one|other)$")


def names(text: str) -> set[str]:
    """What stands in braces, without how a number is written."""
    return set(re.findall(r"\{(\w+)(?:[!:][^}]*)?\}", text))


def test_each_language_has_every_text_with_the_same_names_in_it() -> None:
    english, chinese = texts("en"), texts("zh")
    assert {PLURALS.sub("", key) for key in english} == {PLURALS.sub("", key) for key in chinese}
    for key in chinese.keys() & english.keys():
        assert names(english[key]) == names(chinese[key]), key


def test_every_text_that_the_pages_ask_for_is_there() -> None:
    keys = texts("en").keys() | {PLURALS.sub("", key) for key in texts("en")}
    scripts = [path.read_text(encoding="utf-8") for path in sorted((STUDIO / "static").glob("*.js"))]
    asked = {key for script in scripts for key in re.findall(r'\bt\("([^"]+)"', script)}
    pages = [path.read_text(encoding="utf-8") for path in sorted((STUDIO / "templates").glob("*.html"))]
    asked |= {key for page in pages for key in re.findall(r'\bt\["([^" ]+)"\]', page)}
    assert len(asked) > 50 and asked <= keys


def codes_in_the_source() -> set[str]:
    """The codes of all messages and errors that the pipeline's source makes."""
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type)} | {"Message"}
    codes = set()
    for file in sorted(STUDIO.parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str) and " " not in first.value:
                    codes.add(first.value)
    return codes


def test_the_page_says_every_message_in_both_languages() -> None:
    english, chinese = sentences("en"), sentences("zh")
    assert english.keys() == chinese.keys() >= codes_in_the_source()
    for code in english:
        assert names(english[code]) == names(chinese[code]), code
        shown = texts("zh").get(f"message.{code}", chinese[code])
        has_words = re.search("[a-z]", re.sub(r"\{[^}]*\}", "", english[code]))
        assert re.search("[\u4e00-\u9fff]", shown) or not has_words, code


def test_the_pages_own_words_for_a_message_are_for_one_there_is_and_name_what_it_has() -> None:
    for language in LANGUAGES:
        own = {key.partition(".")[2]: text for key, text in texts(language).items() if key.startswith("message.")}
        assert own
        for code, text in own.items():
            assert names(text) <= names(sentences("en")[code]), code


def test_a_message_is_told_in_the_pages_words_in_its_language_without_paths(tmp_path: Path) -> None:
    removed = Message("clip.removed")
    assert "HEYGEM" in str(removed) and "HEYGEM" not in sentence_of(removed, "en")
    assert message_json(removed, "zh", tmp_path) == {
        "code": "clip.removed",
        "values": {},
        "sentence": "因过期已被删除，可以重新制作。",
    }
    earlier = message_json(verbatim(f"No {tmp_path}/audio/one.wav."), "zh", tmp_path)
    sentence = f"No {tmp_path.name}/audio/one.wav."
    assert earlier == {"code": "verbatim", "values": {"text": sentence}, "sentence": sentence}


@pytest.mark.parametrize(
    ("wishes", "language"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("de-DE,en;q=0.5", "en"), ("fr", "en"), ("", "en"), ("en-GB,zh", "en")],
)
def test_the_browser_says_which_is_shown(studio: TestClient, wishes: str, language: str) -> None:
    assert f'<html lang="{language}">' in studio.get("/", headers={"accept-language": wishes}).text


def test_a_choice_counts_more(studio: TestClient) -> None:
    answer = studio.get("/", headers={"accept-language": "zh", "cookie": "heygem_language=en"})
    assert '<html lang="en">' in answer.text
