"""How a clip is made: its engine and its settings."""

from dataclasses import dataclass

from heygem_pipeline.settings import ClipSettings, Settings


@dataclass(frozen=True)
class RenderSpec:
    """How a clip is made.

    Attributes:
        engine: its name.
    """

    engine: str
    settings: ClipSettings


def default_render_spec(settings: Settings) -> RenderSpec:
    """How clips are made where nothing else was ordered."""
    return RenderSpec(settings.engine, settings.of_clip)
