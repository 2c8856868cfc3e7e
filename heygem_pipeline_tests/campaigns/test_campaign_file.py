"""A campaign's file is a campaign, or every mistake in it is told with its line."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heygem_pipeline.campaigns.campaign import Campaign, Speaker
from heygem_pipeline.campaigns.campaign_file import read_campaign, write_example
from heygem_pipeline.campaigns.campaign_yaml import LARGEST_FILE
from heygem_pipeline.clip.render_spec import RenderSpec, default_render_spec
from heygem_pipeline.errors import CampaignWrong, OutputRefused, UploadMissing
from heygem_pipeline.settings import DEFAULTS, ClipSettings, SynthesisSettings, SyntheticLabel
from heygem_pipeline.synthesis.script import read_script

PROJECT = Path(__file__).parents[2]
SMALLEST = 'voices: "*"\npresenters: "*"\n'
USUAL = default_render_spec(DEFAULTS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("campaigns")


def read(folder: Path, content: str | bytes, usual: RenderSpec = USUAL) -> Campaign:
    path = folder / "autumn.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_campaign(path, usual)


def problems(folder: Path, content: str | bytes) -> tuple[str, ...]:
    with pytest.raises(CampaignWrong) as told:
        read(folder, content)
    return tuple(str(problem) for problem in told.value.problems)


def test_what_is_left_out_is_as_usual(folder: Path) -> None:
    usual = RenderSpec("wav2lip", ClipSettings(crf=23))
    campaign = read(folder, SMALLEST, usual)
    assert (campaign.file, campaign.name, campaign.title) == ("autumn.yaml", "autumn", "autumn")
    assert (campaign.engine, campaign.schedule, campaign.timezone) == ("wav2lip", None, "UTC")
    assert campaign.settings.model_dump() == usual.settings.model_dump()
    assert not any(campaign.delivery.model_dump().values())
    own = read(folder, SMALLEST + "engine: warp\nsettings: {preset: fast}", usual)
    assert (own.engine, own.settings.preset, own.settings.crf) == ("warp", "fast", 23)


def test_everything_that_may_be_written(folder: Path) -> None:
    campaign = read(
        folder,
        """
title: 2026
voices:
  - 欢迎*
  - {voice: "*-de", language: DE-at}
