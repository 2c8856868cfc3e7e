"""A lip-sync program for the tests: where the sound is loud it paints a dark mouth, and it can do wrong in many ways.

Called as a program: ``python stand_in.py VIDEO SOUND RESULT [WRONG...]``; the mouth's place is in ``STAND_IN_MOUTH``.
"""

import os
import sys
import time
import wave
from pathlib import Path

import av
import numpy as np


def main(video: str, sound: str, result: str, *wrong: str) -> None:
    """Make the result."""
    if "crash" in wrong:
        print("loading model ...")
        sys.exit("RuntimeError: CUDA out of memory. Tried to allocate 2 GiB")
    if "hang" in wrong:
        child = os.fork()
        if child:
            Path(os.environ["STAND_IN_CHILD"]).write_text(f"{os.getpid()} {child}")
        time.sleep(600)
    if "nothing" in wrong:
        print("no face found")
        return
    if "garbage" in wrong:
        Path(result).write_bytes(b"\x00\x01garbage" * 1000)
        return
    draw(video, sound, result, wrong)
    if "half" in wrong:
        whole = Path(result).read_bytes()
        Path(result).write_bytes(whole[: len(whole) // 2])


def draw(video: str, sound: str, result: str, wrong: tuple[str, ...] = ()) -> None:
    """Paint a mouth as open as the sound is loud."""
    x, y, radius = map(float, os.environ["STAND_IN_MOUTH"].split(","))
    with wave.open(sound) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    with av.open(video) as container:
        fps = container.streams.video[0].average_rate
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert fps is not None
    painted = []
    for number, frame in enumerate(frames):
        heard = samples[int(number * rate / fps) : int((number + 1) * rate / fps)]
        loud = min(1.0, 8 * float(np.sqrt(np.mean(heard**2)))) if len(heard) else 0.0
        rows, columns = np.ogrid[: frame.shape[0], : frame.shape[1]]
        away = ((columns - x) / radius) ** 2 + ((rows - y) / (radius * max(loud, 0.01))) ** 2
        if "still" not in wrong:
            frame = (frame * (1 - 0.8 * np.clip(2 - 2 * away, 0, 1)[..., None])).astype(np.uint8)
        painted.append(frame)
    if "tint" in wrong:
        painted = [(frame * [0.86, 1.0, 1.1] + [6, 2, -4]).clip(0, 255).astype(np.uint8) for frame in painted]
    if "crop" in wrong:
        painted = [np.ascontiguousarray(frame[20:-40, 30:-50]) for frame in painted]
    if "enlarge" in wrong:
        import cv2

        painted = [np.asarray(cv2.resize(frame, None, fx=1.5, fy=1.5), np.uint8) for frame in painted]
    if "late" in wrong:
        painted = [painted[max(0, number - 2)] for number in range(len(painted))]
    if "fewer" in wrong:
        painted = painted[: len(painted) // 2]
    if "shorter" in wrong:
        painted = painted[:-4]
    if "groups" in wrong:
        painted = painted[: len(painted) // 16 * 16]
    if "more" in wrong:
        painted += painted * 3
    if "other" in wrong:
        noise = np.random.default_rng(1)
        painted = [noise.integers(0, 255, frame.shape, np.uint8) for frame in painted]
    write(result, painted, 30 if "rate" in wrong else fps, "18")


def write(path: str, frames: list[np.ndarray], rate: object, quality: str) -> None:
    """Encode frames as others do."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": quality, "preset": "ultrafast"})  # pyright: ignore[reportArgumentType, reportCallIssue]
        stream.height, stream.width = (side // 2 * 2 for side in frames[0].shape[:2])
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            even = np.ascontiguousarray(frame[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="bgr24")))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main(*sys.argv[1:])
