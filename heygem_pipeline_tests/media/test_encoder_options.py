from pathlib import Path

import pytest

from heygem_pipeline.errors import EncoderMissing
from heygem_pipeline.media.encoder_options import encoder_options
from heygem_pipeline.settings import Encoder
from heygem_pipeline_tests.media.test_encode import UNLABELLED, encode_colours


def test_an_encoder_that_does_not_work_here_is_named_before_any_frame(tone: Path, tmp_path: Path) -> None:
    on_the_card = UNLABELLED.model_copy(update={"encoder": Encoder.NVENC})
    try:
        encoder_options(on_the_card)
    except EncoderMissing as error:
        assert "HEYGEM_ENCODER=nvenc" in str(error) and "HEYGEM_ENCODER=x264" in str(error)
        with pytest.raises(EncoderMissing):
            encode_colours(tmp_path / "clip.mp4", tone, made_with=on_the_card)
        assert not list(tmp_path.glob("*.mp4"))
    else:
        assert encode_colours(tmp_path / "clip.mp4", tone, made_with=on_the_card).frame_count == 50
