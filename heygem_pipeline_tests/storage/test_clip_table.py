"""A table of clips reads as a mapping of their keys."""

import pytest

from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.clip_table import ClipTable

PAIRS = {ClipKey("b", "one"): 1, ClipKey("a", "one"): 2, ClipKey("b", "two"): 3}
TABLE = ClipTable.of(PAIRS.items())


def test_it_is_equal_to_the_mapping_it_was_made_of() -> None:
    assert PAIRS == TABLE
    assert (len(TABLE), dict(TABLE), dict(TABLE.items())) == (3, PAIRS, PAIRS)
    assert TABLE[ClipKey("b", "two")] == 3 and ClipKey("b", "two") in TABLE


def test_clips_go_voice_by_voice_and_values_with_them() -> None:
    assert list(TABLE) == [ClipKey("b", "one"), ClipKey("b", "two"), ClipKey("a", "one")]
    assert list(TABLE.values()) == [1, 3, 2]


@pytest.mark.parametrize("clip", [ClipKey("a", "two"), ClipKey("c", "one")])
def test_a_clip_without_a_value_is_not_in_it(clip: ClipKey) -> None:
    assert clip not in TABLE and TABLE.get(clip) is None
    with pytest.raises(KeyError):
        TABLE[clip]


def test_what_is_no_clip_is_not_in_it() -> None:
    assert None not in TABLE and "b|one" not in TABLE
