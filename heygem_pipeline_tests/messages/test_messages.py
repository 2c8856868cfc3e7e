"""Every message has a code, and every code a sentence in every language; nothing is decided by a sentence."""

import ast
import json
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pytest

import heygem_pipeline
from heygem_pipeline import errors
from heygem_pipeline.errors import CampaignWrong, DiskFull, FaceRarelySeen, PipelineError
from heygem_pipeline.messages.message import LANGUAGES, Message, sentences, verbatim

PACKAGE = Path(heygem_pipeline.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {str(file.relative_to(PACKAGE)): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
ERRORS = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, PipelineError)
}

HANDS_ON = {
    ("runs/failure_reasons.py", "Message(reason.code)"): "shortens the texts of a message",
    ("messages/message.py", "Message(stored['code'])"): "reads a stored message",
    ("errors.py", "Message(code)"): "makes an error's message of its code and values",
    ("errors.py", "__init__(message.code)"): "unpickles an error",
    (
        "planning/campaign_specifications.py",
        "CampaignsDisagree(disagreement.code)",
    ): "raises what campaigns.contradictions found",
}
"""Calls that pass on a code which stands literally elsewhere, and why."""

TAKES_MESSAGES = {"CampaignWrong"}
"""Errors that are made of messages, not of a code."""

SENTENCE = re.compile("[A-Za-z]+ [a-z]+ [a-z]+")
WORDS_IN_PATTERN = re.compile("[A-Za-z]{2,} ")
DECIDING_METHODS = {
    "startswith",
    "endswith",
    "find",
    "partition",
    "rpartition",
    "removeprefix",
    "removesuffix",
}
MATCHING_METHODS = {"match", "search", "fullmatch", "findall", "finditer"}

CHINESE = re.compile("[\u4e00-\u9fff]")
OPERATORS_BEGINNING = "服务器需要维护，请联系维护人员："
MENDED_BY_OPERATORS = {
    "DeviceUnusable",
    "EncoderMissing",
    "FfmpegMissing",
    "LicenceNotAcknowledged",
    "ModelMissing",
    "PlugInUnusable",
    "ProgramFailed",
    "ProgramMissing",
    "RecipeWrong",
    "StageMissing",
    "UnknownChoice",
}


@dataclass(frozen=True)
class Site:
    """A place in the package at which a message or an error is made. names: of its values."""

    file: str
    line: int
    maker: str
    codes: tuple[str, ...]
    names: frozenset[str]
    whole: bool
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.text}"


def constants() -> dict[str, str]:
    """Upper-case name -> text, of the names that stand for one text alone in the whole package."""
    found: dict[str, set[str]] = {}
    for tree in TREES.values():
        for node in tree.body:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.setdefault(target.id, set()).add(value.value)
    return {name: texts.pop() for name, texts in found.items() if name.isupper() and len(texts) == 1}


CONSTANTS = constants()


