import gc
from collections.abc import Iterator
from fractions import Fraction
from hashlib import sha256
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from heygem_pipeline.errors import TruncatedFile
from heygem_pipeline.media import decode, frame_sequence
from heygem_pipeline.media.formats import open_media
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.packet_index import PacketIndex
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline_tests.media.conftest import COUNTED, DISPLAY_MATRICES, MOVING, MakeMedia, turned

X264 = ("-c:v", "libx264", "-preset", "veryfast")
SOURCES = {
    "closed groups": ("mp4", [*X264, "-g", "12", "-bf", "3"]),
    "open groups": ("mp4", [*X264, "-g", "12", "-bf", "3", "-x264-params", "open-gop=1:scenecut=0"]),
    "one long group": ("mkv", [*X264, "-g", "999", "-bf", "2"]),
    "every frame a key frame": ("avi", ["-c:v", "mjpeg"]),
    "groups of two": ("mp4", [*X264, "-g", "2", "-bf", "0"]),
    "HEVC": (
        "mp4",
        ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=12:log-level=none", "-bf", "3"],
    ),
    "VP9": ("webm", ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-g", "12"]),
    "VP8 with hidden frames": ("webm", ["-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-g", "20"]),
    "MPEG-4 with B frames in AVI": ("avi", ["-c:v", "mpeg4", "-bf", "2", "-g", "12"]),
    "MPEG-2 program stream": ("mpg", ["-c:v", "mpeg2video", "-bf", "2", "-g", "12"]),
    "MPEG-2 transport stream": ("ts", ["-c:v", "mpeg2video", "-bf", "2", "-g", "12"]),
    "H.264 transport stream": ("ts", [*X264, "-g", "12", "-bf", "3"]),
    "Flash": ("flv", ["-c:v", "flv", "-g", "12"]),
    "Windows Media": ("wmv", ["-c:v", "wmv2", "-g", "12"]),
    "variable rate": ("mkv", [*X264, "-g", "12", "-bf", "3", "-vf", "select='mod(n,5)*mod(n,7)'", "-fps_mode", "vfr"]),
    "negative first timestamp": ("mkv", [*X264, "-g", "12", "-bf", "2", "-output_ts_offset", "-0.5"]),
    "late first timestamp": ("ts", [*X264, "-g", "12", "-bf", "2", "-output_ts_offset", "9000"]),
    "beginning cut by an edit list": ("mp4", [*X264, "-g", "25", "-bf", "2"]),
}


def digest(frame: NDArray[np.uint8]) -> bytes:
    return sha256(frame.tobytes()).digest()


def brightness(path: Path) -> list[int]:
    """Which frame of COUNTED each frame of the timeline shows."""
    return [round((float(frame.mean()) * 219 / 255) / 4) for frame in FrameSequence.open(path).frames()]


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, make_media: MakeMedia, moving: Path) -> Path:
    suffix, options = SOURCES[request.param]
    if request.param.startswith("beginning cut"):
        return make_media("cut.mp4", "-ss", "0.5", "-i", moving, "-c", "copy")
    return make_media(f"source.{suffix}", "-f", "lavfi", "-i", MOVING, *options)


@pytest.mark.parametrize(("held_at_once", "held_on_disk"), [(1, 0), (7, 0), (1000, 0), (1, 9)])
def test_backward_shows_the_very_frames_of_forward(
    source: Path, held_at_once: int, held_on_disk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequence = FrameSequence.open(source)
    count = sequence.info.frame_count
    forward = [digest(frame) for frame in sequence.frames()]
    assert len(forward) == count
    assert len(set(forward)) > 0.6 * count
    monkeypatch.setattr(frame_sequence, "BACKWARD_BYTES", held_at_once * sequence.info.decoded_bytes)
    monkeypatch.setattr(frame_sequence, "SPILL_BYTES", held_on_disk * sequence.info.width * sequence.info.height * 3)
    shown = [(index, digest(frame)) for index, frame in sequence.presentation(3 * count)]
    assert shown == [(index, forward[index]) for index in (ping_pong(position, count) for position in range(3 * count))]


@pytest.mark.parametrize(("free", "pieces"), [(2**40, 1), (0, 7)])
def test_with_room_on_the_disk_a_long_group_is_decoded_once(
    free: int, pieces: int, make_media: MakeMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffix, options = SOURCES["one long group"]
    sequence = FrameSequence.open(make_media(f"source.{suffix}", "-f", "lavfi", "-i", MOVING, *options))
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free})())
    monkeypatch.setattr(frame_sequence, "BACKWARD_BYTES", 7 * sequence.info.decoded_bytes)
    read: list[int] = []

    def sample_frames(path: Path, index: PacketIndex, times: NDArray[np.int64]) -> Iterator[VideoFrame]:
        read.append(len(times))
        return decode.sample_frames(path, index, times)

    monkeypatch.setattr(frame_sequence, "sample_frames", sample_frames)
    for _ in sequence.presentation(99):
        pass
    forward, *backward = read
    assert (forward, sum(backward), len(backward)) == (50, 49, pieces)


