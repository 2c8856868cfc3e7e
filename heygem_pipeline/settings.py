"""Every setting of the pipeline, in one typed place. Each may be set as an environment variable ``HEYGEM_<NAME>``."""

import json
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class SyntheticLabel(StrEnum):
    """When the visible "AI generated" label is shown."""

    OFF = "off"
    START = "start"
    ALWAYS = "always"


class Subtitles(StrEnum):
    """How a clip shows what is said, where that is known."""

    NONE = "none"
    SOFT = "soft"
    BURNT = "burnt"


class Encoder(StrEnum):
    """What encodes the finished clip."""

    X264 = "x264"
    NVENC = "nvenc"


X264Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"
]


def _as_is(written: object) -> object:
    return None if written in ("as_is", "") else written


class ClipSettings(BaseModel):
    """Those that may differ from clip to clip, so that a campaign can set them too."""

    crf: int = Field(
        default=18,
        ge=0,
        le=51,
        description="Picture quality of x264: 0 is lossless, 18 looks like the original, 51 is worst",
    )
    preset: X264Preset = Field(
        default="veryfast", description="Speed of x264: ultrafast to placebo; slower makes smaller files"
    )
    audio_bitrate: str = Field(
        default="192k", pattern=r"^\d+k$", description="AAC bit rate of the finished clip, for example 192k"
    )

    label: SyntheticLabel = Field(
        default=SyntheticLabel.START, description="Visible AI label: off, start (the first 2 s) or always"
    )
    subtitles: Subtitles = Field(
        default=Subtitles.SOFT,
        description="Subtitles where the words are known: none, soft (a track that players can show), burnt (drawn in)",
    )
    loudness: Annotated[float | None, BeforeValidator(_as_is)] = Field(
        default=None,
        ge=-36,
        le=-8,
        description="Loudness of the finished clip (LUFS, EBU R 128): -16 for the web, -23 for broadcasting; "
        "as_is: the voice stays as it is",
    )
    content_producer: str = Field(default="heygem-pipeline", description="AIGC field ContentProducer (GB 45438-2025)")
    content_propagator: str = Field(default="", description="AIGC field ContentPropagator")
    propagate_id: str = Field(default="", description="AIGC field PropagateID")


def _names(text: object) -> object:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if isinstance(text, str) else text


class KeepSettings(BaseModel):
    """What stays for how long; no clip is made differently by them. What is older goes at night: ``heygem prune``."""

    keep_free_gb: float = Field(
        default=2.0,
        ge=0,
        description="New clips wait while the disk has less free space than this (GB); 0: they never wait",
    )
    keep_patches_days: float = Field(
        default=0.0,
        ge=0,
        description="Days that mouth patches are kept after their clip is finished; 0: removed at once",
    )
    keep_store_days: float = Field(
        default=7.0,
        ge=0,
        description="Days that stored data of deleted uploads and clips, and patches of unfinished clips, are kept",
    )
    keep_previews_days: float = Field(default=1.0, ge=0, description="Days that previews of clips are kept")
    keep_encodings_gb: float = Field(
        default=5.0,
        ge=0,
        description="Room for what warp and musetalk compute once a presenter, for every voice (GB); 0: nothing",
    )
    keep_runs_days: float = Field(
        default=30.0, ge=0, description="Days that successful runs are kept, with their events and logs"
    )
    keep_failed_runs_days: float = Field(default=90.0, ge=0, description="Days that failed and cancelled runs are kept")
    keep_outputs_days: float | None = Field(
        default=None,
        gt=0,
        description="Days that a voice's clips and ZIP are kept after the last of its clips was made; empty: for ever",
    )

    @property
    def encodings_bytes(self) -> int:
        """``keep_encodings_gb`` in bytes."""
        return int(self.keep_encodings_gb * 1e9)


class StudioSettings(BaseModel):
    """Of the Studio page; no clip is made differently by them."""

    studio_users: str = Field(
        default="",
        description="Who may log in: the lines that heygem studio --password NAME prints, separated by spaces",
    )
    studio_proxy: str = Field(
        default="127.0.0.1", description="Addresses of the proxies in front of the page, separated by spaces"
    )
    studio_proxy_header: str = Field(
        default="",
        description="Header in which the proxy names the user it has let in; if set, all other requests are refused",
    )
    studio_hosts: str = Field(default="", description="Host names of the page, besides localhost, separated by spaces")
    studio_address: str = Field(
        default="http://127.0.0.1:7860", description='Address of the page for people; Dagster links to it; "": no link'
    )
    studio_dagster: str = Field(
        default="http://127.0.0.1:3000",
        description='Address of Dagster\'s page for people; the Studio links to it; "": no link',
    )
    studio_max_gb: float = Field(default=2.0, gt=0, description="Larger uploads in the Studio are refused (GB)")
    easy_folder: Path | None = Field(
        default=None,
        description="Folder of the files that requests to /easy/submit may name; empty: these addresses are not there",
    )
    easy_clients: str = Field(
        default="",
        description="Addresses and networks that may use /easy without login or token, separated by spaces",
    )


OWNER = r"^(team:\S+|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7})$"
"""What Dagster takes for an owner."""


