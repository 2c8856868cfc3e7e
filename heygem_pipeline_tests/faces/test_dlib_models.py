import sys

import pytest

from heygem_pipeline.errors import ModelMissing
from heygem_pipeline.faces import dlib_models


def test_the_predictor_is_found_without_importing_the_package_that_ships_it() -> None:
    assert dlib_models.predictor_path().stat().st_size > 50_000_000
    assert "face_recognition_models" not in sys.modules


def test_a_missing_predictor_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dlib_models, "find_spec", lambda name: None)
    with pytest.raises(ModelMissing, match="pip install face-recognition-models"):
        dlib_models.predictor_path()
