"""The strings that data folders hold: were one of them another, everything there would be made again."""

from heygem_pipeline.storage.version_strings import (
    clip_version,
    name_and_version,
    patches_version,
    presenter_version,
    rendering_version,
    voice_version,
)

VOICE, PRESENTER = "0123456789abcdef" * 4, "fedcba9876543210" * 4
TRACKER = name_and_version("dlib", "1")


def test_versions_are_written_as_existing_data_folders_hold_them() -> None:
    made_with = {"preset": "medium", "crf": 18, "label": "start"}
    rendering = rendering_version(TRACKER, name_and_version("warp", "27"), made_with)
    assert TRACKER == "dlib 1"
    assert voice_version(VOICE, "2") == "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef-2"
    assert presenter_version(PRESENTER, TRACKER) == (
        "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210-dlib 1"
    )
    assert patches_version(VOICE, PRESENTER, TRACKER, "warp", "27") == (
        "0123456789abcdef-fedcba9876543210-dlib 1-warp-27"
    )
    assert rendering == "dlib 1-warp 27-e42ff8e5"
    assert clip_version(VOICE, PRESENTER, rendering) == f"0123456789abcdef-fedcba9876543210-{rendering}"


def test_the_order_in_which_settings_were_written_does_not_matter() -> None:
    assert rendering_version("t", "e", {"a": 1, "b": "2"}) == rendering_version("t", "e", {"b": "2", "a": 1})
