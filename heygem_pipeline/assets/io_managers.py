"""How values pass between assets: each as the file of its room, found by partition key."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from heygem_pipeline.assets.step_retries import fail_or_retry
from heygem_pipeline.clip.presenter import Presenter, load_presenter, save_presenter
from heygem_pipeline.clip.voice import Voice, load_voice, save_voice
from heygem_pipeline.errors import StageMissing
from heygem_pipeline.lipsync.patches import PatchFile
from heygem_pipeline.quality.report import ClipReport, read_report, write_report
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.fingerprint import file_state
from heygem_pipeline.storage.paths import data_folders
from heygem_pipeline.uploads.registry import UploadKind, Uploads


class VoiceIOManager(dg.IOManager):
    """Voices as Parquet in the store."""

    def handle_output(self, context: dg.OutputContext, obj: Voice) -> None:
        """Store the voice of the partition."""
        folders = data_folders()
        path = folders.voice(context.partition_key)
        with fail_or_retry():
            save_voice(obj, path)
            folders.files.publish(path)

    def load_input(self, context: dg.InputContext) -> Voice:
        """Load the voice of the partition."""
        folders, key = data_folders(), context.asset_partition_key
        with _stored(folders.voice(key), context) as stored:
            return load_voice(stored, Uploads(folders).bring_sound(key))


class PresenterIOManager(dg.IOManager):
    """Presenters as Parquet in the store.

    The latest that was loaded is remembered: both steps of a clip read it, and what one has probed serves the other.
    """

    def __init__(self) -> None:
        self._latest: tuple[object, Presenter] | None = None

    def handle_output(self, context: dg.OutputContext, obj: Presenter) -> None:
        """Store the presenter of the partition."""
        folders, key = data_folders(), context.partition_key
        with fail_or_retry():
            tracks, own_speech = folders.tracks(key), folders.presenter_speech(key)
            save_presenter(obj, tracks, own_speech)
            if obj.own_speech is None:
                folders.files.remove(own_speech)
            else:
                folders.files.publish(own_speech)
            folders.files.publish(tracks)

    def load_input(self, context: dg.InputContext) -> Presenter:
        """Load the presenter of the partition."""
        folders, key = data_folders(), context.asset_partition_key
        with _stored(folders.tracks(key), context) as stored:
            upload = Uploads(folders).bring(UploadKind.PRESENTER, key)
            own_speech = folders.presenter_speech(key)
            folders.files.refresh(own_speech.parent, own_speech.name.__eq__)
            limits = settings()
            loaded_from = stored, file_state(stored), upload, limits
            if self._latest is None or self._latest[0] != loaded_from:
                presenter = load_presenter(
                    stored,
                    own_speech,
                    upload,
                    limits,
                    folders.face_encodings(key),
                    limits.encodings_bytes,
                    folders.lip_record(key),
                )
                self._latest = loaded_from, presenter
            return self._latest[1]


class PatchIOManager(dg.IOManager):
    """Mouth patches, which the asset streams into the store itself: a whole clip of them is never held."""

    def handle_output(self, context: dg.OutputContext, obj: PatchFile) -> None:
        """See that the file lies where ``load_input`` looks for it."""
        if obj.path != data_folders().patches(ClipKey.from_partition(context.partition_key)):
            raise ValueError(f"the patches of {context.partition_key} were written to {obj.path}")

    def load_input(self, context: dg.InputContext) -> PatchFile:
        """Open the patches of the partition."""
        with _stored(data_folders().patches(ClipKey.from_partition(context.partition_key)), context) as stored:
            return PatchFile(stored)


class ReportIOManager(dg.IOManager):
    """Clip reports as JSON in the store; the clips themselves lie in the outputs."""

    def handle_output(self, context: dg.OutputContext, obj: ClipReport) -> None:
        """Store the report of the partition."""
        folders = data_folders()
        path = folders.report(ClipKey.from_partition(context.partition_key))
        with fail_or_retry():
            write_report(obj, path)
            folders.files.publish(path)

    def load_input(self, context: dg.InputContext) -> ClipReport:
        """Load the report of the partition."""
        with _stored(data_folders().report(ClipKey.from_partition(context.asset_partition_key)), context) as stored:
            return read_report(stored)


@contextmanager
def _stored(path: Path, context: dg.InputContext) -> Iterator[Path]:
    """Give the path to read from; fail in one sentence if it is not there, or was written by another version."""
    # Within a clip's graph the patches are no asset that is loaded, but what the step before has made.
    if context.has_asset_key:
        asset, key = context.asset_key.to_user_string(), context.asset_partition_key
    else:
        asset, key = "generated_frames", context.partition_key
    with fail_or_retry():
        try:
            stored = data_folders().files.fetch(path)
        except FileNotFoundError as error:
            raise StageMissing("stage.not_stored", asset=asset, key=key) from error
        try:
            yield stored
        except KeyError as error:
            raise StageMissing("stage.other_version", asset=asset, key=key) from error


IO_MANAGERS = {
    "voices": VoiceIOManager(),
    "presenters": PresenterIOManager(),
    "patches": PatchIOManager(),
    "reports": ReportIOManager(),
}
