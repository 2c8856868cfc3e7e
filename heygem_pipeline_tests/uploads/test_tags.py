"""Tags of voices and presenters."""

from threading import Thread

import pytest

from heygem_pipeline.errors import TagUnusable
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.tags import LONGEST_TAG, MOST_TAGS, TaggedKind, Tags

VOICES, PRESENTERS = TaggedKind.VOICES, TaggedKind.PRESENTERS


@pytest.fixture
def tags(data: DataFolders) -> Tags:
    return Tags(data)


def test_tags_are_given_and_taken_of_several_at_once(tags: Tags) -> None:
    tags.change(VOICES, ["one", "two"], ["Course 7", "autumn"])
    tags.change(VOICES, ["two", "three"], ["winter"], ["AUTUMN"])
    assert tags.of(VOICES) == {"one": ("autumn", "Course 7"), "two": ("Course 7", "winter"), "three": ("winter",)}
    assert tags.of(PRESENTERS) == {}
    tags.put(VOICES, "one", ["spring"])
    tags.remove(VOICES, "two")
    assert tags.of(VOICES) == {"one": ("spring",), "three": ("winter",)}


def test_what_differs_in_case_or_composition_alone_is_one_tag(tags: Tags) -> None:
    tags.change(VOICES, ["one"], ["Zu\u0308rich", "  two   words "])
    tags.change(VOICES, ["one", "two"], ["z\u00fcrich"])
    assert tags.of(VOICES) == {"one": ("two words", "Z\u00fcrich"), "two": ("Z\u00fcrich",)}
    tags.put(VOICES, "two", ["Z\u00dcRICH"])
    assert tags.of(VOICES)["two"] == ("Z\u00fcrich",)


@pytest.mark.parametrize("tag", ["", "   ", "a,b", "x" * (LONGEST_TAG + 1), "a\nb"[:1] + "\x07", "\ud800"])
def test_what_can_be_no_tag_is_refused_and_changes_nothing(tags: Tags, tag: str) -> None:
    tags.change(VOICES, ["one"], ["kept"])
    with pytest.raises(TagUnusable):
        tags.change(VOICES, ["one"], ["good", tag])
    assert tags.of(VOICES) == {"one": ("kept",)}


def test_an_upload_has_so_many_and_no_more(tags: Tags) -> None:
    tags.change(PRESENTERS, ["anna"], map(str, range(MOST_TAGS)))
    with pytest.raises(TagUnusable, match="anna has 20 tags"):
        tags.change(PRESENTERS, ["anna"], ["more"])
    tags.change(PRESENTERS, ["anna"], ["more"], ["3"])


def test_two_who_tag_at_the_same_time_lose_nothing(tags: Tags) -> None:
    def tag(name: str) -> None:
        for number in range(5):
            Tags(tags.folders).change(VOICES, [name], [f"{name} {number}"])

    threads = [Thread(target=tag, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key: len(theirs) for key, theirs in tags.of(VOICES).items()} == {"a": 5, "b": 5, "c": 5}
