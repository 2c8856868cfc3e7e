"""Partition keys: readable, safe, one for any name."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heygem_pipeline.storage.keys import LONGEST_KEY_BYTES, UNSAFE, partition_key


@pytest.mark.parametrize(
    ("stem", "key"),
    [
        ("lesson 1", "lesson 1"),
        ("第一课 张老师", "第一课 张老师"),
        ("été 🎉", "été 🎉"),
        ("a|b, c", "a_b_ c"),
        ("..", "__"),
        ("-rf", "-rf"),
    ],
)
def test_names_stay_readable(stem: str, key: str) -> None:
    assert partition_key(stem).startswith("file-") if key == "__" else partition_key(stem) == key


@given(st.text())
def test_a_key_is_safe_whatever_the_name(stem: str) -> None:
    key = partition_key(stem)
    assert key
    assert 0 < len(key.encode()) <= LONGEST_KEY_BYTES
    assert not UNSAFE & set(key)
    assert ".." not in key and not key.startswith(".")
    assert key == unicodedata.normalize("NFC", key)
    assert not any(unicodedata.category(character)[0] == "C" and character != "\u200d" for character in key)


@given(st.text())
def test_a_key_is_its_own_key(stem: str) -> None:
    assert partition_key(partition_key(stem)) == partition_key(stem)


def test_long_names_that_begin_alike_get_different_keys() -> None:
    assert partition_key("课" * 200 + "一") != partition_key("课" * 200 + "二")
