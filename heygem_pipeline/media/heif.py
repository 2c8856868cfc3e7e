"""Photographs in HEIC (ISO/IEC 23008-12), which telephones store in tiles, and AVIF: upright, in BT.709's colours."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from heygem_pipeline.media.colour import UNSPECIFIED, ColourTags, colour_range, mapping_of, matrix_of, tags_of
from heygem_pipeline.media.formats import open_media, read_packets
from heygem_pipeline.media.frame import EXACT
from heygem_pipeline.media.geometry import Orientation
from heygem_pipeline.media.tone_mapping import MAPPED_FORMAT, ColourMapper

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"hevc", b"hevx")
MOST_TILES = 1024
MOST_BYTES_OF_BOXES = 2**20
"""Of the boxes that describe the pictures; a telephone writes some kilobytes."""


class HeifDamaged(Exception):
    """The boxes do not describe a picture that can be put together."""


@dataclass(frozen=True)
class HeifPicture:
    """The main picture of a HEIC file.

    Attributes:
        tiles: numbers of the coded items, in rows from the top left.
        columns: tiles in a row.
        size: (width, height) as stored, before it is turned.
        orientation: how it is turned upright.
        profile: its ICC profile, where it has one.
        tags: what the file says of its colours.
        full_range: it says that its values use the full range.
    """

    tiles: tuple[int, ...]
    columns: int
    size: tuple[int, int]
    orientation: Orientation
    profile: bytes | None
    tags: ColourTags
    full_range: bool

    @property
    def of_other_colours(self) -> bool:
        """Do its numbers stand for other colours than BT.709's, or do only the coded pixels tell?"""
        untold = self.tags.transfer == UNSPECIFIED
        return self.profile is None and (untold or mapping_of(self.tags) is not None)

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) as shown."""
        width, height = self.size
        return (height, width) if self.orientation.swaps_sides else (width, height)


def is_heif(head: bytes) -> bool:
    """Tell by the first bytes of a file whether it holds HEIC pictures and no film."""
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS


def describe_heif(path: Path) -> HeifPicture | None:
    """Read the boxes; None where the file has no main picture. Raises HeifDamaged, struct.error, IndexError."""
    with path.open("rb") as file:
        content = _first_box(file.read(MOST_BYTES_OF_BOXES), b"meta")
        if content is None:
            return None
        boxes = dict(_boxes(content[4:]))
        if b"pitm" not in boxes or b"iinf" not in boxes or b"iprp" not in boxes:
            return None
        main = _number(boxes[b"pitm"], 4, 2 if boxes[b"pitm"][0] == 0 else 4)
        properties = _properties(boxes[b"iprp"], main)
        sizes = [struct.unpack_from(">II", body, 4) for name, body in properties if name == b"ispe"]
        if _kind(boxes[b"iinf"], main) != b"grid":
            if not sizes:
                return None
            return _picture((main,), 1, sizes[0], properties)
        grid = _item(boxes, main, path)
        rows, columns = grid[2] + 1, grid[3] + 1
        size = struct.unpack_from(">II" if grid[1] & 1 else ">HH", grid, 4)
        tiles = _references(boxes.get(b"iref", b""), main)
        if len(tiles) != rows * columns or len(tiles) > MOST_TILES:
            raise HeifDamaged
        return _picture(tiles, columns, size, properties)


def read_heif(path: Path, picture: HeifPicture) -> NDArray[np.uint8]:
    """Return the upright picture, uint8 (height, width, 3) BGR. Raises HeifDamaged and what opening raises."""
    width, height = picture.size
    canvas = np.zeros((height, width, 3), np.uint8)
    seen = 0
    places = {tile: number for number, tile in enumerate(picture.tiles)}
    with open_media(path, most_streams=MOST_TILES) as container:
        streams = [stream for stream in container.streams.video if stream.id in places]
        for stream, frame in _frames(path, container, streams):
            row, column = divmod(places[stream.id], picture.columns)
            tile = _pixels(frame, picture)
            top, left = row * tile.shape[0], column * tile.shape[1]
            part = canvas[top : top + tile.shape[0], left : left + tile.shape[1]]
            part[...] = tile[: part.shape[0], : part.shape[1]]
            seen += 1
    if seen < len(picture.tiles):
        raise HeifDamaged
    return picture.orientation.apply(canvas)


def _frames(
    path: Path, container: InputContainer, streams: list[VideoStream]
) -> Iterator[tuple[VideoStream, VideoFrame]]:
    waiting = {stream.id: stream for stream in streams}
    for stream in streams:
        stream.codec_context.thread_count = 1
    for packet in read_packets(path, container, *streams):
        stream = waiting.get(packet.stream.id)
        if stream is None:
            continue
        try:
            frames = [*stream.decode(packet), *(stream.decode(None) if packet.size else ())]
        except FFmpegError as error:
            raise HeifDamaged from error
        if frames:
            del waiting[stream.id]
            yield stream, frames[0]


def _pixels(frame: VideoFrame, picture: HeifPicture) -> NDArray[np.uint8]:
    # Of a photograph the file counts (ISO/IEC 23008-12, 6.5.5.1), and each tile is mapped like the others.
    tags = picture.tags.filled_by(tags_of(frame))
    mapping = None if picture.profile else mapping_of(tags)
    converted = VideoReformatter().reformat(
        frame,
        format="bgr24" if mapping is None else MAPPED_FORMAT,
        src_colorspace=matrix_of(tags, frame),
        src_color_range=ColorRange.JPEG if picture.full_range else colour_range(frame),
        dst_color_range=ColorRange.JPEG,
        interpolation=EXACT,
        threads=1,
    )
    if mapping is not None:
        converted = ColourMapper(mapping, frame.width, frame.height)(converted)
    return converted.to_ndarray().astype(np.uint8, copy=False)


def _picture(
    tiles: tuple[int, ...], columns: int, size: tuple[int, int], properties: list[tuple[bytes, bytes]]
) -> HeifPicture:
    turns, mirrored, profile, tags, full = 0, False, None, ColourTags(), False
    for name, body in properties:
        if name == b"irot":
            turns = (turns - (body[0] & 3)) % 4
        elif name == b"imir":
            # 1 mirrors left and right; 0 top and bottom, which is the same turned by half.
            turns, mirrored = (-turns if body[0] & 1 else 2 - turns) % 4, not mirrored
        elif name == b"colr" and body[:4] in (b"prof", b"rICC"):
            profile = body[4:]
        elif name == b"colr" and body[:4] == b"nclx":
            tags, full = ColourTags(*struct.unpack_from(">HHH", body, 4)), bool(body[10] & 0x80)
    return HeifPicture(tiles, columns, size, Orientation(turns, mirrored), profile, tags, full)


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, body) of the boxes that lie one behind the other."""
    place = 0
    while place + 8 <= len(content):
        size, name = struct.unpack_from(">I4s", content, place)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, place + 8)
            header = 16
        elif size == 0:
            size = len(content) - place
        if size < header:
            return
        yield name, content[place + header : place + size]
        place += size


