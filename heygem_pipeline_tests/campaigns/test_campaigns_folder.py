"""The folder of campaigns, and which clips they want."""

from pathlib import Path

from heygem_pipeline.campaigns.campaigns_folder import (
    Campaigns,
    languages,
    load_campaigns,
    matches,
    speech_orders,
    wanted_clips,
)
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import DEFAULTS
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.synthesis.front_matter import FrontMatter

VOICES = ["welcome-de", "welcome-en", "lesson 1", "欢迎"]
PRESENTERS = ["anna", "mei"]
USUAL = default_render_spec(DEFAULTS)


def write(folder: Path, name: str, voices: str, presenters: str, more: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"voices: {voices}\npresenters: {presenters}\n{more}", encoding="utf-8")


def load(folder: Path, *campaigns: tuple[str, str] | tuple[str, str, str]) -> Campaigns:
    for position, campaign in enumerate(campaigns):
        write(folder, f"{position}.yaml", *campaign)
    return load_campaigns(folder, USUAL)


def wanted(campaigns: Campaigns) -> dict[tuple[str, str], list[str]]:
    return {
        (clip.voice, clip.presenter): [campaign.name for campaign in wanting]
        for clip, wanting in wanted_clips(campaigns, VOICES, PRESENTERS).items()
    }


def test_without_a_campaign_every_voice_is_wanted_on_every_presenter(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        clips = wanted(load_campaigns(folder, USUAL))
        assert len(clips) == 8 and not any(clips.values())


def test_a_campaign_wants_what_its_names_and_globs_match(tmp_path: Path) -> None:
    assert wanted(load(tmp_path, ('["welcome-*", 欢迎]', "m*"))) == {
        ("welcome-de", "mei"): ["0"],
        ("welcome-en", "mei"): ["0"],
        ("欢迎", "mei"): ["0"],
    }


def test_a_clip_may_be_wanted_by_several(tmp_path: Path) -> None:
    clips = wanted(load(tmp_path, ("[welcome-de]", '"*"'), ('"*-de"', "[anna]")))
    assert clips == {("welcome-de", "anna"): ["0", "1"], ("welcome-de", "mei"): ["0"]}


def test_a_wrong_campaign_wants_nothing_and_disturbs_no_other(tmp_path: Path) -> None:
    write(tmp_path, "wrong.yaml", "[]", "a")
    campaigns = load_campaigns(tmp_path, USUAL)
    assert wanted(campaigns) == {} and "wrong.yaml, line 1" in str(campaigns.wrong[0])
    campaigns = load(tmp_path, ('"*"', "anna"))
    assert len(wanted(campaigns)) == 4 and len(campaigns.wrong) == 1


def test_only_campaigns_are_read_and_another_ending_is_told(tmp_path: Path) -> None:
    for name in (".autumn.yaml", "~autumn.yaml", "notes.txt", "autumn.yaml~"):
        (tmp_path / name).write_text("voices")
    (tmp_path / "folder.yaml").mkdir()
    assert load_campaigns(tmp_path, USUAL).everything
    write(tmp_path, "autumn.yml", "a", "b")
    (wrong,) = load_campaigns(tmp_path, USUAL).wrong
    assert "autumn.yml" in str(wrong)


def test_file_names_count_where_they_are_known(tmp_path: Path) -> None:
    voices = {"take _1_": Path("take [1].wav"), "take 1": Path("take 1.wav"), "a": Path("a.mp3"), "b": Path("b.wav")}
    for names, keys in {
        '"take [1]"': ["take 1"],
        '"take [1].wav"': ["take _1_"],
        '"take _1_"': ["take _1_"],
        "a.mp3": ["a"],
        '"*.wav"': ["take _1_", "take 1", "b"],
    }.items():
        campaigns = load(tmp_path, (names, '"*"'))
        assert [clip.voice for clip in wanted_clips(campaigns, voices, ["anna"])] == keys, names


def test_a_name_may_be_written_with_what_its_key_leaves_out_or_in_another_form_of_unicode(tmp_path: Path) -> None:
    campaigns = load(tmp_path, ('["Lektion: 1", "Cafe\u0301*"]', '"*"'))
    assert list(wanted_clips(campaigns, ["Lektion_ 1", "Caf\u00e9 2"], ["a"])) == [
        ClipKey("Lektion_ 1", "a"),
        ClipKey("Caf\u00e9 2", "a"),
    ]


def test_what_matches_nothing_is_a_warning(tmp_path: Path) -> None:
    (campaign,) = load(tmp_path, ('["lesson *", "x-*"]', "[anna, eva]")).usable
    found = matches(campaign, VOICES, PRESENTERS)
    assert (list(found.voices), found.presenters) == (["lesson 1"], ("anna",))
    told = tuple(map(str, found.warnings))
    assert told == ('0.yaml: no voice is called "x-*".', '0.yaml: no presenter is called "eva".')


def test_the_language_of_a_voice_is_the_first_one_given(tmp_path: Path) -> None:
    voices = '["welcome-*", {voice: "*-de", language: de}, {voice: "*-??", language: en}]'
    (campaign,) = load(tmp_path, (voices, '"*"', "delivery: {named_by_language: yes}")).usable
    found = matches(campaign, VOICES, PRESENTERS)
    assert found.voices == {"welcome-de": "de", "welcome-en": "en"}
    assert tuple(map(str, found.warnings)) == ("0.yaml: welcome-de is given two languages; de is used.",)


def test_clips_named_by_language_want_one(tmp_path: Path) -> None:
    (campaign,) = load(tmp_path, ("欢迎", '"*"', "delivery: {named_by_language: yes}")).usable
    (warning,) = matches(campaign, VOICES, PRESENTERS).warnings
    assert "欢迎" in str(warning)


SPOKEN = {
    "welcome.de": Path("welcome.de.txt"),
    "welcome.en": Path("welcome.en.md"),
    "welcome.zh-Hant": Path("welcome.zh-Hant.txt"),
    "anna": Path("anna.wav"),
    "lesson": Path("lesson.txt"),
}


def campaign_of(folder: Path, text: str, name: str = "0.yaml") -> Campaigns:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"presenters: [mei]\n{text}", encoding="utf-8")
    return load_campaigns(folder, USUAL)


