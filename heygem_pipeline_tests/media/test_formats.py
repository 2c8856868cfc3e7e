import shutil
from pathlib import Path

import pytest

from heygem_pipeline.errors import EmptyFile, NotMedia, TruncatedFile, UnsafeFile
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.probe import probe_sound, probe_video
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline_tests.media.conftest import MOVING, TONE, MakeMedia

VOICES = {
    "wav": [],
    "mp3": [],
    "m4a": [],
    "aac": [],
    "flac": [],
    "ogg": ["-c:a", "libvorbis"],
    "opus": ["-c:a", "libopus"],
    "wma": [],
    "aiff": [],
}
PRESENTERS = {
    "mp4": [],
    "m4v": ["-c:v", "libx264"],
    "mov": [],
    "mkv": [],
    "webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime"],
    "avi": [],
    "flv": [],
    "wmv": [],
    "mpg": [],
    "ts": [],
    "3gp": ["-c:v", "libx264", "-ar", "8000", "-ac", "1", "-c:a", "aac"],
}

PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{target}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{target}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "pls": "[playlist]\nFile1={target}\n",
    "asx": "<ASX version='3.0'><Entry><Ref href='{target}'/></Entry></ASX>",
    "dash": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{target}</BaseURL></MPD>',
}


@pytest.mark.parametrize("suffix", VOICES)
def test_every_accepted_kind_of_voice_is_read(suffix: str, make_media: MakeMedia) -> None:
    sound = read_sound(make_media(f"voice.{suffix}", "-f", "lavfi", "-i", TONE, *VOICES[suffix]))
    assert 1.99 < sound.duration < 2.15
    assert 0.05 < abs(sound.samples).max() <= 1


@pytest.mark.parametrize("suffix", PRESENTERS)
def test_every_accepted_kind_of_video_is_a_presenter_and_a_voice(suffix: str, make_media: MakeMedia) -> None:
    path = make_media(f"v.{suffix}", "-f", "lavfi", "-i", MOVING, "-f", "lavfi", "-i", TONE, *PRESENTERS[suffix])
    info = probe_video(path)
    assert (info.width, info.height, info.frame_rate) == (160, 120, 25)
    assert info.frame_count in (50, 51)  # ffmpeg's AVI leaves a hole after the first frame
    assert info.has_sound
    assert 2 <= probe_sound(path).duration < 2.2


@pytest.mark.parametrize("name", ["voice.mp4", "voice.m3u8", "voice", "voice.txt", "voice%03d.png"])
def test_the_content_counts_not_the_ending(name: str, tone: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    shutil.copy(tone, path)
    assert read_sound(path).duration == 2


@pytest.mark.parametrize(
    "name",
    [
        "-i.mp4",
        "file:a.mp4",
        "concat:a|b.mp4",
        "http:example.mp4",
        "frame%03d.mp4",
        "quote'\"$(id)`.mp4",
        "陈老师 第一课 😀.mp4",
        "line\nbreak.mp4",
        "好" * 80 + ".mp4",
    ],
)
def test_a_name_is_only_a_name(name: str, moving: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(moving, name)
    assert len(list(FrameSequence.open(Path(name)).frames())) == 50


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", ["mp4", "m3u8"])
def test_lists_of_other_files_are_refused_whatever_they_are_called(
    kind: str, suffix: str, moving: Path, tmp_path: Path
) -> None:
    path = tmp_path / f"upload.{suffix}"
    path.write_text(PLAYLISTS[kind].format(target=moving))
    for probe in (probe_video, probe_sound):
        with pytest.raises(UnsafeFile, match=path.name):
            probe(path)


def test_a_list_behind_other_text_is_still_not_followed(moving: Path, tmp_path: Path) -> None:
    path = tmp_path / "upload.mp4"
    path.write_text(f"# a comment\nffconcat version 1.0\nfile '{moving}'\n")
    with pytest.raises((NotMedia, UnsafeFile)):
        probe_video(path)


def test_a_movie_whose_samples_lie_in_another_file_does_not_reach_it(tmp_path: Path, make_media: MakeMedia) -> None:
    source = make_media("raw.mov", "-f", "lavfi", "-i", "testsrc=size=32x32:rate=25:duration=1", "-c:v", "rawvideo")
    secret = tmp_path / "secret"
    secret.write_bytes(source.read_bytes())
    movie = source.read_bytes()
    inside = b"url \x00\x00\x00\x01"
    assert inside in movie
    outside = tmp_path / "upload.mov"
    outside.write_bytes(movie[movie.index(b"moov") - 4 :].replace(inside, b"alis\x00\x00\x00\x00"))
    with pytest.raises((TruncatedFile, UnsafeFile, NotMedia)):
        list(FrameSequence.open(outside).frames())


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "第一课.wav"
    path.touch()
    with pytest.raises(EmptyFile, match=r"^第一课\.wav is empty"):
        probe_sound(path)


@pytest.mark.parametrize(
    "content", [b"\x00" * 5000, b"hello world, this is no film\n" * 50, bytes(range(256)) * 64, b"%PDF-1.7\n"]
)
def test_what_is_not_media_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "upload.mp4"
    path.write_bytes(content)
    for probe in (probe_video, probe_sound):
        with pytest.raises(NotMedia, match=path.name):
            probe(path)