def codes_of(node: ast.expr) -> tuple[str, ...]:
    """The codes that an argument can be: literal, a constant, or one of two; none where it is something else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if isinstance(node, ast.Name) and node.id in CONSTANTS:
        return (CONSTANTS[node.id],)
    if isinstance(node, ast.IfExp):
        first, second = codes_of(node.body), codes_of(node.orelse)
        return first + second if first and second else ()
    return ()


def maker_of(call: ast.Call) -> str | None:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    of_error = isinstance(call.func, ast.Attribute) and name == "__init__"
    return name if name == "Message" or (name in ERRORS and name not in TAKES_MESSAGES) or of_error else None


def sites() -> Iterator[Site]:
    for file, tree in TREES.items():
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call):
                continue
            maker = maker_of(call)
            if maker is None or (maker == "__init__" and file != "errors.py"):
                continue
            arguments = [argument for argument in call.args if ast.unparse(argument) not in ("self", "error")]
            if maker == "__init__" and ast.unparse(arguments[0]).startswith("str("):
                continue  # Exception's own
            codes = codes_of(arguments[0]) if arguments else ()
            names = frozenset(keyword.arg for keyword in call.keywords if keyword.arg is not None)
            whole = len(arguments) == 1 and all(keyword.arg is not None for keyword in call.keywords)
            shown = f"{maker}({ast.unparse(arguments[0]) if arguments else ''})"
            yield Site(file, call.lineno, maker, codes, names, whole, shown)


SITES = [site for site in sites() if (site.file, site.text) not in HANDS_ON]


def placeholders(template: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(template) if name is not None}


def plain_text(template: str) -> str:
    """What stands outside of the placeholders."""
    return "".join(text for text, *_ in Formatter().parse(template))


def filled(template: str) -> str:
    """The template with a number where one is formatted, else a word."""
    numbers = {
        name: 0.5 if spec and spec[-1] in "fg%" else "word" for _, name, spec, _ in Formatter().parse(template) if name
    }
    return template.format_map(numbers)


def test_messages_are_made_in_many_places() -> None:
    assert len(SITES) > 150 and {site.file.partition("/")[0] for site in SITES} >= {
        "media",
        "faces",
        "campaigns",
        "cli",
    }


@pytest.mark.parametrize("site", SITES, ids=str)
def test_every_message_and_error_has_a_literal_code_and_exactly_the_values_of_its_sentences(site: Site) -> None:
    assert site.codes and site.whole, "a message is made of a literal code and named values"
    for code in site.codes:
        for language in LANGUAGES:
            assert placeholders(sentences(language)[code]) == site.names, (language, code)


def test_what_passes_a_code_on_is_there_still() -> None:
    assert HANDS_ON.keys() <= {(site.file, site.text) for site in sites()}


def test_no_language_has_a_code_that_nobody_uses_or_lacks_one() -> None:
    used = {code for site in SITES for code in site.codes}
    assert [set(sentences(language)) ^ used for language in LANGUAGES] == [set() for _ in LANGUAGES]


@pytest.mark.parametrize("code", sorted(sentences("en")))
def test_a_code_is_a_subject_and_what_is_said_of_it(code: str) -> None:
    assert code == "verbatim" or re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", code)


@pytest.mark.parametrize("code", sorted(sentences("en")))
def test_english_is_english_and_chinese_is_chinese(code: str) -> None:
    english, chinese = sentences("en")[code], sentences("zh")[code]
    assert not CHINESE.search(english)
    if re.search("[a-z]", plain_text(english)):
        assert CHINESE.search(chinese)
    assert filled(english) and filled(chinese)


def test_what_only_an_operator_can_mend_says_so_in_chinese() -> None:
    codes = {code for site in SITES if site.maker in MENDED_BY_OPERATORS for code in site.codes}
    assert len(codes) > 10
    assert [code for code in codes if not sentences("zh")[code].startswith(OPERATORS_BEGINNING)] == []


NESTED = Message(
    "weights.not_looked_into", found=Message("weights.by_hand"), reason=Message("face.not_found", file="a")
)


@pytest.mark.parametrize(
    "error",
    [
        FaceRarelySeen("face.rarely_seen", file="王老师 🎬.mp4", share=0.25, needed=0.5),
        DiskFull("storage.disk_full", file="clip.mp4"),
        PipelineError("weights.not_looked_into", **NESTED.values),
        CampaignWrong([Message("yaml.tabs"), Message("yaml.none")]),
    ],
    ids=lambda error: error.code,
)
def test_an_error_crosses_to_another_process_whole(error: PipelineError) -> None:
    other = pickle.loads(pickle.dumps(error))
    assert type(other) is type(error)
    assert (other.code, other.values, str(other)) == (error.code, error.values, str(error))
    assert other.message == error.message and hash(other.message) == hash(error.message)


def test_problems_of_a_campaign_cross_too() -> None:
    problems = [Message("campaign.problem", file="a.yaml", line=1, column=2, problem=Message("yaml.tabs"))] * 2
    assert list(pickle.loads(pickle.dumps(CampaignWrong(problems))).problems) == problems


def test_a_message_is_stored_as_json_and_read_again() -> None:
    several = Message("campaign.wrong", problems=(NESTED, verbatim("As it was told.")))
    assert Message.from_json(several.as_json()) == several
    assert str(several).splitlines() == [str(NESTED), "As it was told."]


def test_a_message_within_a_message_is_told_in_its_language() -> None:
    assert "a" in NESTED.sentence("zh") and str(Message("weights.by_hand")) not in NESTED.sentence("zh")
    assert NESTED.sentence("zh").startswith(Message("weights.by_hand").sentence("zh"))


def test_numbers_are_formatted_by_each_language_not_before() -> None:
    message = Message("speech.too_short", file="a.wav", seconds=0.1234, shortest=0.5)
    assert str(message) == "a.wav holds only 0.12 s of sound; record at least 0.5 s of speech."
    assert message.values["seconds"] == 0.1234


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_of_another_version_is_shown_as_it_is(language: str) -> None:
    assert Message("face.of_tomorrow", file="安娜.mp4").sentence(language) == 'face.of_tomorrow {"file": "安娜.mp4"}'


def test_a_sentence_that_came_as_one_is_the_same_in_every_language() -> None:
    assert {verbatim("It was {so}.").sentence(language) for language in LANGUAGES} == {"It was {so}."}


def test_a_message_does_not_change() -> None:
    with pytest.raises(AttributeError):
        NESTED.code = "face.found"


def text_of(node: ast.expr) -> str:
    """The text of a literal or of a constant of the package; else nothing."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return CONSTANTS.get(node.id, "") if isinstance(node, ast.Name) else ""


