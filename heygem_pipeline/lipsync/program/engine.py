"""The engine ``program``: any lip-sync program, given the presenter's very frames, and trusted with the mouth alone."""

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import LicenceNotAcknowledged, ProgramFailed, RecipeWrong
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.lower_face.blending import FaceRegion
from heygem_pipeline.lipsync.lower_face.face_boxes import FaceBoxes, locate_faces
from heygem_pipeline.lipsync.lower_face.strengths import blend_strengths, speaking_at_frames
from heygem_pipeline.lipsync.program.colour_match import with_colours
from heygem_pipeline.lipsync.program.command_line import require_installed, run_command
from heygem_pipeline.lipsync.program.face_overlay import lay_face
from heygem_pipeline.lipsync.program.handover import write_sound, write_video
from heygem_pipeline.lipsync.program.http_service import require_folder, use_service
from heygem_pipeline.lipsync.program.pieces import Piece, pieces_of
from heygem_pipeline.lipsync.program.recipe import Recipe, read_recipe
from heygem_pipeline.lipsync.program.returned_face import Box, HandedOver, Survey, survey
from heygem_pipeline.lipsync.program.returned_video import LIMITS, Matrix, chained, open_returned, region_of
from heygem_pipeline.lipsync.program.task import Task, task_of
from heygem_pipeline.media.frame import Frame
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.settings import EngineSettings
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline.speech.mouth_motion import speech_envelope

DRAWING_VERSION = "1"
"""Changes whenever the same program would give other patches."""


class ProgramEngine:
    """Draws with the program that a recipe describes."""

    name = "program"

    def __init__(self, recipe: Recipe, text: str) -> None:
        """Make an engine.

        Raises ProgramMissing.

        Args:
            text: of the recipe, which tells versions apart.
        """
        self._recipe, self._digits = recipe, sha256(text.encode()).hexdigest()[:8]
        if recipe.command is not None:
            require_installed(recipe, recipe.command)
        if recipe.service is not None:
            require_folder(recipe, recipe.service)

    @property
    def version(self) -> str:
        """Version of the drawing, the program's name, and digits of its recipe."""
        return f"{DRAWING_VERSION} ({self._recipe.licence_name} {self._digits})"

    @property
    def device(self) -> str:
        """As the recipe says."""
        return self._recipe.device

    @property
    def licence(self) -> str:
        """As the recipe says."""
        return self._recipe.licence

    def generate(
        self,
        speech: SpeechFeatures,
        sequence: FrameSequence,
        tracks: FaceTracks,
        presenter_speech: SpeechFeatures | None = None,
    ) -> Iterator[MouthPatch]:
        """Yield a patch for every output frame, in order; see ``LipSyncEngine``. Raises ProgramFailed."""
        recipe, count = self._recipe, speech.frame_count(tracks.frame_rate)
        shown = np.array([ping_pong(position, len(tracks)) for position in range(count)])
        boxes = locate_faces(tracks)
        usable = boxes.usable[shown]
        speaking = speaking_at_frames(speech_envelope(speech), tracks.frame_rate, count)
        strengths = blend_strengths(speaking, boxes.parted[shown], usable, tracks.frame_rate)
        shots = np.where(usable, tracks.shots[shown], -1)
        pieces = pieces_of(
            strengths, shots, tracks.frame_rate, recipe.rate, recipe.padding_seconds, recipe.shortest_seconds
        )
        clip = _Clip(speech, sequence, tracks, boxes, shown, strengths)
        yield from clip.patches(recipe, pieces)


