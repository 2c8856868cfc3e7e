"""Mouth patches on disk, losslessly: one Parquet row for each output frame, read and written as a stream."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.parquet import read_metadata

SCHEMA = pa.schema(
    [
        ("output_frame", pa.int32()),
        ("template_frame", pa.int32()),
        ("left", pa.int32()),
        ("top", pa.int32()),
        ("png", pa.binary()),
        ("own_mouth", pa.float32()),
    ]
)
ROWS_HELD = 32
"""Rows written or read at once: some 10 MB of patches at 1080p."""

BYTES_FOR_EYES = 6.0
"""Bytes of a patch for each square pixel of the distance between the outer eye corners; the demo measured 4.7."""


@dataclass(frozen=True)
class PatchFile:
    """A clip's patches on disk."""

    path: Path

    def __iter__(self) -> Iterator[MouthPatch]:
        """Yield the patches in output order."""
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=ROWS_HELD):
                for row in batch.to_pylist():
                    yield _patch(row)

    def metadata(self) -> dict[str, str]:
        """What the file was written with: engine and seconds spent."""
        return read_metadata(self.path)


def patch_bytes(tracks: FaceTracks, frame_count: int) -> int:
    """About how much room the patches of a clip take; the demo's 720p presenters need 170 kB a frame."""
    eyes = float(np.nanmedian(np.linalg.norm(tracks.landmarks[:, 36] - tracks.landmarks[:, 45], axis=1)))
    return int(frame_count * eyes * eyes * BYTES_FOR_EYES)


def write_patches(
    patches: Iterable[MouthPatch], destination: Path, metadata: Callable[[], dict[str, str]]
) -> PatchFile:
    """Write the patches as they come, whole or not at all. What ``patches`` raises passes through.

    Args:
        metadata: asked once all patches are written.

    Raises:
        DiskFull: Not enough space, found before the work or while writing.
    """
    with (
        atomic_path(destination) as temporary,
        pq.ParquetWriter(temporary, SCHEMA, compression="none") as writer,
    ):
        rows: list[dict[str, Any]] = []
        for patch in patches:
            rows.append(_row(patch))
            if len(rows) == ROWS_HELD:
                writer.write_batch(pa.RecordBatch.from_pylist(rows, SCHEMA))
                rows = []
        writer.write_batch(pa.RecordBatch.from_pylist(rows, SCHEMA))
        writer.add_key_value_metadata(metadata())
    return PatchFile(destination)


def _row(patch: MouthPatch) -> dict[str, Any]:
    import cv2

    png = None
    if patch.pixels is not None:
        # Differences to the row above, coded but not searched for repetitions: a tenth larger, in half the time.
        quick = [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
        quick += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY]
        _, encoded = cv2.imencode(".png", patch.pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1, *quick])
        png = encoded.tobytes()
    return {
        "output_frame": patch.output_frame,
        "template_frame": patch.presenter_frame,
        "left": patch.left,
        "top": patch.top,
        "png": png,
        "own_mouth": patch.own_mouth,
    }


def _patch(row: dict[str, Any]) -> MouthPatch:
    import cv2

    png, presenter_frame = row.pop("png"), row.pop("template_frame")
    if png is None:
        return MouthPatch(**row, presenter_frame=presenter_frame)
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    return MouthPatch(**row, presenter_frame=presenter_frame, pixels=np.asarray(pixels, np.uint8))
