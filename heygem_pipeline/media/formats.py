"""Which files are taken in, and the one place where they are opened.

What counts is the content. FFmpeg's guess is confined to the containers named here, it is given an open file and never
a name (so no name can mean a protocol or a pattern), and whatever the container asks to open besides is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from heygem_pipeline.errors import EmptyFile, NotMedia, TooLarge, TruncatedFile, UnsafeFile
from heygem_pipeline.media.mp4_tables import Announced, announced_by
from heygem_pipeline.media.wave_file import promises_too_little

AUDIO_SUFFIXES = frozenset({".wav", ".mp3", ".m4a", ".aac", ".flac", ".ogg", ".opus", ".wma", ".aiff", ".aif"})
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif"})
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".avi", ".mov", ".mkv", ".webm", ".flv", ".m4v", ".wmv", ".mpg", ".mpeg", ".ts", ".3gp"}
)
VOICE_SUFFIXES = AUDIO_SUFFIXES | VIDEO_SUFFIXES
"""Endings that make a file in the folder of voices count as an upload; a video serves as a voice."""
PRESENTER_SUFFIXES = VIDEO_SUFFIXES | PICTURE_SUFFIXES
"""Endings that make a file in the folder of presenters count as an upload; a still picture serves as one."""

SCRIPT_SUFFIXES = frozenset({".txt", ".md", ".srt", ".vtt"})
"""Endings that make a file in the folder of scripts count as an upload."""

DEMUXERS = (
    *("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "flv", "asf", "mpeg", "mpegts", "mpegvideo"),
    *("wav", "w64", "mp3", "aac", "flac", "ogg", "aiff", "caf", "amr"),
)
"""FFmpeg's names of the containers that hold their own sound and picture, and so are read."""

_LISTS_OF_FILES = (
    b"#extm3u",
    b"ffconcat",
    b"[playlist]",
    b"[reference]",
    b"<asx",
    b"v=0\n",
    b"v=0\r\n",
    b"<smoothstreaming",
)
_LISTS_IN_XML = (b"<mpd", b"<compositionplaylist", b"<assetmap", b"<playlist", b"<smil")

_BEGINNINGS = (
    *(
        (4, b"ftyp"),
        (4, b"moov"),
        (8, b"AVI "),
        (8, b"WAVE"),
        (8, b"AIFF"),
        (8, b"AIFC"),
        (0, b"\x1aE\xdf\xa3"),
        (0, b"FLV\x01"),
    ),
    *((0, b"OggS"), (0, b"fLaC"), (0, b"ID3"), (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), (0, b"\x00\x00\x01\xba")),
)
"""(offset, bytes) by which mp4 and mov, avi, wav, aiff, mkv and webm, flv, ogg, flac, mp3, wma and wmv, mpg begin."""


MOST_PACKETS = 1_000_000
"""Pieces of sound and picture in a file: half an hour has some hundred thousand."""

MOST_PIXELS = 36_000_000
"""Of a picture in a video: what is larger is never decoded (8K has 33 million). The limit of the settings is lower."""

PIXEL_LIMIT = {"max_pixels": str(MOST_PIXELS)}

MOST_STREAMS = 64


class _NamelessFile:
    """An open file, or a part of one, without the name that FFmpeg would judge the content by."""

    def __init__(self, path: Path, first: int, end: int | None) -> None:
        self._file = path.open("rb")
        self._first = first
        self._end = path.stat().st_size if end is None else end
        self._file.seek(first)
        self.close = self._file.close

    def read(self, size: int) -> bytes:
        """Read up to this many bytes."""
        return self._file.read(max(0, min(size, self._end - self._file.tell())))

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._file.tell() - self._first

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; a damaged file may ask for a place before its beginning, which FFmpeg is told by -1."""
        place = offset + (self._first, self._file.tell(), self._end)[whence]
        if place < self._first:
            return -1
        try:
            return self._file.seek(place) - self._first
        except (OSError, OverflowError):
            return -1


@contextmanager
def open_media(
    path: Path, part: tuple[int, int | None] = (0, None), most_streams: int = MOST_STREAMS
) -> Iterator[InputContainer]:
    """Open a file of sound or video for reading; close it at the end of the block.

    Raises EmptyFile, UnsafeFile (a playlist, or a container that asks for another file) and NotMedia.

    Args:
        part: (first byte, byte after the last; None: to the end) of one of several recordings in the file.
    """
    check_content(path)
    file = _NamelessFile(path, *part)
    try:
        with _open(file, path, most_streams) as container:
            for stream in container.streams.video:
                if stream.codec_context is not None:
                    stream.codec_context.options = PIXEL_LIMIT
            yield container
    finally:
        file.close()


def read_packets(path: Path, container: InputContainer, *streams: Stream) -> "Iterator[Packet[Stream]]":
    """Yield the packets of the streams (of all, where none is named) up to the end or to where reading fails.

    Raises TooLarge where there is no end to them.
    """
    with suppress(FFmpegError):
        for number, packet in enumerate(container.demux(*streams)):
            if number == MOST_PACKETS:
                raise too_many_packets(path)
            yield packet


def check_content(path: Path) -> None:
    """Raise EmptyFile, UnsafeFile, TooLarge or NotMedia where the first bytes or an MP4's tables already tell."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise EmptyFile("file.empty", file=path.name)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    in_xml = text.startswith(b"<") and any(tag in text for tag in _LISTS_IN_XML)
    if text.startswith(_LISTS_OF_FILES) or in_xml:
        raise UnsafeFile("file.list_of_files", file=path.name)
    status = path.stat()
    announced = _announced(path, status.st_size, status.st_mtime_ns)
    if announced.compressed:
        raise not_media(path)
    if announced.pixels > MOST_PIXELS:
        raise TooLarge("picture.too_many_pixels", file=path.name)
    if announced.samples > MOST_PACKETS:
        raise too_many_packets(path)


def too_many_packets(path: Path) -> TooLarge:
    """The error for a file that would be read without end."""
    return TooLarge("file.too_many_packets", file=path.name, limit=MOST_PACKETS)


def not_media(path: Path) -> NotMedia:
    """The error for content that no reader understands."""
    return NotMedia("file.not_media", file=path.name)


def cut_off(path: Path) -> TruncatedFile:
    """The error for a file that begins as it should and does not go on so."""
    return TruncatedFile("file.damaged", file=path.name)


@lru_cache(maxsize=64)
def _announced(path: Path, _size: int, _modified: int) -> Announced:
    """Of a file that has not changed since; it is opened again and again."""
    return announced_by(path)


def _damaged(path: Path) -> TruncatedFile | None:
    with path.open("rb") as file:
        head = file.read(16)
    known = any(head[offset : offset + len(magic)] == magic for offset, magic in _BEGINNINGS)
    return cut_off(path) if known else None


def _open(file: _NamelessFile, path: Path, most_streams: int) -> InputContainer:
    def refuse(*_: object) -> NoReturn:
        raise UnsafeFile("file.refers_to_others", file=path.name)

    options = {
        "format_whitelist": ",".join(DEMUXERS),
        "protocol_whitelist": "file",
        "max_streams": str(most_streams),
    }
    if promises_too_little(path):
        options["ignore_length"] = "1"
    try:
        return av.open(
            file,
            mode="r",
            options=PIXEL_LIMIT,
            container_options=options,
            io_open=refuse,
            metadata_errors="replace",
        )
    except FFmpegError as error:
        raise (_damaged(path) or not_media(path)) from error
