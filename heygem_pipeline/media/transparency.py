"""Video with transparent parts: they are shown on white, as those of pictures are."""

from collections.abc import Callable

import numpy as np
from av.codec import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

DECODERS_OF_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of these pass over the transparency, which WebM stores beside the picture."""


def has_transparency(frame: VideoFrame) -> bool:
    """Do the frame's pixels say how transparent they are?"""
    return any(component.is_alpha for component in frame.format.components)


def decoder_of(stream: VideoStream, threads: int) -> Callable[[Packet | None], list[VideoFrame]]:
    """Return what decodes the packets of a track, with their transparency."""
    library = DECODERS_OF_ALPHA.get(stream.codec_context.name)
    if library is None or stream.metadata.get("alpha_mode") != "1":
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
        return stream.decode
    decoder = CodecContext.create(library, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.options = stream.codec_context.options
    return lambda packet: decoder.decode(packet if packet is not None and packet.size else None)


def on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay BGRA, uint8 (height, width, 4), on white: BGR."""
    opaque = pixels[..., 3:].astype(np.uint16)
    shown = pixels[..., :3] * opaque + 255 * (255 - opaque)
    return ((shown + 127) // 255).astype(np.uint8)
