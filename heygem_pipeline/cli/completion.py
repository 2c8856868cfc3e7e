"""What a shell offers when Tab is pressed: names of clips, voices, presenters and campaigns."""

from contextlib import suppress

from heygem_pipeline.errors import PipelineError


def campaign_names(incomplete: str) -> list[str]:
    """Campaigns, by the names of their files."""
    from heygem_pipeline.campaigns.campaign import SUFFIX
    from heygem_pipeline.storage.paths import data_folders

    with suppress(PipelineError, OSError):
        files = data_folders().campaigns.glob(f"*{SUFFIX}")
        return _beginning(sorted(path.stem for path in files if not path.name.startswith(".")), incomplete)
    return []


def voice_names(incomplete: str) -> list[str]:
    """Voices."""
    return _beginning(_uploads()[0], incomplete)


def presenter_names(incomplete: str) -> list[str]:
    """Presenters."""
    return _beginning(_uploads()[1], incomplete)


def clip_names(incomplete: str) -> list[str]:
    """Clips, a voice first: all pairs may be too many to offer."""
    from heygem_pipeline.storage.clip_key import ClipKey

    voices, presenters = _uploads()
    voice, divided, begun = incomplete.partition("/")
    if not divided:
        return [f"{name}/" for name in _beginning(voices, incomplete)]
    return [ClipKey(voice, name).label for name in _beginning(presenters, begun)]


def subject_names(incomplete: str) -> list[str]:
    """Clips, and voices and presenters alone."""
    voices, presenters = _uploads()
    return clip_names(incomplete) + _beginning(sorted({*voices, *presenters}), incomplete)


def _uploads() -> tuple[list[str], list[str]]:
    from heygem_pipeline.storage.paths import data_folders
    from heygem_pipeline.uploads.registry import UploadKind, Uploads

    with suppress(PipelineError, OSError):
        uploads = Uploads(data_folders())
        return sorted(uploads.voices()), sorted(uploads.known(UploadKind.PRESENTER))
    return [], []


def _beginning(names: list[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