@pytest.mark.parametrize("name", ["closed groups", "HEVC", "VP9", "H.264 transport stream", "negative first timestamp"])
def test_every_key_frame_is_found_again(name: str, make_media: MakeMedia) -> None:
    suffix, options = SOURCES[name]
    sequence = FrameSequence.open(make_media(f"source.{suffix}", "-f", "lavfi", "-i", MOVING, *options))
    assert sequence.index is not None
    for timestamp, tick in zip(sequence.index.key_timestamps, sequence.index.key_seeks, strict=True):
        with open_media(sequence.info.path) as container:
            stream = container.streams.video[0]
            container.seek(int(tick), stream=stream)
            assert next(packet.pts for packet in container.demux(stream) if packet.is_keyframe) == timestamp


def test_every_frame_of_a_constant_rate_clip_is_shown_once_in_order(make_media: MakeMedia) -> None:
    assert brightness(make_media("counted.mp4", "-f", "lavfi", "-i", COUNTED, "-crf", "1")) == list(range(50))


def test_a_dropped_frame_is_covered_by_the_one_before(make_media: MakeMedia) -> None:
    kept = make_media(
        "vfr.mkv",
        *(
            "-f",
            "lavfi",
            "-i",
            COUNTED,
            "-crf",
            "1",
            "-vf",
            "select='not(eq(n,3)+eq(n,4)+eq(n,20))'",
            "-fps_mode",
            "vfr",
        ),
    )
    frames = brightness(kept)
    assert frames == [{3: 2, 4: 2, 20: 19}.get(i, i) for i in range(50)]
    assert FrameSequence.open(kept).source_frames[:6].tolist() == [0, 1, 2, 2, 2, 3]


@pytest.mark.parametrize("name", DISPLAY_MATRICES)
def test_the_picture_stands_upright(name: str, make_media: MakeMedia, tmp_path: Path) -> None:
    stored = make_media(
        "corner.mp4",
        *("-f", "lavfi", "-i", "color=black:size=64x48:rate=25:duration=0.2,drawbox=0:0:16:16:white:fill", "-crf", "1"),
    )
    frame = next(iter(FrameSequence.open(turned(stored, DISPLAY_MATRICES[name], tmp_path)).frames()))
    white = {
        (vertical, horizontal): frame[vertical * -8 + (not vertical) * 4, horizontal * -8 + (not horizontal) * 4].mean()
        > 128
        for vertical in (0, 1)
        for horizontal in (0, 1)
    }
    expected = {"90": (0, 1), "180": (1, 1), "270": (1, 0), "mirrored": (0, 1), "mirrored and 90": (0, 0)}[name]
    assert [corner for corner, is_white in white.items() if is_white] == [expected]


def test_wide_pixels_are_made_square(make_media: MakeMedia) -> None:
    frame = next(
        iter(FrameSequence.open(make_media("wide.mp4", "-f", "lavfi", "-i", MOVING, "-vf", "setsar=2")).frames())
    )
    assert frame.shape == (120, 320, 3)


RED = (40, 40, 200)


@pytest.mark.parametrize(
    ("pixel_format", "matrix", "value_range"),
    [
        ("yuv420p", "bt709", "tv"),
        ("yuv420p", "smpte170m", "tv"),
        ("yuv420p", "bt709", "pc"),
        ("yuv422p10le", "bt709", "tv"),
        ("yuv444p", "smpte170m", "pc"),
        ("gbrp", "gbr", "pc"),
        ("yuv420p10le", "bt2020nc", "tv"),
    ],
)
def test_colours_come_out_as_they_went_in(
    pixel_format: str, matrix: str, value_range: str, make_media: MakeMedia
) -> None:
    colour = f"color=0x{RED[2]:02x}{RED[1]:02x}{RED[0]:02x}:size=64x48:rate=25:duration=0.2,format=gbrp"
    convert = f"scale=out_color_matrix={matrix}:out_range={value_range}," if matrix != "gbr" else ""
    tags = ["-color_range", value_range, "-colorspace", matrix] if matrix != "gbr" else []
    path = make_media(
        "c.mkv", "-f", "lavfi", "-i", colour, "-vf", f"{convert}format={pixel_format}", *tags, "-c:v", "ffv1"
    )
    frame = next(iter(FrameSequence.open(path).frames()))
    assert np.abs(frame.astype(int) - RED).max() <= 3


