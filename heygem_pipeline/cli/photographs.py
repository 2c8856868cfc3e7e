"""The option ``--still`` of the commands that make clips of files anywhere."""

from heygem_pipeline.settings import Settings, settings

STILL_HELP = "Keep photographs still; otherwise they blink and move the head a little, unless their sidecar says no"


def settings_keeping_still(still: bool) -> Settings:
    """The settings, with what was chosen of photographs."""
    return settings().model_copy(update={"photographs_move": False}) if still else settings()
