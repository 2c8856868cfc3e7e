"""Single values of a campaign's file are changed, and nothing else in it."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from heygem_pipeline.campaigns.campaign_edits import value_of, with_values

WRITTEN = """\
# Anna's campaign
title: Autumn   # the old name
voices:
  - one    # the first
  - two
settings:
  crf: 20
  label: always

# When it is made
schedule: 0 2 * * *
"""


def test_only_the_value_changes() -> None:
    changed = with_values(WRITTEN, {"title": "Winter: 第一课", "settings": {"crf": 14, "preset": "slow"}})
    assert changed == WRITTEN.replace("title: Autumn", "title: 'Winter: 第一课'").replace(
        "settings:\n  crf: 20\n  label: always\n", "settings: {crf: 14, preset: slow}\n"
    )


def test_what_is_not_there_is_added_and_none_takes_it_out() -> None:
    added = with_values(WRITTEN, {"engine": "warp"})
    assert added == WRITTEN + "engine: warp\n"
    assert value_of(added, "engine") == "warp"
    assert value_of(with_values(added, {"engine": None, "settings": None}), "settings") is None
    assert "# When it is made" in with_values(WRITTEN, {"settings": None})


def test_a_mapping_in_braces_is_changed_too() -> None:
    assert yaml.safe_load(with_values("{title: a, voices: [b]}", {"title": "c"})) == {"title": "c", "voices": ["b"]}


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(ValueError, match="no mapping"):
        with_values("- a\n", {"title": "b"})


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=60))
def test_any_title_comes_back(title: str) -> None:
    changed = with_values(WRITTEN, {"title": title})
    assert yaml.safe_load(changed) == yaml.safe_load(WRITTEN) | {"title": title}
