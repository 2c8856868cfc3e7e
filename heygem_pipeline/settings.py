"""Every setting of the pipeline, in one typed place. Each may be set as an environment variable ``HEYGEM_<NAME>``."""

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class SyntheticLabel(StrEnum):
    """When the visible "AI generated" label is shown."""

    OFF = "off"
    START = "start"
    ALWAYS = "always"


class Encoder(StrEnum):
    """What encodes the finished clip."""

    X264 = "x264"
    NVENC = "nvenc"


X264Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"
]


class ClipSettings(BaseModel):
    """Those that may differ from clip to clip, so that a campaign can set them too."""

    crf: int = Field(default=18, ge=0, le=51, description="x264 quality: 0 lossless, 18 visually transparent, 51 worst")
    preset: X264Preset = Field(default="veryfast", description="x264 speed preset")
    audio_bitrate: str = Field(default="192k", pattern=r"^\d+k$", description="AAC bit rate of the finished clip")

    label: SyntheticLabel = Field(
        default=SyntheticLabel.START, description="Visible AI label: off, start (2 s) or always"
    )
    content_producer: str = Field(default="heygem-pipeline", description="AIGC field ContentProducer (GB 45438-2025)")
    content_propagator: str = Field(default="", description="AIGC field ContentPropagator")
    propagate_id: str = Field(default="", description="AIGC field PropagateID")


class KeepSettings(BaseModel):
    """What stays for how long; no clip is made differently by them. What is older goes at night: ``heygem prune``."""

    keep_free_gb: float = Field(2.0, ge=0, description="With less room on the disk (GB) new clips wait; 0: never")
    keep_patches_days: float = Field(
        0.0, ge=0, description="Mouth patches, after their clip is finished; 0: they go at once"
    )
    keep_store_days: float = Field(
        7.0,
        ge=0,
        description="What the store holds of uploads and clips that are gone, and patches of unfinished clips",
    )
    keep_runs_days: float = Field(30.0, ge=0, description="Runs that ended well, with their events and logs")
    keep_failed_runs_days: float = Field(90.0, ge=0, description="Runs that failed or were cancelled")
    keep_outputs_days: float | None = Field(
        None, gt=0, description="A voice's clips and ZIP, after the last of its clips was made; default: for ever"
    )


class StudioSettings(BaseModel):
    """Of the Studio page; no clip is made differently by them."""

    studio_users: str = Field(
        "", description="Who may log in: the lines that heygem studio --password prints, with spaces between them"
    )
    studio_proxy: str = Field("127.0.0.1", description="Addresses of proxies before the page, with spaces between them")
    studio_proxy_header: str = Field(
        "", description="Header in which such a proxy names whom it has let in; others are then refused"
    )
    studio_hosts: str = Field("", description="Names the page answers to besides localhost, with spaces between them")
    studio_address: str = Field(
        "http://127.0.0.1:7860", description='Where people reach the page; Dagster links to it; "": no link'
    )
    studio_dagster: str = Field("http://127.0.0.1:3000", description='Where people reach Dagster\'s page; "": no link')
    studio_max_gb: float = Field(2.0, gt=0, description="Larger uploads are refused (GB)")


class Automatic(StrEnum):
    """What is started by itself; people, backfills of the page and campaigns' cron lines start theirs in any case."""

    OFF = "off"
    UPLOADS = "uploads"
    CLIPS = "clips"


def _names(text: object) -> object:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if isinstance(text, str) else text


class Settings(ClipSettings, KeepSettings, StudioSettings, BaseSettings):  # pyright: ignore[reportIncompatibleVariableOverride]
    """Defaults are what a course team wants; limits are the ones named in the README."""

    model_config = SettingsConfigDict(env_prefix="HEYGEM_", frozen=True)

    data: Path = Field(Path("data"), description="Folder of uploads, outputs, the store and Dagster's state")
    checkpoints: Path = Field(Path("checkpoints"), description="Folder of downloaded model weights")
    ffmpeg: Path | None = Field(None, description="ffmpeg program; default: the system's, else imageio-ffmpeg's")

    encoder: Encoder = Field(Encoder.X264, description="Encodes on the processor (x264) or an NVIDIA card (nvenc)")

    engine: str = Field("warp", description="Lip-sync engine")
    tracker: str = Field("dlib", description="Face tracker")
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?|mps)$",
        description="Where networks run: auto, cpu, cuda, cuda:N or mps",
    )
    wav2lip_lead_seconds: float = Field(
        0.12,
        ge=-0.5,
        le=0.5,
        description="Engine wav2lip: how long before a frame is shown the sound begins that its mouth is drawn from",
    )
    wav2lip_sharpening: float = Field(
        0.0, ge=0, le=1, description="Engine wav2lip: how far a mouth is made as sharp as the presenter (0 to 1)"
    )
    acknowledged_licences: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        (), description="Engines and trackers, with commas, whose weights you know to be for research only"
    )
    downloads: bool = Field(True, description="Whether missing weights may be downloaded, where that is permitted")

    automatic: Automatic = Field(
        Automatic.CLIPS, description="Started by itself: nothing (off), analysing uploads (uploads), all that is wanted"
    )
    queue_length: int = Field(
        24, ge=1, description="Runs that wait at a time; more are asked for when these have begun"
    )

    max_frame_rate: int = Field(60, ge=1, description="Faster templates are brought down to this rate")

    max_minutes: float = Field(30.0, gt=0, description="Longer voices and templates are refused")
    long_minutes: float = Field(5.0, gt=0, description="Longer voices and templates warn")
    max_width: int = Field(4096, description="Larger pictures are refused (longer side, pixels)")
    max_height: int = Field(2304, description="Larger pictures are refused (shorter side, pixels)")
    good_height: int = Field(720, description="Smaller pictures warn (shorter side, pixels)")
    min_speech_seconds: float = Field(0.5, ge=0.1, description="Shorter voices are refused")
    min_face_pixels: int = Field(64, description="Faces narrower than this are refused")
    min_face_share: float = Field(0.5, ge=0, le=1, description="Share of frames that must show a face")
    max_yaw_degrees: float = Field(
        30.0, gt=0, description="Faces turned further than this most of the time are refused"
    )
    sync_tolerance_frames: float = Field(3.0, gt=0, description="Larger sound-to-mouth offsets fail the sync check")


@cache
def settings() -> Settings:
    """The settings of this process, read from the environment once."""
    return Settings()  # pyright: ignore[reportCallIssue]


def clip_settings() -> ClipSettings:
    """Those of them that a clip is made with where no campaign says otherwise."""
    return ClipSettings.model_validate(settings().model_dump(include=set(ClipSettings.model_fields)))
