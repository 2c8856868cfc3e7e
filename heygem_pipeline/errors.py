"""Every error the pipeline raises on purpose; each carries one sentence: what is wrong with which file, what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

from heygem_pipeline.messages.message import Message, Value


class PipelineError(Exception):
    """Base of all named errors: raised with a code and its values, ``NoFace("face.not_found", file=name)``.

    ``str(error)`` is the English sentence; ``error.message.sentence("zh")`` the Chinese one. The codes and their
    sentences stand in ``messages/en.json`` and ``messages/zh.json``.

    Attributes:
        message: code and values; what a machine decides hangs on these.
    """

    def __init__(self, code: str, /, **values: Value) -> None:
        self.message = Message(code, **values)
        super().__init__(str(self.message))

    @property
    def code(self) -> str:
        """The stable code of what is wrong."""
        return self.message.code

    @property
    def values(self) -> Mapping[str, Value]:
        """What the sentence names."""
        return self.message.values

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.message)


def _rebuilt(kind: type[PipelineError], message: Message) -> PipelineError:
    error = kind.__new__(kind)
    PipelineError.__init__(error, message.code, **message.values)
    return error


class BadInput(PipelineError):
    """The user's file cannot be used. Trying again without changing the file does not help."""


class NotMedia(BadInput):
    """The content is not sound, video or a picture."""


class EmptyFile(BadInput):
    """The file has no bytes."""


class TruncatedFile(BadInput):
    """The file is cut off or damaged so that it cannot be decoded whole."""


class UnsafeFile(BadInput):
    """The file (a playlist, a list of files) would make the decoder read something else."""


class NoSoundTrack(BadInput):
    """A voice was asked of a file without sound."""


class NoPicture(BadInput):
    """A presenter was asked of a file without a picture."""


class TooLong(BadInput):
    """Longer than the set limit."""


class TooLarge(BadInput):
    """More pixels than the set limit."""


class SpeechTooShort(BadInput):
    """Less sound than a word needs."""


class SpeechSilent(BadInput):
    """No audible sound from beginning to end."""


class NoFace(BadInput):
    """No frame shows a face."""


class FaceRarelySeen(BadInput):
    """A face is seen in too few frames."""


class FaceTooSmall(BadInput):
    """The face has too few pixels for a mouth to be drawn."""


class FaceLeansOver(BadInput):
    """The picture lies on its side or stands on its head."""


class FaceTurnedAway(BadInput):
    """The face is turned too far to the side most of the time."""


class ScriptUnusable(BadInput):
    """The file is no script that can be spoken."""


class VoiceUnknown(BadInput):
    """The speech engine has no such voice, or none for the language."""


class UploadMissing(BadInput):
    """There is no such file, or no longer."""


class TokenRefused(BadInput):
    """No token can be made, or withdrawn, for a program of that name."""


class OutputRefused(BadInput):
    """What was asked for cannot be written there."""


class BackupUnusable(BadInput):
    """The file is no whole backup of a data folder."""


class ArchiveChanged(PipelineError):
    """A file that goes into a ZIP was replaced or removed while the ZIP was sent."""


class UploadReplaced(BadInput):
    """The upload is no longer the file that was analysed."""


class CheckpointUnusable(BadInput):
    """A file of weights is damaged, or holds something else than its name says."""


class TagUnusable(BadInput):
    """This can be no tag, or is one too many."""


class NothingLeft(BadInput):
    """The part of a file that is to be used lies behind its end."""


class SidecarWrong(BadInput):
    """The file beside an upload that says how it is handled cannot be understood."""


class CampaignWrong(BadInput):
    """A campaign's file cannot be understood, or contradicts another."""

    def __init__(self, problems: Sequence[Message]) -> None:
        super().__init__("campaign.wrong", problems=tuple(problems))

    @property
    def problems(self) -> tuple[Message, ...]:
        """Each with its file, and with line and column where they are known."""
        found = self.values["problems"]
        assert isinstance(found, tuple)
        return found


class WebhookRefused(BadInput):
    """An address cannot be called, or may not be."""


class CampaignsDisagree(BadInput):
    """Two campaigns want one clip made differently."""


class NotReady(PipelineError):
    """This machine lacks something the work needs; the file is not at fault."""


class FfmpegMissing(NotReady):
    """No usable ffmpeg program."""


class EncoderMissing(NotReady):
    """The video encoder of the settings does not work on this machine."""


class ModelMissing(NotReady):
    """A model file (landmark predictor, weights) is not installed."""


class LicenceNotAcknowledged(NotReady):
    """Weights for research only are asked for, and nobody has said that this is known."""


class DeviceUnusable(NotReady):
    """The device that the settings name is not there, or has too little free memory."""


class SpeechServerUnusable(NotReady):
    """The speech server cannot be asked, is out of reach, or refuses."""


class SynthesisFailed(NotReady):
    """What a speech engine returned is no speech."""


class UnknownChoice(NotReady):
    """A setting names an engine or tracker that does not exist."""


class RecipeWrong(NotReady):
    """The file that describes a lip-sync program cannot be understood."""


class ProgramMissing(NotReady):
    """A lip-sync program is not installed, or its service does not answer."""


class ProgramFailed(NotReady):
    """A lip-sync program crashed, took too long, or returned something else than it was asked for."""


class PlugInUnusable(NotReady):
    """An engine or tracker that an installed package adds cannot be used."""


class ProjectMissing(NotReady):
    """The command was not run in the project's folder."""


class AlreadyRunning(NotReady):
    """Another process serves the same data folder."""


class BackupFailed(NotReady):
    """The database of a cluster cannot be copied, or put back."""


class BucketUnreachable(PipelineError):
    """The bucket of the cluster does not answer, or refuses this machine; that may pass."""


class ClusterUnusable(NotReady):
    """This machine cannot work with the others of its cluster."""


class InUse(NotReady):
    """A run works on what is to be deleted."""


class StageMissing(NotReady):
    """What an earlier stage should have stored is not there."""


class DiskFull(NotReady):
    """Not enough space, found before the work or while writing."""


class EncodingFailed(PipelineError):
    """The encoder stopped, or what it wrote does not hold what it should."""
