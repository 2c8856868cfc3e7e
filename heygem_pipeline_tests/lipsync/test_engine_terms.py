"""What may be done with an engine's clips, whoever says it."""

from pathlib import Path

from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline.lipsync.engine_terms import terms_of
from heygem_pipeline.settings import DEFAULTS, EngineSettings
from heygem_pipeline_tests.lipsync.program.recipes import write_recipe


def test_every_engine_has_terms(closed_lips: HeldPresenter, tmp_path: Path) -> None:
    program = EngineSettings(program=write_recipe(tmp_path, closed_lips))
    assert terms_of("warp", DEFAULTS).code == "licence.warp"
    assert terms_of("wav2lip", DEFAULTS).code == "licence.wav2lip"
    assert str(terms_of("program", program)) == "any use"
    assert {terms_of(name, DEFAULTS).code for name in ("program", "nobody")} == {"licence.not_said"}