def test_a_script_is_wanted_in_every_language_and_what_is_missing_is_told(tmp_path: Path) -> None:
    campaigns = campaign_of(tmp_path, "scripts: welcome\nlanguages: [de, zh-hant, fr]\nvoices: anna\n")
    clips = wanted_clips(campaigns, SPOKEN, PRESENTERS)
    assert {clip.voice for clip in clips} == {"welcome.de", "welcome.zh-Hant", "anna"}
    found = matches(campaigns.usable[0], SPOKEN, PRESENTERS)
    assert found.voices == {"anna": None, "welcome.de": "de", "welcome.zh-Hant": "zh-Hant"}
    assert [(one.code, one.values["script"], one.values["language"]) for one in found.warnings] == [
        ("campaign.no_translation", "welcome", "fr")
    ]
    assert "welcome has no fr" in str(found.warnings[0])


def test_without_languages_scripts_are_taken_as_they_are_called(tmp_path: Path) -> None:
    campaigns = campaign_of(
        tmp_path, "scripts: ['welcome.*', lesson, gone]\ndelivery: {named_by_language: yes}\nspeakers: {de: onyx}\n"
    )
    found = matches(campaigns.usable[0], SPOKEN, PRESENTERS)
    assert set(found.voices) == {"welcome.de", "welcome.en", "welcome.zh-Hant", "lesson"}
    assert [one.code for one in found.warnings] == ["campaign.no_such_script", "campaign.no_language"]
    assert languages(campaigns.usable, SPOKEN) == {"welcome.de": "de", "welcome.en": "en", "welcome.zh-Hant": "zh-Hant"}
    assert speech_orders(campaigns.usable, SPOKEN)["welcome.de"] == FrontMatter("de", None, "onyx", None)
    assert speech_orders(campaigns.usable, SPOKEN)["welcome.en"] == FrontMatter("en", None, None, None)


def test_two_campaigns_must_agree_on_the_speaker_of_a_script(tmp_path: Path) -> None:
    text = "scripts: welcome\nlanguages: [de, en]\n"
    campaign_of(tmp_path, text + "speakers: {de: onyx, en: nova}\n")
    orders = speech_orders(campaign_of(tmp_path, text + "speakers: {de: alloy, en: nova}\n", "1.yaml").usable, SPOKEN)
    disagreement = orders["welcome.de"]
    assert isinstance(disagreement, Message) and disagreement.code == "campaigns.speakers_disagree"
    assert (disagreement.values["first"], disagreement.values["second"]) == ("0.yaml", "1.yaml")
    assert orders["welcome.en"] == FrontMatter("en", None, "nova", None)
