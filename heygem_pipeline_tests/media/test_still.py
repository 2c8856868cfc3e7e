import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from heygem_pipeline.errors import NoPicture, NotMedia, TooLarge, TruncatedFile
from heygem_pipeline.media.probe import probe_video
from heygem_pipeline.media.still import picture_size, read_picture
from heygem_pipeline.settings import UploadLimits

ORIENTATION = 0x0112
RED, WHITE = (0, 0, 255), (255, 255, 255)


def half_red(width: int = 64, height: int = 32) -> Image.Image:
    """The left half red, the right half white."""
    picture = Image.new("RGB", (width, height), "white")
    picture.paste("red", (0, 0, width // 2, height))
    return picture


@pytest.mark.parametrize("kind", ["png", "webp", "jpg"])
def test_the_content_tells_the_kind(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "upload.mp4"
    half_red().save(path, format={"jpg": "jpeg"}.get(kind, kind))
    assert picture_size(path) == (64, 32)
    assert np.abs(read_picture(path)[16, 8].astype(int) - RED).max() <= 3


@pytest.mark.parametrize(
    ("orientation", "size", "red_at"), [(3, (64, 32), (16, 56)), (6, (32, 64), (8, 16)), (8, (32, 64), (56, 16))]
)
def test_a_phone_held_otherwise(
    orientation: int, size: tuple[int, int], red_at: tuple[int, int], tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / "phone.jpg"
    half_red().save(path, exif=exif)
    info = probe_video(path)
    assert (info.width, info.height) == size
    pixels = read_picture(path)
    assert pixels.shape == (size[1], size[0], 3)
    assert np.abs(pixels[red_at].astype(int) - RED).max() <= 3


@pytest.mark.parametrize("kind", ["png", "webp", "avif"])
@pytest.mark.parametrize(("orientation", "red_at"), [(3, (16, 56)), (6, (8, 16)), (8, (56, 16))])
def test_every_kind_of_picture_is_turned_upright(
    kind: str, orientation: int, red_at: tuple[int, int], tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / f"turned.{kind}"
    half_red().save(path, exif=exif)
    info, pixels = probe_video(path), read_picture(path)
    assert pixels.shape == (info.height, info.width, 3)
    assert np.abs(pixels[red_at].astype(int) - RED).max() <= 8


def test_a_png_that_is_turned_by_its_last_chunk(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = tmp_path / "late.png"
    half_red().save(path, exif=exif)
    content = path.read_bytes()
    start = content.index(b"eXIf") - 4
    end = start + 12 + struct.unpack_from(">I", content, start)[0]
    last = content.index(b"IEND") - 4
    path.write_bytes(content[:start] + content[end:last] + content[start:end] + content[last:])
    assert picture_size(path) == (32, 64)
    assert np.abs(read_picture(path)[8, 16].astype(int) - RED).max() <= 3


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_a_telephones_large_photograph_is_scaled_down(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"large.{kind}"
    half_red(3200, 2400).save(path)
    info = probe_video(path, UploadLimits(max_width=640, max_height=360))
    assert (info.width, info.height) == (480, 360)
    pixels = read_picture(path, (480, 360))
    assert pixels.shape == (360, 480, 3)
    assert np.abs(pixels[180, 120].astype(int) - RED).max() <= 3
    assert np.abs(pixels[180, 360].astype(int) - WHITE).max() <= 3


@pytest.mark.parametrize("kind", ["png", "webp", "gif"])
def test_an_animated_picture_is_refused_in_one_sentence(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"dancing.{kind}"
    half_red().save(path, save_all=True, append_images=[Image.new("RGB", (64, 32), "blue")], duration=100)
    with pytest.raises(NotMedia, match=rf"dancing\.{kind} is a GIF or another animated picture"):
        probe_video(path)


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    picture = half_red().convert("RGBA")
    picture.putalpha(Image.new("L", picture.size, 0))
    path = tmp_path / "cutout.png"
    picture.save(path)
    assert (read_picture(path) == 255).all()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA", "I;16"])
def test_any_kind_of_pixel_becomes_colour(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    if mode == "I;16":
        Image.fromarray(np.tile(np.array([0, 32896, 65535], np.uint16), (3, 1))).save(path)
        assert read_picture(path)[0, :, 0].tolist() == [0, 128, 255]
    else:
        half_red().convert(mode).save(path)
        assert tuple(read_picture(path)[16, 60]) == WHITE


def display_p3() -> bytes:
    """A colour profile: sRGB's own, with the red, green and blue of Display P3 (D50) in its place."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    corners = {b"rXYZ": (0.51512, 0.24120, -0.00105), b"gXYZ": (0.29198, 0.69225, 0.04189)}
    corners[b"bXYZ"] = (0.15710, 0.06657, 0.78407)
    for name, corner in corners.items():
        (place,) = struct.unpack_from(">I", profile, profile.index(name, 128) + 4)
        struct.pack_into(">3i", profile, place + 8, *(round(value * 65536) for value in corner))
    return bytes(profile)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_colours_of_a_phones_photograph_are_those_its_profile_means(kind: str, mode: str, tmp_path: Path) -> None:
    if (kind, mode) == ("jpeg", "RGBA"):
        pytest.skip("JPEG has no transparency")
    path = tmp_path / f"phone.{kind}"
    lossless = {"lossless": True} if kind == "webp" else {}
    Image.new(mode, (32, 32), (191, 153, 106)).save(path, kind, icc_profile=display_p3(), **lossless)
    # By hand: (191, 153, 106) / 255 decoded as sRGB, from P3 to BT.709 (EG 432-1, inverted), and encoded again.
    assert read_picture(path)[16, 16, ::-1].tolist() == pytest.approx([198, 151, 98], abs=2)


def test_a_profile_that_says_srgb_or_nonsense_changes_nothing(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    colours = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    for number, profile in enumerate((srgb, b"nonsense" * 40, srgb[:200])):
        path = tmp_path / f"{number}.png"
        Image.fromarray(colours).save(path, icc_profile=profile)
        assert np.array_equal(read_picture(path)[..., ::-1], colours)


@pytest.mark.parametrize("transfer", [16, 18])
def test_a_png_of_high_dynamic_range_is_refused_and_an_ordinary_one_read(transfer: int, tmp_path: Path) -> None:
    path = tmp_path / "screen.png"
    for said in (13, transfer):
        information = PngImagePlugin.PngInfo()
        information.add(b"cICP", bytes([9, said, 0, 1]))
        half_red().save(path, pnginfo=information)
        if said == transfer:
            with pytest.raises(NotMedia, match=r"screen\.png is a PNG of high dynamic range; export it as a JPEG"):
                probe_video(path)
        else:
            assert probe_video(path).width == 64


def test_a_printers_jpeg_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cmyk.jpg"
    half_red().convert("CMYK").save(path)
    assert np.abs(read_picture(path)[16, 60].astype(int) - WHITE).max() <= 3


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_half_a_picture_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"half.{kind}"
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(TruncatedFile, match=rf"half\.{kind} is a damaged picture"):
        read_picture(path)


def test_a_huge_picture_is_refused_without_being_decoded(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (30000, 30000)).save(path)
    with pytest.raises(TooLarge, match=r"huge\.png"):
        probe_video(path)


def test_a_sound_is_no_presenter(tone: Path) -> None:
    with pytest.raises(NoPicture, match=r"tone\.wav has no picture"):
        probe_video(tone)