class _Clip:
    """One clip while it is made: its frames are read twice, once to be handed over and once to be drawn on."""

    def __init__(
        self,
        speech: SpeechFeatures,
        sequence: FrameSequence,
        tracks: FaceTracks,
        boxes: FaceBoxes,
        shown: NDArray[np.int64],
        strengths: NDArray[np.float64],
    ) -> None:
        self._speech, self._tracks, self._boxes = speech, tracks, boxes
        self._shown, self._strengths = shown, strengths
        self._given = sequence.shown(len(shown))
        self._drawn_on = sequence.presentation(len(shown), boxes.boxes)
        self._given_until = 0

    def patches(self, recipe: Recipe, pieces: list[Piece]) -> Iterator[MouthPatch]:
        """Yield all patches."""
        done = 0
        samples = self._samples(recipe) if pieces else np.zeros(0, np.float32)
        for piece in pieces:
            yield from self._untouched(done, piece.start)
            yield from self._made(recipe, piece, samples)
            done = piece.end
        yield from self._untouched(done, len(self._shown))

    def _samples(self, recipe: Recipe) -> NDArray[np.float32]:
        if self._speech.sound is None:
            raise ProgramFailed("program.no_sound", program=recipe.name)
        return read_sound(self._speech.sound, recipe.sound_rate, LIMITS).samples

    def _untouched(self, start: int, end: int) -> Iterator[MouthPatch]:
        for position in range(start, end):
            next(self._drawn_on)
            yield MouthPatch(position, int(self._shown[position]))

    def _made(self, recipe: Recipe, piece: Piece, samples: NDArray[np.float32]) -> Iterator[MouthPatch]:
        with task_of(recipe) as task:
            handed = HandedOver()
            write_video(task.video, self._handed_over(piece, handed), piece.rate)
            write_sound(task.sound, _sound_of(piece, samples, recipe.sound_rate), recipe.sound_rate)
            result = _call(task, piece)
            returned = open_returned(result, recipe.name, piece)
            found = survey(returned, handed, piece, recipe.name)
            later = Fraction(str(recipe.late_seconds))
            with closing(_Forward(returned.frames())) as frames:
                for position in range(piece.start, piece.end):
                    index, picture = next(self._drawn_on)
                    asked = piece.seen_at(position, later)
                    frame = frames.at(asked + found.moved)
                    pose = int(self._shown[piece.shows(asked)])
                    place = chained(self._from_to(index, pose), found.place) if pose != index else found.place
                    yield self._patch(position, index, picture, frame, place, found)

    def _handed_over(self, piece: Piece, handed: HandedOver) -> Iterator[Frame]:
        """Yield the frames of the piece's video, each read once."""
        held: tuple[int, Frame] | None = None
        for number in range(piece.handed_over):
            wanted = piece.shows(number)
            if held is None or self._given_until <= wanted:
                skipped = wanted - self._given_until
                held = next(islice(self._given, skipped, None))
                self._given_until = wanted + 1
            index, frame = held
            handed.note(frame, self._box(index), self._boxes.landmarks[index])
            yield frame

    def _from_to(self, index: int, other: int) -> Matrix:
        """Where pixels of one of the presenter's frames lie in another, the head being held still."""
        here, there = (np.vstack([self._tracks.head[frame], [0, 0, 1]]) for frame in (index, other))
        return np.asarray((np.linalg.inv(there) @ here)[:2], np.float64)

    def _box(self, index: int) -> Box:
        left, top, right, bottom = (int(edge) for edge in self._boxes.boxes[index])
        return left, top, right, bottom

    def _patch(
        self,
        position: int,
        index: int,
        picture: NDArray[np.uint8],
        frame: NDArray[np.uint8],
        place: Matrix,
        found: Survey,
    ) -> MouthPatch:
        box, strength = self._box(index), float(self._strengths[position])
        if strength <= 0:
            return MouthPatch(position, index)
        left, top, right, bottom = box
        landmarks = self._boxes.landmarks[index] - np.array([left, top], np.float32)
        region = FaceRegion(picture[top:bottom, left:right], landmarks)
        returned = with_colours(region_of(frame, box, place), found.colours)
        laid = lay_face(region, returned, found.changed, strength)
        if laid is None:
            return MouthPatch(position, index)
        return MouthPatch(position, index, left + laid[0], top + laid[1], laid[2])


class _Forward:
    """Frames that are asked for in order, some several times, some not at all."""

    def __init__(self, frames: Iterator[NDArray[np.uint8]]) -> None:
        self._frames, self._number = frames, -1
        self._frame: NDArray[np.uint8] | None = None

    def at(self, number: int) -> NDArray[np.uint8]:
        """The frame of that number; before the first and after the last, these."""
        while self._frame is None or self._number < number:
            following = next(self._frames, None)
            if following is None:
                break
            self._frame, self._number = following, self._number + 1
        assert self._frame is not None
        return self._frame

    def close(self) -> None:
        """Close the file."""
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()


def _sound_of(piece: Piece, samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """What is heard while a piece's video runs; silence where its last frame is held."""
    start, end = (round(frame / piece.frame_rate * rate) for frame in (piece.start, piece.end))
    whole = np.zeros(round(piece.handed_over / piece.rate * rate), np.float32)
    heard = samples[start:end][: len(whole)]
    whole[: len(heard)] = heard
    return whole


def _call(task: Task, piece: Piece) -> Path:
    places = task.places(piece.rate, piece.handed_over)
    if task.recipe.command is not None:
        return run_command(task, task.recipe.command, places)
    assert task.recipe.service is not None
    return use_service(task, task.recipe.service, places)


def engine_of(settings: EngineSettings) -> ProgramEngine:
    """The engine as its entry point makes it. Raises RecipeWrong, ProgramMissing, LicenceNotAcknowledged."""
    if settings.program is None:
        raise RecipeWrong("recipe.none_chosen")
    recipe, text = read_recipe(settings.program)
    if recipe.research_only and recipe.licence_name not in settings.acknowledged_licences:
        raise LicenceNotAcknowledged("licence.not_acknowledged", owner=recipe.licence_name, terms=recipe.licence)
    return ProgramEngine(recipe, text)
