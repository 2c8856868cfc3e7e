"""Where everything lies in the data folder."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from socket import gethostname

from heygem_pipeline.errors import ProjectMissing
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import CLIP_SUFFIX, ClipKey
from heygem_pipeline.storage.file_store import FileStore, LocalFiles
from heygem_pipeline.storage.fingerprint import text_digest
from heygem_pipeline.storage.folder_identity import SeenFolders
from heygem_pipeline.storage.register import FileRegister, Register

REPORT_SUFFIX, REMOVED_SUFFIX = ".json", ".removed"
PROGRESS = "progress"
SIDECAR_SUFFIX = ".yaml"


@dataclass(frozen=True)
class DataFolders:
    """The data folder; ``voice`` and ``presenter`` are partition keys.

    database: PostgreSQL that holds the records; "" where all of them lie in the folder itself.
    broker: Redis of a cluster, whose workers make what is made; "" where this machine makes all.
    bucket: what all machines of a cluster see; "" where they share this folder, or there is one machine.
    scratch_bytes: that copies out of the bucket may take on this machine.
    """

    root: Path
    database: str = field(default="", repr=False)
    broker: str = field(default="", repr=False)
    bucket: str = ""
    scratch_bytes: int = 0

    @cached_property
    def files(self) -> FileStore:
        """Uploads, what runs make of them, and outputs, as every machine sees them; ``state`` is no part of it."""
        if not self.bucket:
            return LocalFiles()
        from heygem_pipeline.storage.bucket_files import BucketFiles

        return BucketFiles(self.root, self.bucket, self.database, self.scratch_bytes)

    @property
    def voices(self) -> Path:
        """Uploads of voices."""
        return self.root / "audio"

    @property
    def presenters(self) -> Path:
        """Uploads of presenters."""
        return self.root / "templates"

    @property
    def scripts(self) -> Path:
        """Uploads of scripts, which become voices."""
        return self.root / "scripts"

    @property
    def campaigns(self) -> Path:
        """What people wrote about which clips they want."""
        return self.root / "campaigns"

    @property
    def state(self) -> Path:
        """Dagster's storage and the register of uploads."""
        return self.root / "state"

    @property
    def published(self) -> list[Path]:
        """The folders of which the bucket of a cluster holds files."""
        store = self.root / "store"
        return [self.voices, self.presenters, self.scripts, self.campaigns, self.state, store, self.outputs]

    @property
    def cluster_identity(self) -> Path:
        """Says which data folder, or bucket, is a cluster's."""
        return self.state / "cluster-id"

    @property
    def lock_file(self) -> Path:
        """Held by whatever runs the graph on this folder: page and daemon, or the demo."""
        return self.state / "running.lock"

    def register(self, name: str) -> Register:
        """A document that several processes change: ``state/<name>.json``, or a row of a cluster's database."""
        if not self.database:
            return FileRegister(self.state / f"{name}.json")
        from heygem_pipeline.storage.database_register import DatabaseRegister

        return DatabaseRegister(self.database, name)

    def seen_folders(self, name: str) -> SeenFolders:
        """Which folders were last seen; the machines of a cluster number the same folders differently."""
        return SeenFolders(self.state / (f"{name}-{gethostname()}.json" if self.database else f"{name}.json"))

    def progress(self, run_id: str) -> Register:
        """How far a run is, while it works."""
        return self.register(f"{PROGRESS}/{run_id}")

    @property
    def progress_marks(self) -> list[tuple[str, int, int]]:
        """Others after each change of how far any run is."""
        if self.database:
            from heygem_pipeline.storage.database_register import DatabaseRegister

            return DatabaseRegister.marks(self.database, f"{PROGRESS}/")
        found = (FileRegister(path).mark for path in sorted((self.state / PROGRESS).glob("*.json")))
        return [mark for mark in found if mark is not None]

    @property
    def log_file(self) -> Path:
        """The one rotating log of everything; in a cluster one of each machine."""
        return self.root / "logs" / (f"heygem-{gethostname()}.log" if self.database else "heygem.log")

    @property
    def server_log(self) -> Path:
        """What webserver and daemon printed since they were started."""
        return self.root / "logs" / "dagster.log"

    def spoken(self, voice: str) -> Path:
        """The recording made from a script."""
        return self.root / "store" / "spoken_scripts" / f"{voice}.wav"

    def transcript(self, voice: str) -> Path:
        """What is said in it, and when."""
        return self.root / "store" / "spoken_scripts" / f"{voice}.json"

    def subtitles(self, voice: str) -> Path:
        """The same as subtitles."""
        return self.root / "store" / "spoken_scripts" / f"{voice}.vtt"

    def voice_text(self, voice: str, suffix: str) -> Path:
        """The subtitles of a voice whose words are known, ".srt" or ".vtt"."""
        return self.root / "store" / "subtitles" / f"{voice}{suffix}"

    def voice_sample(self, name: str) -> Path:
        """A sentence in a voice of a speech engine, to hear."""
        return self.root / "store" / "voice_samples" / f"{name}.wav"

    def voice(self, voice: str) -> Path:
        """Stored features of a voice."""
        return self.root / "store" / "audio_features" / f"{voice}.parquet"

    def tracks(self, presenter: str) -> Path:
        """Stored face tracks of a presenter."""
        return self.root / "store" / "face_tracks" / f"{presenter}.parquet"

    def presenter_speech(self, presenter: str) -> Path:
        """Stored features of the presenter's own speech, where there is any."""
        return self.root / "store" / "template_speech" / f"{presenter}.parquet"

    def face_encodings(self, presenter: str) -> Path:
        """What an engine has computed of a presenter's frames alone, for every voice."""
        return self.root / "store" / "face_encodings" / f"{presenter}.latents"

    def lip_record(self, presenter: str) -> Path:
        """What the engine `warp` has seen of the presenter's lips, for every voice."""
        return self.root / "store" / "face_encodings" / f"{presenter}.lips"

    def patches(self, clip: ClipKey) -> Path:
        """Stored mouth patches of a clip."""
        return _of_clip(self.root / "store" / "generated_frames", clip, ".parquet")

    def report(self, clip: ClipKey) -> Path:
        """Report of a finished clip."""
        return _of_clip(self.reports, clip, REPORT_SUFFIX)

    def removed(self, clip: ClipKey) -> Path:
        """What is left of the report of a clip that was removed for its age: it is not made again by itself."""
        return _of_clip(self.reports, clip, REMOVED_SUFFIX)

    def filmstrip(self, clip: ClipKey) -> Path:
        """Faces of a finished clip in a row."""
        return _of_clip(self.root / "store" / "filmstrips", clip, ".jpg")

    def preview(self, clip: ClipKey) -> Path:
        """Some seconds of a clip, made before the whole; never counted as the clip."""
        return _of_clip(self.previews, clip, CLIP_SUFFIX)

    def preview_wish(self, clip: ClipKey) -> Path:
        """What somebody asked to see of a clip, and what became of it."""
        return _of_clip(self.previews, clip, REPORT_SUFFIX)

    @property
    def previews(self) -> Path:
        """The folders of previews, one of each voice."""
        return self.root / "store" / "previews"

    def first_look(self, kind: str, file: str) -> Path:
        """What the Studio saw of an upload at once, its picture among it: a path to add endings to."""
        digest = text_digest(file, 24)
        return self.root / "store" / "first_looks" / kind / digest

    @property
    def ballast(self) -> Path:
        """A file that keeps room back."""
        return self.state / "reserve"

    @property
    def outputs(self) -> Path:
        """What is finished: clips in a folder of each voice, and a ZIP of each."""
        return self.root / "outputs"

    @property
    def seen(self) -> SeenFolders:
        """Which folder ``outputs`` was when a clip was last written there."""
        return self.seen_folders("folders")

    @property
    def reports(self) -> Path:
        """The folders of the reports of clips, one of each voice."""
        return self.root / "store" / "clip_reports"

    def clips_of(self, voice: str) -> Path:
        """The folder of a voice's finished clips."""
        return self.outputs / voice

    def earlier_clips(self, voice: str) -> Path:
        """The folder of a voice's clips that are kept beside those made in their place."""
        return self.clips_of(voice) / "earlier"

    def earlier_reports(self, voice: str) -> Path:
        """The folder of their reports."""
        return self.root / "store" / "earlier_reports" / voice

    def clip(self, clip: ClipKey) -> Path:
        """The finished clip: ``outputs/<voice>/<presenter>.mp4``."""
        return _of_clip(self.outputs, clip, CLIP_SUFFIX)

    def delivery(self, voice: str) -> Path:
        """The ZIP of a voice's finished clips."""
        return self.outputs / f"{voice}.zip"

    def make(self) -> None:
        """Create the folders people and Dagster expect to find."""
        for folder in (
            self.voices,
            self.presenters,
            self.scripts,
            self.campaigns,
            self.state,
            self.outputs,
            self.log_file.parent,
        ):
            # A link to a disk that is away stays what it is.
            if not folder.is_symlink():
                folder.mkdir(parents=True, exist_ok=True)


