"""An engine as a package of its own: a dark ellipse over the lips, the taller the louder the voice."""

from collections.abc import Iterator

import numpy as np

from heygem_pipeline import FaceTracks, FrameSequence, MouthPatch, SpeechFeatures


class PaintedMouth:
    """Keeps ``heygem_pipeline.LipSyncEngine``."""

    name, version, device = "painted", "1", "cpu"
    licence = "Apache-2.0: any use"

    def __init__(self, settings: object) -> None:
        """Every entry point is called with the settings."""

    def generate(
        self,
        speech: SpeechFeatures,
        sequence: FrameSequence,
        tracks: FaceTracks,
        presenter_speech: SpeechFeatures | None = None,
    ) -> Iterator[MouthPatch]:
        """Yield a patch for every output frame; the frame itself where nobody speaks."""
        count, rows = speech.frame_count(tracks.frame_rate), len(speech.level) - 1
        for position, (index, frame) in enumerate(sequence.presentation(count)):
            row = min(rows, round(80 * position / tracks.frame_rate))
            loudness = np.clip((speech.level[row] + 50) / 30, 0, 1) * speech.activity[row]
            lips = tracks.landmarks[index, 48:60]
            if not tracks.present[index] or loudness < 0.1:
                yield MouthPatch(position, index)
                continue
            (x, y), half = lips.mean(axis=0), np.ptp(lips[:, 0]) / 3
            left, top = (max(0, int(edge - half)) for edge in (x, y))
            part = frame[top : max(0, int(y + half)), left : max(0, int(x + half))].astype(float)
            if not part.size:
                yield MouthPatch(position, index)
                continue
            rows_of, columns_of = np.ogrid[: part.shape[0], : part.shape[1]]
            away = ((columns_of + left - x) / half) ** 2 + ((rows_of + top - y) / (half * loudness)) ** 2
            part *= 1 - 0.8 * np.clip(2 - 2 * away, 0, 1)[..., None]
            yield MouthPatch(position, index, left, top, part.round().astype(np.uint8))