class DagsterPageSettings(BaseModel):
    """What Dagster's page says besides; no clip is made differently by it."""

    owners: Annotated[tuple[Annotated[str, Field(pattern=OWNER)], ...], NoDecode, BeforeValidator(_names)] = Field(
        default=(),
        description="Owners of the assets in Dagster's page: e-mail addresses or team:name, separated by commas",
    )


class Automatic(StrEnum):
    """What is started by itself; people, backfills of the page and campaigns' cron lines start theirs in any case."""

    OFF = "off"
    UPLOADS = "uploads"
    CLIPS = "clips"


class UploadLimits(BaseModel):
    """What voices and presenters must be, and what of them only warns."""

    model_config = ConfigDict(frozen=True)

    max_frame_rate: int = Field(
        default=60, ge=1, description="Presenters with a higher frame rate are reduced to this rate"
    )
    max_minutes: float = Field(default=30.0, gt=0, description="Longer voices and presenters are refused (minutes)")
    long_minutes: float = Field(default=5.0, gt=0, description="Longer voices and presenters get a warning (minutes)")
    max_width: int = Field(
        default=4096, ge=1, description="Larger videos are refused, photographs scaled down (longer side, pixels)"
    )
    max_height: int = Field(
        default=2304, ge=1, description="Larger videos are refused, photographs scaled down (shorter side, pixels)"
    )
    good_height: int = Field(default=720, ge=0, description="Smaller pictures get a warning (shorter side, pixels)")
    min_speech_seconds: float = Field(default=0.5, ge=0.1, description="Shorter voices are refused (seconds)")
    min_face_pixels: int = Field(default=64, ge=1, description="Narrower faces are refused (pixels)")
    min_face_share: float = Field(default=0.5, ge=0, le=1, description="Share of frames that must show a face, 0 to 1")
    max_yaw_degrees: float = Field(
        default=35.0,
        gt=0,
        description="Presenters who turn the head further than this most of the time are refused (degrees)",
    )


class MediaSettings(UploadLimits):
    """How files of sound and picture are read and written."""

    ffmpeg: Path | None = Field(
        default=None, description="ffmpeg program; empty: the system's, or else the one of imageio-ffmpeg"
    )
    subtitle_font: Path | None = Field(
        default=None, description="Font file of burnt subtitles; empty: one of this machine's that has the characters"
    )
    encoder: Encoder = Field(
        default=Encoder.X264, description="Encode on the processor (x264) or on an NVIDIA card (nvenc; not run)"
    )


class RenderSettings(ClipSettings, MediaSettings):
    """All that a clip is encoded and checked with: what may differ from clip to clip, and what is the machine's."""

    sync_tolerance_frames: float = Field(
        default=3.0, gt=0, description="Larger offsets between sound and mouth fail the sync check (frames)"
    )

    @property
    def of_clip(self) -> ClipSettings:
        """Those of them that may differ from clip to clip."""
        return ClipSettings.model_validate(self.model_dump(include=set(ClipSettings.model_fields)))

    def with_clip(self, chosen: ClipSettings) -> Self:
        """These settings for a clip that is made with ``chosen``."""
        return self.model_copy(update=chosen.model_dump(include=set(ClipSettings.model_fields)))


class WeightSettings(BaseModel):
    """Where the weights of networks lie, and which of them may be used."""

    checkpoints: Path = Field(
        default=Path("checkpoints"), description="Folder of model weights that do not come with the package"
    )
    acknowledged_licences: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        default=(), description="Engines and trackers whose research-only terms you know, separated by commas"
    )
    downloads: bool = Field(
        default=True, description="Download missing weights where their licence permits it; false: never download"
    )


class NetworkSettings(WeightSettings):
    """What trackers and engines need that are networks."""

    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?|mps)$",
        description="Where networks run: auto, cpu, cuda, cuda:1 ..., mps (GPUs: not run); warp and mesh need none",
    )


class EngineSettings(NetworkSettings):
    """What an engine reads."""

    wav2lip_lead_seconds: float = Field(
        default=0.12,
        ge=-0.5,
        le=0.5,
        description="Engine wav2lip: a mouth is drawn from the sound that begins this long before its frame (seconds)",
    )
    wav2lip_sharpening: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Engine wav2lip: sharpen the mouth, from 0 (not at all) to 1 (as sharp as the presenter)",
    )
    musetalk_lead_seconds: float = Field(
        default=0.0,
        ge=-0.5,
        le=0.5,
        description="Engine musetalk: mouths are drawn from the sound so long before their frame (seconds)",
    )
    musetalk_steadying: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Engine musetalk: steady lips that tremble, from 0 (not at all) to 1 (mean of three frames)",
    )
    musetalk_precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        default="auto",
        description="Engine musetalk: numbers it calculates with: auto, float32, float16 or bfloat16; auto: what suits",
    )
    program: Path | None = Field(
        default=None, description="Engine program: the YAML file that describes the lip-sync program"
    )