def _of_clip(folder: Path, clip: ClipKey, suffix: str) -> Path:
    """One folder a voice, one file a presenter."""
    return folder / clip.voice / f"{clip.presenter}{suffix}"


def project_folder() -> Path:
    """The folder with dagster.yaml and workspace.yaml: the current one, else the checkout's. Raises ProjectMissing.

    Where HEYGEM_DATABASE is set, one below it; another one of a cluster's, where HEYGEM_BROKER is set too.
    """
    current, checkout = Path.cwd(), Path(__file__).resolve().parents[2]
    for folder in (current, checkout):
        if _is_project(folder):
            special = folder / "deploy" / ("cluster" if settings().broker.get_secret_value() else "postgres")
            return special if settings().database.get_secret_value() and _is_project(special) else folder
    raise ProjectMissing("project.not_here", folder=str(current))


def data_folders() -> DataFolders:
    """The data folder of the settings; a relative path means the current folder.

    Raises ProjectMissing where the current folder has no such data folder and is not the project's either: a command
    that was run in a wrong place would begin an empty data folder there.
    """
    data, current = settings().data, Path.cwd()
    if not data.is_absolute() and not (current / data).is_dir() and not _is_project(current):
        raise ProjectMissing("project.no_data_folder", folder=str(current), data=str(data))
    chosen = settings()
    places = chosen.database.get_secret_value(), chosen.broker.get_secret_value(), chosen.bucket
    return DataFolders(current / data, *places, int(chosen.scratch_gb * 1e9))


def _is_project(folder: Path) -> bool:
    return (folder / "dagster.yaml").is_file() and (folder / "workspace.yaml").is_file()


def sidecar_of(upload: Path) -> Path:
    """Where the sidecar of an upload lies, if it has one: ``anna.yaml`` for ``anna.mp4``."""
    return upload.with_suffix(SIDECAR_SUFFIX)
