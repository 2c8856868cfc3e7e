"""The machine-readable mark of a synthetic clip: the metadata key ``AIGC`` of GB 45438-2025.

FFmpeg writes a key of this name into an MP4 only with ``-movflags use_metadata_tags``, and a plain ``ffmpeg -c copy``
to MP4 leaves it out again (tried with 5.1 and 9.0), while ``comment`` survives. So the same JSON stands there too.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from heygem_pipeline.media.formats import open_media
from heygem_pipeline.settings import ClipSettings

KEY = "AIGC"
DESCRIPTION = "AI 生成 · AI generated"
DESCRIPTION_WITH_VOICE = "AI 生成，语音亦为合成 · AI generated, the voice too"

SYNTHETIC_VOICE = "SyntheticVoice: "
"""What the field ReservedCode1, which is the producer's own, begins with where nobody spoke what is heard."""


@dataclass(frozen=True)
class SyntheticMark:
    """The fields of GB 45438-2025, appendix E, named as it names them.

    Attributes:
        Label: "1" = certainly synthetic.
        ProduceID: the producer's number of this clip, unique.
    """

    Label: str
    ContentProducer: str
    ProduceID: str
    ReservedCode1: str
    ContentPropagator: str
    PropagateID: str
    ReservedCode2: str

    def to_json(self) -> str:
        """Return the value of the metadata key."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def new_mark(produce_id: str, made_with: ClipSettings, synthetic_voice: str = "") -> SyntheticMark:
    """Return the mark of a clip made here, now; producer and propagator come from its settings.

    synthetic_voice: engine and voice where nobody spoke what is heard; the producer's own field tells it.
    """
    return SyntheticMark(
        Label="1",
        ContentProducer=made_with.content_producer,
        ProduceID=produce_id,
        ReservedCode1=f"{SYNTHETIC_VOICE}{synthetic_voice}" if synthetic_voice else "",
        ContentPropagator=made_with.content_propagator,
        PropagateID=made_with.propagate_id,
        ReservedCode2="",
    )


def mark_tags(mark: SyntheticMark) -> dict[str, str]:
    """Return the metadata tags that carry the mark in a file."""
    said = DESCRIPTION_WITH_VOICE if mark.ReservedCode1.startswith(SYNTHETIC_VOICE) else DESCRIPTION
    return {KEY: mark.to_json(), "comment": mark.to_json(), "description": said}


def read_aigc(path: Path) -> SyntheticMark | None:
    """Return the mark a file carries, None where there is none. Raises what ``open_media`` raises."""
    with open_media(path) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    for key in (KEY.lower(), "comment"):
        try:
            return SyntheticMark(**json.loads(tags[key]))
        except (KeyError, TypeError, json.JSONDecodeError):
            continue
    return None
