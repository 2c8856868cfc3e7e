"""Every file of weights that people put into the folder of checkpoints, and what may be done with it."""

from collections.abc import Iterator
from dataclasses import dataclass

from heygem_pipeline.messages.message import Message


@dataclass(frozen=True)
class Checkpoint:
    """One file of weights.

    file: its name in the folder, or its way below it. megabytes: about how large the published one is, in 10^6 bytes.
    source: where it comes from. url: where it may be downloaded from without asking; "" where a person must fetch it.
    """

    file: str
    what: str
    megabytes: int
    source: str
    url: str = ""

    @property
    def promised_digits(self) -> str:
        """The first digits of the published file's SHA-256, "" if unknown; torch.hub writes them into the name."""
        return self.file.partition(".")[0].rpartition("-")[2] if self.url else ""


@dataclass(frozen=True)
class Part:
    """One thing an engine or tracker needs; any one of the files will do, the first that is there is taken."""

    what: str
    files: tuple[Checkpoint, ...]


@dataclass(frozen=True)
class Owner:
    """An engine or tracker that needs files of weights.

    terms: what its publishers say of the use of the weights.
    research_only: whether that forbids all but research, so that HEYGEM_ACKNOWLEDGED_LICENCES must name the owner.
    """

    name: str
    kind: str
    parts: tuple[Part, ...]
    terms: Message
    research_only: bool


_WAV2LIP = "https://github.com/Rudrabha/Wav2Lip"
_MUSETALK = "https://huggingface.co/TMElyralab/MuseTalk"
_AUTOENCODER = "https://huggingface.co/stabilityai/sd-vae-ft-mse"
_WHISPER = "https://huggingface.co/openai/whisper-tiny"
_KOKORO = "https://github.com/thewh1teagle/kokoro-onnx"
_FAN = "https://www.adrianbulat.com/downloads/python-fan/"

CATALOGUE = (
    Owner(
        name="wav2lip",
        kind="engine",
        parts=(
            Part(
                "network",
                (
                    Checkpoint("wav2lip_gan.pth", "sharper mouths", 416, _WAV2LIP),
                    Checkpoint("wav2lip.pth", "closer to the sound", 416, _WAV2LIP),
                    Checkpoint("Wav2Lip-SD-GAN.pt", "sharper mouths, TorchScript", 146, _WAV2LIP),
                    Checkpoint("Wav2Lip-SD-NOGAN.pt", "closer to the sound, TorchScript", 146, _WAV2LIP),
                ),
            ),
        ),
        terms=Message("licence.wav2lip"),
        research_only=True,
    ),
    Owner(
        name="musetalk",
        kind="engine",
        parts=(
            Part("network", (Checkpoint("musetalkV15/unet.pth", "MuseTalk 1.5", 3400, _MUSETALK),)),
            Part(
                "autoencoder",
                (
                    Checkpoint("sd-vae/diffusion_pytorch_model.safetensors", "sd-vae-ft-mse", 335, _AUTOENCODER),
                    Checkpoint("sd-vae/diffusion_pytorch_model.bin", "the same, pickled", 335, _AUTOENCODER),
                ),
            ),
            Part(
                "hearing",
                (
                    Checkpoint("whisper/model.safetensors", "Whisper tiny", 151, _WHISPER),
                    Checkpoint("whisper/pytorch_model.bin", "the same, pickled", 151, _WHISPER),
                ),
            ),
        ),
        terms=Message("licence.musetalk"),
        research_only=False,
    ),
    Owner(
        name="face_alignment",
        kind="tracker",
        parts=(
            Part(
                "detector",
                (Checkpoint("s3fd-619a316812.pth", "S3FD face detector", 90, _FAN, f"{_FAN}s3fd-619a316812.pth"),),
            ),
            Part(
                "landmarks",
                (
                    Checkpoint(
                        "2DFAN4-11f355bf06.pth.tar", "FAN, 68 points", 96, _FAN, f"{_FAN}2DFAN4-11f355bf06.pth.tar"
                    ),
                ),
            ),
        ),
        terms=Message("licence.face_alignment"),
        research_only=False,
    ),
    Owner(
        name="kokoro",
        kind="speech engine",
        parts=(
            Part(
                "network",
                (
                    Checkpoint("kokoro-v1.0.int8.onnx", "quickest on a processor", 92, _KOKORO),
                    Checkpoint("kokoro-v1.0.fp16.onnx", "half precision", 177, _KOKORO),
                    Checkpoint("kokoro-v1.0.onnx", "as it was trained", 326, _KOKORO),
                ),
            ),
            Part("voices", (Checkpoint("voices-v1.0.bin", "voices of nine languages", 28, _KOKORO),)),
        ),
        terms=Message("licence.kokoro"),
        research_only=False,
    ),
)


def owner_called(name: str) -> Owner | None:
    """The engine or tracker of that name; None where it needs no such file."""
    return next((owner for owner in CATALOGUE if owner.name == name), None)


def checkpoints() -> Iterator[tuple[Owner, Part, Checkpoint]]:
    """Every file, with what it belongs to."""
    return ((owner, part, checkpoint) for owner in CATALOGUE for part in owner.parts for checkpoint in part.files)


def checkpoint_called(file: str) -> tuple[Owner, Part, Checkpoint] | None:
    """The file of that name, with or without its folder, and what it belongs to; upper and lower case are alike."""
    wanted = file.casefold()
    names = ((found, found[2].file.casefold()) for found in checkpoints())
    return next((found for found, name in names if wanted in (name, name.rpartition("/")[2])), None)