def is_told_error(node: ast.expr, caught: set[str]) -> bool:
    """Is it the sentence of an error that was caught or handed in?"""
    plain = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else node
    if not (isinstance(plain, ast.Call) and ast.unparse(plain.func) == "str" and plain.args):
        return False
    return isinstance(plain.args[0], ast.Name) and plain.args[0].id in caught


def decisions_by_sentences(tree: ast.Module) -> Iterator[ast.expr]:
    """Comparisons with a sentence, and with what an error says."""
    caught = {"error"} | {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}
    for node in ast.walk(tree):
        operands: list[ast.expr] = []
        pattern = SENTENCE
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in DECIDING_METHODS:
                operands = [node.func.value, *node.args]
            elif node.func.attr in MATCHING_METHODS and node.args:
                operands, pattern = list(node.args), WORDS_IN_PATTERN
        if isinstance(node, ast.expr) and any(
            pattern.search(text_of(operand)) or is_told_error(operand, caught) for operand in operands
        ):
            yield node


@pytest.mark.parametrize("file", TREES)
def test_nothing_is_decided_by_the_wording_of_a_sentence(file: str) -> None:
    assert [ast.unparse(node) for node in decisions_by_sentences(TREES[file])] == []


@pytest.mark.parametrize(
    "decision",
    [
        "if said == 'The disk has no room.': pass",
        "if said.startswith('The disk has no'): pass",
        "again = 'was killed three times' in said",
        "found = re.search(r'(\\d+) of (\\d+) frames', said)",
        "try: work()\nexcept OSError as wrong: again = 'room' in str(wrong).lower()",
        "def again(error): return str(error) == NAME",
    ],
)
def test_a_decision_by_a_sentence_would_be_found(decision: str) -> None:
    assert list(decisions_by_sentences(ast.parse(decision)))


def test_half_characters_are_shown_as_the_bytes_they_stand_for() -> None:
    message = Message("file.empty", file="\udcbd\udcb2 \ud800好.wav")
    assert message.values["file"] == r"\xbd\xb2 \ud800好.wav"
    json.dumps(message.as_json(), ensure_ascii=False).encode("utf-8")