def test_full_range_motion_jpeg_keeps_its_black_and_white(make_media: MakeMedia) -> None:
    for colour, level in (("black", 0), ("white", 255)):
        path = make_media(
            "m.avi", "-f", "lavfi", "-i", f"color={colour}:size=64x48:rate=25:duration=0.2", "-c:v", "mjpeg"
        )
        assert np.abs(next(iter(FrameSequence.open(path).frames())).astype(int) - level).max() <= 1


def test_untagged_high_definition_is_read_as_bt709_and_small_pictures_as_bt601(make_media: MakeMedia) -> None:
    for size, matrix in (("1280x720", "bt709"), ("640x360", "smpte170m")):
        colour = f"color=0x{RED[2]:02x}{RED[1]:02x}{RED[0]:02x}:size={size}:rate=25:duration=0.08,format=gbrp"
        convert = f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p,setparams=colorspace=unknown"
        path = make_media("untagged.avi", "-f", "lavfi", "-i", colour, "-vf", convert, "-c:v", "mpeg4", "-q:v", "1")
        frame = next(iter(FrameSequence.open(path).frames()))
        assert np.abs(frame.astype(int) - RED).max() <= 4


def test_frames_belong_to_the_caller(moving: Path) -> None:
    sequence = FrameSequence.open(moving)
    clean = [frame.copy() for frame in sequence.frames()]
    for index, frame in sequence.presentation(150):
        assert np.array_equal(frame, clean[index])
        frame[:] = 0


def test_iterators_are_independent(moving: Path) -> None:
    sequence = FrameSequence.open(moving)
    expected = [digest(frame) for frame in sequence.frames()]
    first, second = sequence.frames(), sequence.presentation(100)
    for index, (one, (_, other)) in enumerate(zip(first, islice(second, 50), strict=True)):
        assert digest(one) == digest(other) == expected[index]


def test_an_abandoned_iterator_closes_its_file(moving: Path) -> None:
    opened = [Path(f"/proc/self/fd/{fd}") for fd in range(3, 64)]

    def holding() -> int:
        return sum(path.exists() and path.resolve() == moving.resolve() for path in opened)

    frames = FrameSequence.open(moving).presentation(200)
    for _ in islice(frames, 30):
        pass
    assert holding() >= 1
    del frames
    gc.collect()
    assert holding() == 0