class LaunchSettings(BaseModel):
    """What is started, and how much of it at a time; no clip is made differently by them."""

    automatic: Automatic = Field(
        default=Automatic.CLIPS,
        description="What starts by itself: off (nothing), uploads (their analysis), clips (also all wanted clips)",
    )
    queue_length: int = Field(
        default=24, ge=1, description="Number of runs that wait in the queue; more are added when these have started"
    )
    webhook_inside: bool = Field(
        default=False,
        description="Let campaigns' webhooks call addresses inside this machine's own network, and itself",
    )


def _for_sqlalchemy(text: object) -> object:
    """SQLAlchemy would ask for another driver than the one that Dagster brings."""
    if isinstance(text, str) and text.startswith(("postgres://", "postgresql://")):
        return POSTGRES + text.partition("://")[2]
    return text


POSTGRES = "postgresql+psycopg2://"


class ClusterSettings(BaseModel):
    """Of several machines that work together; no clip is made differently by them."""

    database: Annotated[SecretStr, BeforeValidator(_for_sqlalchemy)] = Field(
        default=SecretStr(""),
        description="PostgreSQL of a cluster, postgresql://user:password@host/name; empty: SQLite in the data folder",
    )
    broker: SecretStr = Field(
        default=SecretStr(""),
        description="Redis of a cluster, rediss://:password@host/0; empty: this machine makes everything itself",
    )
    bucket: str = Field(
        default="",
        pattern=r"^(s3://[^/?#]+(/[^?#]*)?)?$",
        description="Bucket of a cluster, s3://name or s3://name/folder; empty: all machines share the data folder",
    )
    scratch_gb: float = Field(
        default=50.0, gt=0, description="With a bucket, gigabytes that copies of its objects may take on this machine"
    )


class SynthesisSettings(WeightSettings):
    """How scripts are spoken; the recordings are made by them, and no clip but through its recording."""

    speech_engine: str = Field(default="http", description="Speech engine of scripts that name none: http or kokoro")
    speech_voice: str = Field(
        default="", description="Voice of that engine for scripts that name none; empty: the engine's usual one"
    )
    speech_speed: float = Field(
        default=1.0, ge=0.5, le=2.0, description="Speed of speech for scripts that name none; 1 is the voice's own"
    )
    speech_address: str = Field(
        default="",
        description="Engine http: address of the speech server up to the version, for example http://127.0.0.1:8880/v1",
    )
    speech_model: str = Field(default="tts-1", description="Engine http: model that the server is asked for")
    speech_key: SecretStr = Field(
        default=SecretStr(""), description="Engine http: key of the server; it is sent to that address only"
    )
    speech_seconds: float = Field(default=60.0, gt=0, description="Engine http: time limit for one sentence (seconds)")
    max_script_words: int = Field(
        default=5000, ge=1, description="Longer scripts are refused (words; half an hour of speech)"
    )


class Settings(  # pyright: ignore[reportIncompatibleVariableOverride]
    RenderSettings,
    KeepSettings,
    StudioSettings,
    DagsterPageSettings,
    LaunchSettings,
    ClusterSettings,
    EngineSettings,
    SynthesisSettings,
    BaseSettings,
):
    """All of them. Defaults are what a course team wants; limits are the ones named in the README.

    The commands, the assets, the sensors and the Studio read them; whatever these call is given what it needs of them.
    """

    model_config = SettingsConfigDict(env_prefix="HEYGEM_", frozen=True, allow_inf_nan=False)

    data: Path = Field(
        default=Path("data"), description="Folder of uploads, finished clips, stored results and Dagster's state"
    )
    engine: str = Field(
        default="warp",
        description="Lip-sync engine: warp, wav2lip, musetalk, program, or one that another package adds",
    )
    tracker: str = Field(
        default="mesh", description="Face tracker: mesh, face_alignment, or one that another package adds"
    )
    photographs_move: bool = Field(
        default=True, description="Photographs that are newly brought in blink and move the head a little"
    )

    @property
    def decisive(self) -> str:
        """All that can decide whether a run on the same uploads succeeds, as JSON.

        Data folders keep digests of it, so that the order of its keys stays.
        """
        values = self.model_dump(mode="json")
        # A newer setting counts only where it is set: the digests of older data folders hold.
        newer = [name for name in NEWER_DECISIVE if values[name] != Settings.model_fields[name].default]
        return json.dumps(
            {name: values[name] for name in (*DECISIVE, *newer)}, ensure_ascii=False, separators=(",", ":")
        )


DECISIVE = (
    *(name for name in ClipSettings.model_fields if name not in ("subtitles", "loudness")),
    *("checkpoints", "ffmpeg", "encoder", "engine", "tracker", "device", "wav2lip_lead_seconds", "wav2lip_sharpening"),
    *("acknowledged_licences", "downloads", *UploadLimits.model_fields, "sync_tolerance_frames"),
)
NEWER_DECISIVE = ("program", "musetalk_lead_seconds", "musetalk_steadying", "musetalk_precision")

DEFAULTS = Settings.model_construct()
"""What holds where nobody set anything; the environment is not read."""


@cache
def settings() -> Settings:
    """The settings of this process, read from the environment once."""
    return Settings()  # pyright: ignore[reportCallIssue]
