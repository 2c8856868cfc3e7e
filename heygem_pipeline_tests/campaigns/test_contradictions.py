"""Two campaigns that would make one clip differently."""

from pathlib import Path

import pytest

from heygem_pipeline.campaigns.campaigns_folder import wanted_clips
from heygem_pipeline.campaigns.contradictions import contradictions
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline_tests.campaigns.test_campaigns_folder import PRESENTERS, VOICES, load


def test_two_campaigns_that_would_make_one_clip_differently_contradict_each_other(tmp_path: Path) -> None:
    campaigns = load(tmp_path, ('"*"', "anna", "settings: {crf: 20}"), ("欢迎", '"*"'))
    ((clip, disagreement),) = contradictions(wanted_clips(campaigns, VOICES, PRESENTERS)).items()
    assert clip == ClipKey("欢迎", "anna")
    assert all(said in str(disagreement) for said in ("欢迎 x anna", '0.yaml with crf "20"', '1.yaml with crf "18"'))


@pytest.mark.parametrize("more", ["settings: {crf: 18}", "engine: warp", "title: other", "delivery: {report: yes}"])
def test_saying_what_holds_anyway_contradicts_nothing(tmp_path: Path, more: str) -> None:
    campaigns = load(tmp_path, ('"*"', '"*"', more), ('"*"', '"*"'))
    assert contradictions(wanted_clips(campaigns, VOICES, PRESENTERS)) == {}
