"""Speech engines of other packages are found, and a wrong one is told."""

import sys
from pathlib import Path

import pytest

from heygem_pipeline.errors import PlugInUnusable, UnknownChoice
from heygem_pipeline.settings import SynthesisSettings
from heygem_pipeline.synthesis import synthesizer_registry
from heygem_pipeline.synthesis.synthesizer_registry import SYNTHESIZERS, load_synthesizer

GOOD = """
class Parrot:
    name, version = "parrot", "3"
    def __init__(self, settings): self.settings = settings
    def voices(self): return []
    def choose_voice(self, voice, language): return voice
    def require_ready(self, voice): ...
    def synthesize(self, text, voice, language, speed): ...
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The module of an installed package that registers the engine ``parrot``."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(SYNTHESIZERS, "__dict__", {"_kind": SYNTHESIZERS._kind, "_needed": SYNTHESIZERS._needed})
    monkeypatch.delitem(sys.modules, "module_of_parrot", raising=False)
    known = tmp_path / "parrot_package-1.dist-info"
    known.mkdir()
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot-package\nVersion: 1\n")
    (known / "entry_points.txt").write_text("[heygem_pipeline.voices]\nparrot = module_of_parrot:Parrot\n")
    return tmp_path / "module_of_parrot.py"


def test_an_engine_of_another_package_is_made_with_the_settings(package: Path) -> None:
    package.write_text(GOOD)
    settings = SynthesisSettings()
    engine = load_synthesizer("parrot", settings)
    assert engine.version == "3"
    assert vars(engine)["settings"] is settings
    assert set(SYNTHESIZERS) == {"http", "kokoro", "parrot"}


def test_one_that_lacks_something_is_told_by_its_package(package: Path) -> None:
    package.write_text(GOOD.replace("synthesize", "speak"))
    with pytest.raises(PlugInUnusable) as caught:
        load_synthesizer("parrot", SynthesisSettings())
    assert "parrot-package" in str(caught.value) and "synthesize" in str(caught.value)
    assert "speech engine parrot" in str(caught.value)


def test_an_unknown_engine_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownChoice) as caught:
        synthesizer_registry.load_synthesizer("parrot", SynthesisSettings())
    assert caught.value.values["known"] == "http, kokoro"