def _first_box(content: bytes, wanted: bytes) -> bytes | None:
    return next((body for name, body in _boxes(content) if name == wanted), None)


def _number(content: bytes, place: int, size: int) -> int:
    if place + size > len(content):
        raise HeifDamaged
    return int.from_bytes(content[place : place + size], "big")


def _kind(iinf: bytes, item: int) -> bytes:
    """Type of an item: hvc1, grid ..."""
    for _, body in _boxes(iinf[6 if iinf[0] == 0 else 8 :]):
        size = 2 if body[0] < 3 else 4
        if body[0] >= 2 and _number(body, 4, size) == item:
            return body[4 + size + 2 : 4 + size + 6]
    raise HeifDamaged


def _references(iref: bytes, item: int) -> tuple[int, ...]:
    """The items that a derived item is made of."""
    size = 2 if iref[:1] == b"\0" else 4
    for name, body in _boxes(iref[4:]):
        if name == b"dimg" and _number(body, 0, size) == item:
            count = _number(body, size, 2)
            return tuple(_number(body, size + 2 + number * size, size) for number in range(count))
    return ()


def _properties(iprp: bytes, item: int) -> list[tuple[bytes, bytes]]:
    """The properties of an item, in order."""
    known = list(_boxes(_first_box(iprp, b"ipco") or b""))
    for name, body in _boxes(iprp):
        if name != b"ipma":
            continue
        size, wide = (4 if body[0] else 2), body[3] & 1
        place = 8
        for _ in range(_number(body, 4, 4)):
            owner, count = _number(body, place, size), _number(body, place + size, 1)
            place += size + 1
            indexes = [_number(body, place + n * (1 + wide), 1 + wide) for n in range(count)]
            place += count * (1 + wide)
            if owner == item:
                mask = 0x7FFF if wide else 0x7F
                return [known[(index & mask) - 1] for index in indexes if index & mask]
    return []


def _item(boxes: dict[bytes, bytes], item: int, path: Path) -> bytes:
    """The bytes of a derived item, which describe how it is made."""
    iloc = boxes[b"iloc"]
    version = iloc[0]
    offset_size, length_size, base_size = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4
    index_size = iloc[5] & 15 if version else 0
    item_size = 4 if version == 2 else 2
    count = _number(iloc, 6, item_size)
    place = 6 + item_size
    for _ in range(count):
        number = _number(iloc, place, item_size)
        place += item_size
        method = _number(iloc, place, 2) & 15 if version else 0
        place += (2 if version else 0) + 2
        base = _number(iloc, place, base_size)
        place += base_size
        extents = _number(iloc, place, 2)
        place += 2
        for _ in range(extents):
            offset = base + _number(iloc, place + index_size, offset_size)
            length = _number(iloc, place + index_size + offset_size, length_size)
            place += index_size + offset_size + length_size
            if number == item:
                if method == 1:
                    return boxes[b"idat"][offset : offset + length]
                with path.open("rb") as file:
                    file.seek(offset)
                    return file.read(min(length, 64))
    raise HeifDamaged