def test_damage_in_the_middle_freezes_the_picture_and_keeps_the_time(make_media: MakeMedia, tmp_path: Path) -> None:
    whole = make_media("whole.avi", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=6", "-c:v", "mjpeg")
    content = bytearray(whole.read_bytes())
    frames = [i for i in range(len(content)) if content.startswith(b"\xff\xd8\xff", i)]
    for number in (40, 41):
        content[frames[number] : frames[number] + 600] = bytes(600)
    path = tmp_path / "damaged.avi"
    path.write_bytes(content)
    sequence, clean = FrameSequence.open(path), [digest(frame) for frame in FrameSequence.open(whole).frames()]
    shown = [digest(frame) for frame in sequence.frames()]
    assert shown == [*clean[:40], clean[39], clean[39], *clean[42:]]


def test_too_much_damage_is_an_error(make_media: MakeMedia, tmp_path: Path) -> None:
    whole = make_media("whole.avi", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=6", "-c:v", "mjpeg")
    content = bytearray(whole.read_bytes())
    frames = [i for i in range(len(content)) if content.startswith(b"\xff\xd8\xff", i)]
    for start in frames[40:80]:
        content[start : start + 600] = bytes(600)
    path = tmp_path / "ruined.avi"
    path.write_bytes(content)
    with pytest.raises(TruncatedFile, match=r"ruined\.avi is cut off or damaged"):
        list(FrameSequence.open(path).frames())


def test_a_still_picture_lasts_as_long_as_asked(make_media: MakeMedia) -> None:
    still = make_media("still.png", "-f", "lavfi", "-i", "testsrc=size=65x43:duration=1", "-frames:v", "1")
    sequence = FrameSequence.open(still)
    assert (sequence.info.still, sequence.info.frame_count, sequence.info.frame_rate) == (True, 1, Fraction(25))
    shown = list(sequence.presentation(40))
    assert [index for index, _ in shown] == [0] * 40
    assert {digest(frame) for _, frame in shown} == {digest(next(iter(sequence.frames())))}
    assert shown[0][1].shape == (43, 65, 3)


def test_a_video_of_one_frame_serves_as_a_still(make_media: MakeMedia) -> None:
    sequence = FrameSequence.open(make_media("one.mp4", "-f", "lavfi", "-i", MOVING, "-frames:v", "1"))
    assert (sequence.info.frame_count, sequence.info.frame_rate) == (1, 25)
    assert [index for index, _ in sequence.presentation(5)] == [0] * 5


SWAYING = "testsrc2=size=160x120:rate=50:duration=1"


@pytest.mark.parametrize("field", ["top", "bottom"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mpg"])
def test_interlaced_frames_are_shown_without_combs(field: str, suffix: str, make_media: MakeMedia) -> None:
    smooth = make_media("smooth.mkv", "-f", "lavfi", "-i", SWAYING, "-c:v", "ffv1")
    codec = ["-c:v", "mpeg2video", "-q:v", "2"] if suffix == "mpg" else ["-c:v", "libx264", "-crf", "8"]
    interlaced = make_media(
        f"interlaced.{suffix}",
        *("-i", smooth, "-vf", f"tinterlace=interleave_{field},setfield={field[0]}ff"),
        *(*codec, "-flags", "+ildct+ilme"),
    )
    truth = [frame.astype(int) for frame in FrameSequence.open(smooth).frames()][::2]
    shown = [frame.astype(int) for frame in FrameSequence.open(interlaced).frames()]
    assert len(shown) == len(truth) == 25
    with av.open(interlaced) as container:
        combed = [frame.to_ndarray(format="bgr24").astype(int) for frame in container.decode(video=0)]
    errors = [np.mean([np.abs(a - b).mean() for a, b in zip(frames, truth, strict=True)]) for frames in (shown, combed)]
    assert errors[0] < 0.7 * errors[1]


def test_ordinary_frames_pass_untouched_where_others_are_interlaced(make_media: MakeMedia) -> None:
    sequence = FrameSequence.open(make_media("plain.mp4", "-f", "lavfi", "-i", SWAYING, "-c:v", "libx264", "-crf", "8"))
    with av.open(sequence.info.path) as container:
        decoded = list(container.decode(video=0))
    assert all(
        np.array_equal(ours, sequence.converter(theirs))
        for ours, theirs in zip(sequence.frames(), decoded, strict=True)
    )


def test_a_call_that_changes_its_resolution_keeps_every_shape(make_media: MakeMedia, tmp_path: Path) -> None:
    circle = "color=black:size={size}:rate=25:duration=0.4,geq=lum='255*lt(hypot(X-W/2,Y-H/2),H/4)':cb=128:cr=128"
    parts = [
        make_media(f"{width}.webm", "-f", "lavfi", "-i", circle.format(size=f"{width}x{height}"), "-c:v", "libvpx")
        for width, height in ((96, 96), (256, 128), (192, 192))
    ]
    path = tmp_path / "call.webm"
    with av.open(path, "w") as container:
        stream = None
        for number, part in enumerate(parts):
            with av.open(part) as source:
                stream = stream or container.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.size:
                        packet.pts = packet.dts = (packet.pts or 0) + number * 400
                        packet.stream = stream
                        container.mux(packet)
    frames = list(FrameSequence.open(path).frames())
    assert {frame.shape for frame in frames} == {(96, 96, 3)} and len(frames) == 30
    for number, height in ((5, 48), (15, 24), (25, 48)):
        bright = frames[number][..., 0] > 128
        across, down = bright.any(axis=0).sum(), bright.any(axis=1).sum()
        assert (across, down) == (pytest.approx(height, abs=3), pytest.approx(height, abs=3))


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("webm", ["-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-deadline", "realtime", "-b:v", "2M"]),
        ("webm", ["-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0", "-b:v", "2M"]),
        ("mov", ["-c:v", "png", "-pix_fmt", "rgba"]),
        ("mov", ["-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"]),
        ("mov", ["-c:v", "qtrle", "-pix_fmt", "argb"]),
    ],
    ids=["VP9", "VP8", "PNG", "ProRes 4444", "Animation"],
)
def test_transparent_parts_of_a_video_are_white(suffix: str, codec: list[str], make_media: MakeMedia) -> None:
    half = "color=red:size=64x48:rate=25:duration=0.4,format=rgba,geq=r=200:g=30:b=30:a='255*lt(X,32)'"
    path = make_media(f"transparent.{suffix}", "-f", "lavfi", "-i", half, *codec)
    frames = list(FrameSequence.open(path).frames())
    assert len(frames) == 10
    for frame in (frames[0], frames[-1]):
        assert np.abs(frame[24, 12].astype(int) - (30, 30, 200)).max() <= 8
        assert frame[24, 52].min() >= 250
