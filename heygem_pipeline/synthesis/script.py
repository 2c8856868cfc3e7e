"""A script: one page of text that is spoken."""

from dataclasses import dataclass
from pathlib import Path

from heygem_pipeline.errors import ScriptUnusable, UploadMissing
from heygem_pipeline.settings import DEFAULTS, SynthesisSettings
from heygem_pipeline.synthesis.front_matter import FrontMatter, language_of_name, read_front_matter
from heygem_pipeline.synthesis.sentence_segmentation import sentences_of, word_count
from heygem_pipeline.synthesis.text_formats import PARAGRAPHS_OF

SUBTITLES = (".srt", ".vtt")

LARGEST_FILE = 2**20
"""Bytes: a hundred thousand words in most languages."""

_MARKUP = ("<speak", "<?xml", "<html", "<!doctype", "{\\rtf")
"""How files begin that hold another language than the one that is spoken."""


@dataclass(frozen=True)
class Script:
    """A script that can be spoken.

    Attributes:
        file: its name.
        paragraphs: each its sentences; the voice pauses between them, longer between paragraphs.
        says: how it is to be spoken, as far as it says so; the language may be that of the file's name.
    """

    file: str
    paragraphs: tuple[tuple[str, ...], ...]
    says: FrontMatter

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(sentence for paragraph in self.paragraphs for sentence in paragraph)

    @property
    def words(self) -> int:
        """How many there are (``word_count``)."""
        return sum(map(word_count, self.sentences))


def read_script(path: Path, limits: SynthesisSettings = DEFAULTS) -> Script:
    """Read a script. Raises UploadMissing, and ScriptUnusable where it cannot be spoken."""
    file = path.name
    content = _content(path)
    if path.suffix.lower() not in PARAGRAPHS_OF:
        raise ScriptUnusable("script.other_ending", file=file, known=", ".join(PARAGRAPHS_OF))
    if len(content) > LARGEST_FILE:
        raise ScriptUnusable("script.too_large", file=file, limit=LARGEST_FILE // 1024)
    says, text = read_front_matter(_decoded(content, file), file)
    if text.lstrip().lower().startswith(_MARKUP):
        raise ScriptUnusable("script.markup", file=file)
    paragraphs = PARAGRAPHS_OF[path.suffix.lower()](text)
    if path.suffix.lower() in SUBTITLES and text.strip() and not paragraphs:
        raise ScriptUnusable("script.no_subtitles", file=file)
    if not any(paragraph.strip() for paragraph in paragraphs):
        raise ScriptUnusable("script.empty", file=file)
    spoken = tuple(sentences for paragraph in paragraphs if (sentences := sentences_of(paragraph)))
    if not spoken:
        raise ScriptUnusable("script.no_words", file=file)
    language = says.language or language_of_name(path.stem)
    script = Script(file, spoken, FrontMatter(language, says.engine, says.voice, says.speed))
    if script.words > limits.max_script_words:
        raise ScriptUnusable("script.too_many_words", file=file, words=script.words, limit=limits.max_script_words)
    return script


def _content(path: Path) -> bytes:
    """The file's bytes, and one more than is allowed where there are so many."""
    try:
        if not path.is_file():  # a pipe would be waited for
            raise UploadMissing("file.missing", file=path.name)
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UploadMissing("file.unreadable", file=path.name) from error


def _decoded(content: bytes, file: str) -> str:
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ScriptUnusable("script.not_text", file=file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScriptUnusable("script.not_utf8", file=file) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