presenters: [anna, "mei ?"]
engine: warp
settings: {label: off, crf: 30, preset: fast, audio_bitrate: 96k, content_producer: Ω, propagate_id: "007"}
schedule: "*/30  8-18 * * mon-fri"
timezone: Asia/Shanghai
delivery: {report: yes, filmstrips: true, voice: no, named_by_language: on}
""",
    )
    assert (campaign.title, campaign.presenters) == ("2026", ("anna", "mei ?"))
    assert [(choice.voice, choice.language) for choice in campaign.voices] == [("欢迎*", None), ("*-de", "de-AT")]
    assert (campaign.settings.label, campaign.settings.crf) == (SyntheticLabel.OFF, 30)
    assert (campaign.settings.propagate_id, campaign.settings.content_propagator) == ("007", "")
    assert (campaign.schedule, campaign.timezone) == ("*/30 8-18 * * mon-fri", "Asia/Shanghai")
    assert campaign.delivery.model_dump() == {
        "report": True,
        "filmstrips": True,
        "voice": False,
        "named_by_language": True,
    }


def test_norwegian_is_a_language_and_no_boolean(folder: Path) -> None:
    campaign = read(folder, "voices: [{voice: no, language: no}]\npresenters: anna\n")
    assert (campaign.voices[0].voice, campaign.voices[0].language) == ("no", "no")


def test_a_group_whose_lines_are_all_comments_counts_as_left_out(folder: Path) -> None:
    assert read(folder, SMALLEST + "settings:\n#  crf: 20\nschedule:\n") == read(folder, SMALLEST)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("tittle: x", 'line 3, column 1: there is no key "tittle" here; did you mean "title"?'),
        ("settings:\n  crf: high", 'line 4, column 8: settings.crf should be a whole number, not "high".'),
        ("settings: {crf: 52}", "line 3, column 17: settings.crf should be less than or equal to 51"),
        ("settings: {label: sometimes}", "settings.label should be 'off', 'start' or 'always'"),
        ("settings: {audio_bitrate: 192}", 'settings.audio_bitrate should be written like "192k", not "192"'),
        ("settings: {data: /}", 'there is no key "data" here; there are: crf'),
        ("settings: {crf: }", "settings.crf has no value"),
        ("settings:\n  crf: 1\n  settings: 1", 'line 5, column 3: there is no key "settings" here'),
        ("settings: [crf]", "settings should be a group of keys"),
        (
            "engine: wrap",
            'line 3, column 9: engine should be one of: musetalk, program, warp, wav2lip, not "wrap"; '
            'did you mean "warp"?',
        ),
        ("schedule: every day", "line 3, column 11: schedule should have five fields"),
        ("schedule: 0 25 * * *", "schedule should be a cron line"),
        ("schedule: '*/90 * * * *'", "schedule should be a cron line"),
        ("schedule: 0 0 31 4 *", "schedule names a day that never comes"),
        ("timezone: Europe/Berln", 'did you mean "Europe/Berlin"?'),
        ("timezone: ../../etc/passwd", "line 3, column 11: timezone should be a time zone"),
        ("delivery: {report: maybe}", 'line 3, column 20: delivery.report should be yes or no, not "maybe"'),
        ("voices: b", 'line 3, column 1: "voices" stands here a second time; the first is in line 1.'),
        ("title: [a]", "title should be one text"),
        ('title: "\\e[31m"', "title should hold no control characters"),
        ("file: a", 'there is no key "file" here'),
        ("? [a]\n: b", "line 3, column 3: a key should be one word"),
    ],
)
def test_a_mistake_is_told_with_its_line(folder: Path, lines: str, told: str) -> None:
    (problem,) = problems(folder, SMALLEST + lines + "\n")
    assert problem.startswith("autumn.yaml, line ") and told in problem


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "line 1, column 1: the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("- a\n", 'line 1, column 1: the file should begin with a key, such as "voices:"'),
        ("presenters: a\nvoices:\n", "line 2, column 8: voices has no value"),
        ("presenters: a\nvoices: []\n", "voices should name at least one"),
        ("presenters: {a: b}\nvoices: a\n", "line 1, column 13: presenters should be a list"),
        ("presenters: a\nvoices:\n - b\n - {voice: c, language: klingon}\n", "line 4, column 25: voices.language"),
        ("presenters: a\nvoices:\n - {language: de}\n", 'line 3, column 4: the key "voice" is missing here'),
        ("voices:\n  - *-de\n", 'line 2, column 5: a value that begins with "*" must stand in quotes'),
        ("voices: *\n", 'line 1, column 9: a value that begins with "*" must stand in quotes'),
        ("voices:\n\t- a\n", "line 2, column 1: indent with spaces, not with tabs"),
        ("title: a: b\n", "line 1, column 9: a key must be indented"),
        ("voices: [a\n", "line 2, column 1: a list that begins with"),
        ('voices: "a\ntitle: b\n', "line 1, column 9: a quote is opened here and never closed"),
        ("voices: a\n---\nvoices: b\n", "line 2, column 1: a file holds one campaign"),
        ("voices: !!python/object/apply:os.getcwd []\n", 'line 1, column 9: a value that begins with "!"'),
        (SMALLEST + 'title: "\\ud800"', "line 3, column 8: there is a broken character here"),
        ("a: \x07", "line 1, column 4: there is a control character here"),
        ('a: 1\ntitle: "\\UFFFFFFFF"', "line 2, column 11: this number is too large"),
        (b"a: b\ntitle: M\xfcnchen", "line 2, column 9: this is not UTF-8"),
        ("[" * 5000, "line 1, column 9: this is nested too deeply"),
        ("a" * (LARGEST_FILE + 1), "line 1, column 1: this is larger than 128 kB"),
    ],
)
def test_what_is_no_campaign_at_all_is_told_with_its_line(folder: Path, content: str | bytes, told: str) -> None:
    (problem,) = problems(folder, content)
    assert problem.startswith("autumn.yaml, line ") and told in problem


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(folder: Path) -> None:
    told = problems(folder, "title: a\nengine: b\nschedule: c\ntitle: d\npresenter: e\n")
    lines = [int(found) for problem in told for found in re.findall(r"^autumn.yaml, line (\d+),", problem)]
    assert lines == [1, 1, 2, 3, 4, 5]


def test_a_bomb_of_references_is_refused_before_it_grows(folder: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    (problem,) = problems(folder, bomb)
    assert "line 1, column 4" in problem


def test_a_file_with_another_ending_or_none_at_all(folder: Path) -> None:
    (folder / "spring.yml").write_text(SMALLEST)
    with pytest.raises(CampaignWrong, match=r"should end with \.yaml"):
        read_campaign(folder / "spring.yml", USUAL)
    with pytest.raises(UploadMissing, match=r"winter\.yaml"):
        read_campaign(folder / "winter.yaml", USUAL)


def test_a_name_that_cannot_be_shown_and_a_file_that_cannot_be_read_are_told_like_the_rest(folder: Path) -> None:
    (folder / "m\udcfcnchen.yaml").write_text(SMALLEST)
    (folder / "memory.yaml").symlink_to("/proc/self/mem")
    for name, told in (("m\udcfcnchen.yaml", "give it another name"), ("memory.yaml", "the file cannot be read")):
        with pytest.raises(CampaignWrong, match=told) as error:
            read_campaign(folder / name, USUAL)
        str(error.value).encode()


WORDS = (
    "voices presenters settings delivery crf label schedule title no 声 : - * &a *a !!binary [ ] { } , | > ' \" # ? ..."
)
SCRAPS = st.sampled_from(
    [
        *WORDS.split(),
        *(": ", "- ", " ", "\n", "\n  ", "\t", "\ufeff", "\u2028", "\x85", "\n---\n", "%YAML 1.1\n", "0 2 * * *"),
        *("9" * 5000, "%YAML " + "9" * 5000, '"\\ud800"', '"\\x00"', '"\\U00110000"', '"\\U99999999"'),
    ]
)
WILD = st.one_of(st.text(), st.lists(SCRAPS, max_size=30).map("".join), st.binary(max_size=60))


@given(content=WILD, begin=st.sampled_from(["", SMALLEST]))
def test_any_content_is_a_campaign_or_told_with_its_line(folder: Path, content: str | bytes, begin: str) -> None:
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    try:
        campaign = read(folder, begin.encode() + raw)
    except CampaignWrong as error:
        for problem in map(str, error.problems):
            assert re.fullmatch(r"autumn\.yaml, line [1-9]\d*, column [1-9]\d*: .+[.?]", problem), problem
            assert problem.isprintable()
    else:
        assert (campaign.voices or campaign.scripts) and campaign.presenters


def test_the_example_of_localisation_makes_fifteen_clips() -> None:
    campaign = read_campaign(PROJECT / "docs" / "examples" / "localisation.yaml", USUAL)
    assert len({choice.language for choice in campaign.voices}) == 5
    assert len(campaign.presenters) == 3


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "docs/tasks.md", "docs/tasks.zh-CN.md"])
def test_the_example_in_the_pages_is_in_order(folder: Path, name: str) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (PROJECT / name).read_text("utf-8"), re.DOTALL)
    assert read(folder, example).presenters == ("anna", "marco")


def test_a_new_campaign_is_in_order_with_and_without_its_comment_signs(tmp_path: Path) -> None:
    path = write_example(tmp_path, "../秋季: 1")
    assert path.parent == tmp_path
    plain = read_campaign(path, USUAL)
    offered = re.sub(r"(?m)^(\s*)# (?=\s*([a-z_]+:|- )\s?[^(]*$)", r"\1", path.read_text("utf-8"))
    offered = re.sub(r"(?m)^title: .*\n", "", offered)
    full = read(tmp_path, offered)
    assert (plain.schedule, full.schedule) == (None, "0 2 * * 1-5")
    assert (len(plain.voices), len(full.voices)) == (1, 3)
    assert full.settings.content_producer == "Example University" and full.delivery.named_by_language
    with pytest.raises(OutputRefused):
        write_example(tmp_path, "../秋季: 1")


def test_the_example_that_is_spoken_makes_fifteen_clips() -> None:
    examples = PROJECT / "docs" / "examples"
    campaign = read_campaign(examples / "spoken-localisation.yaml", USUAL)
    scripts = {path.stem: read_script(path, SynthesisSettings()) for path in (examples / "scripts").iterdir()}
    assert set(scripts) == {f"{script}.{language}" for script in campaign.scripts for language in campaign.languages}
    assert set(campaign.speakers) == set(campaign.languages) and len(campaign.presenters) == 3
    assert {len(script.paragraphs) for script in scripts.values()} == {3}
    assert {len(script.sentences) for script in scripts.values()} == {4}


def test_scripts_stand_beside_voices_or_in_their_place(folder: Path) -> None:
    campaign = read(
        folder, "scripts: welcome\npresenters: a\nlanguages: [DE, zh-hant]\nspeakers: {de: onyx, EN: {speed: 0.9}}\n"
    )
    assert (campaign.voices, campaign.scripts, campaign.languages) == ((), ("welcome",), ("de", "zh-Hant"))
    assert campaign.speakers == {"de": Speaker(voice="onyx"), "en": Speaker(speed=0.9)}
    assert read(folder, "scripts: [a]\nvoices: [b]\npresenters: a\n").voices


@pytest.mark.parametrize(
    "text, problem",
    [
        ("presenters: a\n", 'line 1, column 1: the key "voices" is missing here'),
        ("voices: a\npresenters: a\nlanguages: [de]\n", 'line 3, column 1: the key "languages" is for scripts'),
        ("scripts: a\npresenters: a\nlanguages: [klingonish]\n", 'not "klingonish"'),
        ("scripts: a\npresenters: a\nspeakers: {klingonish: a}\n", "line 3, column 11: speakers should be a BCP 47"),
        ("scripts: a\npresenters: a\nspeakers: {de: {engine: htpt}}\n", 'did you mean "http"?'),
        (
            "scripts: a\npresenters: a\nspeakers: {de: {speed: 5}}\n",
            "speed should be less than or equal to 2",
        ),
        ("scripts: a\npresenters: a\nspeakers: {de: {speed: fast}}\n", 'should be a number, not "fast"'),
        ("scripts: a\npresenters: a\nspeakers: {de: {tone: happy}}\n", 'there is no key "tone" here'),
        ("scripts: []\npresenters: a\n", "scripts should name at least one"),
    ],
)
def test_what_is_wrong_with_scripts_is_told_at_its_place(folder: Path, text: str, problem: str) -> None:
    with pytest.raises(CampaignWrong) as caught:
        read(folder, text)
    assert problem in str(caught.value)
