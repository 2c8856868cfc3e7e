"""Reading scripts: every kind of file, every script of the world, every bad one in a sentence."""

import os
from pathlib import Path

import pytest

from heygem_pipeline.errors import PipelineError
from heygem_pipeline.settings import SynthesisSettings
from heygem_pipeline.synthesis.front_matter import FrontMatter
from heygem_pipeline.synthesis.script import LARGEST_FILE, Script, read_script


def written(folder: Path, text: str | bytes, name: str = "welcome.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder: Path, text: str | bytes, name: str = "welcome.txt") -> Script:
    return read_script(written(folder, text, name), SynthesisSettings())


def test_paragraphs_are_parted_by_empty_lines_and_sentences_by_their_ends(tmp_path: Path) -> None:
    script = read(tmp_path, "Good morning!\r\nToday we\r\nbegin.\r\n \r\n\r\nAny questions?\r\n")
    assert script.paragraphs == (("Good morning!", "Today we begin."), ("Any questions?",))
    assert script.words == 7


def test_markdown_is_spoken_without_its_marks(tmp_path: Path) -> None:
    text = """# The *first* lesson #

Water **boils** at [100 °C](https://example.org/boil "note"). ![a kettle](kettle.png)
<!-- ask
the class -->
1. Take a _pot_.
2. Use `heat`, 5 \\* 3 minutes.

```python
print("not spoken")
```
| metal | melts |
|---|---|
| tin | 232 °C |

---
> Well done &amp; good night. Snake_case stays."""
    assert read(tmp_path, text, "lesson.md").paragraphs == (
        ("The first lesson",),
        ("Water boils at 100 °C.",),
        ("Take a pot.",),
        ("Use heat, 5 * 3 minutes.",),
        ("metal, melts",),
        ("tin, 232 °C",),
        ("Well done & good night.", "Snake_case stays."),
    )


SRT = """1
00:00:01,000 --> 00:00:02,500
<i>We begin</i>
with water,

2
00:00:02,600 --> 00:00:04,000
which is wet.

3
00:00:06,000 --> 00:00:07,000
Questions?
"""


def test_subtitles_are_spoken_without_their_times(tmp_path: Path) -> None:
    expected = (("We begin with water, which is wet.",), ("Questions?",))
    assert read(tmp_path, SRT, "a.srt").paragraphs == expected
    vtt = "WEBVTT\n\nNOTE never\nspoken\n\nSTYLE\n::cue { color: red }\n\n" + SRT.replace(",5", ".5").replace(
        ",6", ".6"
    )
    assert read(tmp_path, vtt.replace(",000", ".000").replace("<i>", "<v Anna>"), "a.vtt").paragraphs == expected


def test_the_front_matter_says_how_it_is_spoken(tmp_path: Path) -> None:
    text = "---\nlanguage: pt-br\nengine: http\nvoice: 'nova'\n# mine\nspeed: 0.9\n---\nOlá."
    script = read(tmp_path, "\ufeff" + text, "welcome.de.md")
    assert script.says == FrontMatter("pt-BR", "http", "nova", 0.9)
    assert script.sentences == ("Olá.",)


NAMED = {
    "welcome.de.txt": "de",
    "welcome.zh-Hant.txt": "zh-Hant",
    "欢迎.zh.txt": "zh",
    "lesson.one.txt": None,
    "lesson.2.txt": None,
    "v1.xx.txt": None,
    "de.txt": None,
}


@pytest.mark.parametrize("name", NAMED)
def test_a_name_may_tell_the_language(name: str, tmp_path: Path) -> None:
    assert read(tmp_path, "Hello.", name).says.language == NAMED[name]


SENTENCES = {
    "你好。今天我们开始！“真的吗？”是的。": ("你好。", "今天我们开始！", "“真的吗？”", "是的。"),
    "こんにちは。始めます。": ("こんにちは。", "始めます。"),
    "नमस्ते। आज हम शुरू करते हैं।": ("नमस्ते।", "आज हम शुरू करते हैं।"),
    "مرحبا. هل نبدأ؟ نعم.": ("مرحبا.", "هل نبدأ؟", "نعم."),
    "Am 3. Mai um 9.30 Uhr, z. B. bei Dr. Meier. Dann Ende.": (
        "Am 3. Mai um 9.30 Uhr, z. B. bei Dr. Meier.",
        "Dann Ende.",
    ),
    "It costs 3.50 € … really?! Yes.": ("It costs 3.50 € …", "really?!", "Yes."),
    "Thanks 👍🏽! 🎉 See you 👩‍💻.": ("Thanks 👍🏽!", "🎉 See you 👩‍💻."),
    "ยินดีต้อนรับ วันนี้เราจะเริ่ม": ("ยินดีต้อนรับ วันนี้เราจะเริ่ม",),
}


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences_of_every_script(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text).sentences == SENTENCES[text]


@pytest.mark.parametrize("text", ["word, " * 300, "字" * 1500, "w" * 1500])
def test_what_has_no_end_is_parted_and_nothing_is_lost(text: str, tmp_path: Path) -> None:
    sentences = read(tmp_path, text).sentences
    assert all(0 < len(sentence) <= 400 for sentence in sentences)
    assert "".join("".join(sentences).split()) == "".join(text.split())


BAD = {
    "script.empty": (b" \n\n\t", "a.txt"),
    "script.not_utf8": ("Grüße".encode("latin-1"), "a.txt"),
    "script.not_text": (b"%PDF-1.4\0\0\0", "a.txt"),
    "script.markup": (b"<speak>Hello</speak>", "a.txt"),
    "script.no_words": ("?! … 🎉 --- ***".encode(), "a.txt"),
    "script.too_many_words": (b"word. " * 10_000, "a.txt"),
    "script.too_large": (b"a" * (LARGEST_FILE + 1), "a.txt"),
    "script.no_subtitles": (b"Hello.\n\nWorld.", "a.srt"),
    "script.other_ending": (b"Hello.", "a.docx"),
    "script.front_matter_open": (b"---\nlanguage: de\nHallo.", "a.md"),
    "script.front_matter_line": (b"---\ntone: happy\n---\nHallo.", "a.md"),
    "script.language": (b"---\nlanguage: klingonish\n---\nHallo.", "a.md"),
    "script.speed": (b"---\nspeed: fast\n---\nHallo.", "a.md"),
    "file.missing": (b"", "gone/"),
}


@pytest.mark.parametrize("code", BAD)
def test_a_bad_script_is_told_in_a_sentence(code: str, tmp_path: Path) -> None:
    content, name = BAD[code]
    path = tmp_path / name
    if not name.endswith("/"):
        path.write_bytes(content)
    with pytest.raises(PipelineError) as caught:
        read_script(path, SynthesisSettings())
    assert caught.value.code == code
    assert path.name in str(caught.value)
    assert path.name in caught.value.message.sentence("zh")


@pytest.mark.parametrize("text", [b"\xff\xfeH\0i\0", b"---\nspeed: 5\n---\nHi.", b"---\nspeed: nan\n---\nHi.", b"\xc3"])
def test_more_that_is_refused(text: bytes, tmp_path: Path) -> None:
    with pytest.raises(PipelineError):
        read(tmp_path, text)


def test_a_pipe_is_no_script(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(PipelineError) as caught:
        read_script(tmp_path / "a.txt", SynthesisSettings())
    assert caught.value.code == "file.missing"


def test_the_limit_of_words_is_a_setting_and_counts_chinese_fairly(tmp_path: Path) -> None:
    path = written(tmp_path, "字" * 100)
    assert read_script(path, SynthesisSettings(max_script_words=50)).words == 50
    with pytest.raises(PipelineError):
        read_script(path, SynthesisSettings(max_script_words=49))
