"""What the interface takes and answers. FastAPI makes the OpenAPI schema of it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from heygem_pipeline.studio.api import Seconds, TagList
from heygem_pipeline.studio.forms import LARGEST_REQUEST, Form, Key, Keys, Line
from heygem_pipeline.web.http_client import LONGEST_ADDRESS

MOST_CLIPS = 5000
"""Named in one request."""

Quality = Literal["standard", "best", "small"]
Label = Literal["start", "always"]
SubtitlesChoice = Literal["none", "soft", "burnt"]
LoudnessChoice = Literal["as_is", "web", "broadcast"]
Title = Annotated[str, Field(min_length=1, max_length=200, description="What people call it")]


class NewBatch(Form):
    """Make a clip of every one of these voices with every one of these presenters."""

    title: Title
    voices: Annotated[Keys, Field(min_length=1, description="Keys, as they were told when a file was brought in")]
    presenters: Annotated[Keys, Field(min_length=1)]
    quality: Quality = "standard"
    label: Annotated[Label, Field(description="How long the label “AI generated” is seen")] = "start"
    engine: Annotated[str, Field(max_length=100, description="One of /engines; empty: the usual one")] = ""
    subtitles: Annotated[SubtitlesChoice | None, Field(description="Of known words; null: as usual")] = None
    loudness: Annotated[
        LoudnessChoice | None, Field(description="web: -16 LUFS, broadcast: -23 LUFS (EBU R 128); null: as usual")
    ] = None
    webhook: Annotated[
        str, Field(max_length=LONGEST_ADDRESS, description="An address that is called when all of it is finished")
    ] = ""


class BatchChanges(Form):
    """What is to be different; what is left out stays. Clips that will look different are made anew."""

    title: Title | None = None
    quality: Quality | None = None
    label: Label | None = None
    engine: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    subtitles: SubtitlesChoice | None = None
    loudness: LoudnessChoice | None = None
    beside: Annotated[bool, Field(description="Keep what is finished of it beside the new clips")] = False


class CodedSentence(BaseModel):
    """Something that is wrong or doubtful. Decide by the code and the values."""

    code: str
    values: dict[str, Any] = Field(description="What the sentence names")
    sentence: str


class BroughtIn(BaseModel):
    """A file that has arrived whole. ``key`` names it from now on."""

    key: str
    file: str


class Spoken(BaseModel):
    """Of a voice that is brought as a script: how it is spoken."""

    now: bool = Field(description="The recording is there, and of the script as it is")
    voice: str
    language: str


class Part(Form):
    """The seconds of a file that are used: ``end`` null, to its end. In thousandths."""

    start: Seconds = 0.0
    end: Seconds | None = None


class UploadChanges(Form):
    """What is to be different; what is left out stays."""

    tags: Annotated[TagList | None, Field(description="These and no others")] = None
    trim: Annotated[Part | None, Field(description="null: all of it")] = None


class PresenterChanges(UploadChanges):
    """The same, and how a photograph is shown. Clips of the presenter are made anew where they look different."""

    moving: Annotated[
        bool | None, Field(description="A photograph blinks and moves its head a little, or keeps still")
    ] = None


class UploadStanding(BaseModel):
    """A voice or presenter. ``checked``: it was looked at as a whole, and is usable unless ``refused``."""

    key: str | None = Field(description="null until it is taken in, some seconds after it was dropped into the folder")
    file: str
    checked: bool
    refused: CodedSentence | None
    doubt: CodedSentence | None = Field(description="What a first look found, before it was checked")
    warnings: list[CodedSentence]
    share: float | None = Field(description="How far the checking is, 0 to 1")
    seconds: float | None
    width: int
    height: int
    moving: bool | None = Field(description="Of a photograph: it blinks and moves its head; null for all others")
    tags: list[str]
    trim: Part | None = Field(description="The part that is used, and that ``seconds`` is of; null: all of it")
    spoken: Spoken | None = Field(default=None, description="null of recordings and presenters")


class ScriptText(Form):
    """What is to be spoken, and by whom. What is left empty is as usual."""

    text: Annotated[str, Field(min_length=1, max_length=LARGEST_REQUEST, description="An empty line is a pause")]
    language: Annotated[str, Field(max_length=35, description="BCP 47")] = ""
    engine: Line = ""
    voice: Annotated[Line, Field(description="One of /speakers")] = ""


class NewScript(ScriptText):
    """A script under a name."""

    name: Annotated[str, Field(min_length=1, max_length=100)]


class ScriptChanges(Form):
    """What is to be different; what is left out stays. It is spoken again where that makes a difference."""

    text: Annotated[str, Field(min_length=1, max_length=LARGEST_REQUEST)] | None = None
    language: Annotated[str, Field(max_length=35)] | None = None
    engine: Line | None = None
    voice: Line | None = None


class SentenceTimes(BaseModel):
    """Seconds of the recording."""

    text: str
    begin: float
    end: float


class Script(BaseModel):
    """A script, with its sentences and their times where it was spoken."""

    key: str
    file: str
    text: str
    language: str
    engine: str
    voice: str
    sentences: list[SentenceTimes]


class Speaker(BaseModel):
    """A voice of a speech engine. ``lack``: what keeps it from speaking on this machine; null where it can."""

    engine: str
    voice: str
    language: str
    lack: CodedSentence | None


ClipState = Literal["waiting", "ready", "queued", "running", "done", "stale", "failed", "removed"]


class ClipStanding(BaseModel):
    """Where a clip stands: ``done``, ``failed`` and ``removed`` stay until somebody asks for more."""

    voice: str
    presenter: str
    state: ClipState
    share: float | None = Field(default=None, description="How far it is, 0 to 1")
    left: int | None = Field(default=None, description="Seconds until it is made, roughly")
    why: CodedSentence | None = Field(default=None, description="Why it waits or failed")


class ClipName(Form):
    """One voice with one presenter."""

    voice: Key
    presenter: Key


class SeveralClips(Form):
    """Clips that are asked for; those that are not are passed over."""

    clips: Annotated[list[ClipName], Field(min_length=1, max_length=MOST_CLIPS)]


class Check(BaseModel):
    """What was measured on a finished clip."""

    name: str
    verdict: str
    sentence: str


class ClipFacts(BaseModel):
    """A finished clip."""

    seconds: float
    width: int
    height: int
    fps: float
    bytes: int
    made: datetime | str
    engine: str
    took: float
    loudness: float | None = Field(description="Of what is heard, LUFS; null where it cannot be measured")
    subtitles: str = Field(description="soft, burnt, or empty for none")
    synthetic_voice: str = Field(description="Engine and voice that spoke it; empty for a recording")
    checks: list[Check]
    warnings: list[str]


class Clip(ClipStanding):
    """A clip, with what is known of it once it is finished."""

    facts: ClipFacts | None = None


class BatchStanding(BaseModel):
    """A batch, which is a campaign of the pipeline."""

    name: Key = Field(description="Names it here, and its file in the folder of campaigns")
    title: str
    voices: list[str]
    presenters: list[str]
    quality: str
    label: str
    engine: str
    subtitles: str
    loudness: str = Field(description="own: another target, which stands in its file")
    counts: dict[ClipState, int]
    finished: bool = Field(description="All its clips are done, have failed, or were removed")
    left: int | None = Field(description="Seconds until it is finished, roughly")


class Batch(BatchStanding):
    """A batch with its clips."""

    clips: list[ClipStanding]


class Engine(BaseModel):
    """A lip-sync engine. ``lack``: what it needs to work on this machine; null where it can."""

    name: str
    terms: str
    lack: CodedSentence | None
    speed: float | None = Field(description="Seconds of clip that this machine makes in a second")


class Service(BaseModel):
    """What answers. ``served``: the pipeline is running, so that what is asked for is made."""

    version: str
    served: bool
    voice_endings: list[str]
    presenter_endings: list[str]
    largest_upload: int = Field(description="Bytes")


class RunLog(BaseModel):
    """The log of a clip, or of the voice or presenter that keeps it from being made."""

    subject: str
    run: str | None
    lines: list[dict[str, Any]]
