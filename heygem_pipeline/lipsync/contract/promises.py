"""What every lip-sync engine promises about whole clips, whatever it draws; ours are tested with it, others' can be."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from heygem_pipeline.lipsync.contract.material import HeldPresenter, Material, Picture, laid
from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.speech.features import SpeechFeatures

MOST_FRAMES_HELD = 15
"""0.3 s on both sides, and four decoded ahead."""

LONGEST_STEP = 1.5
"""Where the presenter turns back, against the longest of all other steps."""

PLACES = ((-260, 0), (260, 0), (0, 330), (0, -230), (-250, 320), (2000, 0), (0, -2000), (0, 480))
"""How far to the right and down the face is moved, pixels: to every edge of the frame, and out of it."""


class BrokenPromise(AssertionError):
    """What was seen instead of what was promised."""


@dataclass(frozen=True)
class Promise:
    """One thing that is promised.

    Attributes:
        sentence: in plain words.
        keep: raises BrokenPromise, or whatever the engine does.
    """

    sentence: str
    keep: Callable[[LipSyncEngine, Material], None]


PROMISES: list[Promise] = []
"""All of them."""


def _promise(
    sentence: str,
) -> Callable[[Callable[[LipSyncEngine, Material], None]], Callable[[LipSyncEngine, Material], None]]:
    def note(keep: Callable[[LipSyncEngine, Material], None]) -> Callable[[LipSyncEngine, Material], None]:
        PROMISES.append(Promise(sentence, keep))
        return keep

    return note


def _expect(kept: bool, seen: str) -> None:
    if not kept:
        raise BrokenPromise(seen)


def _made(engine: LipSyncEngine, presenter: HeldPresenter, speech: SpeechFeatures) -> list[MouthPatch]:
    return list(engine.generate(speech, presenter.sequence, presenter.tracks))


def _are_all_untouched(patches: list[MouthPatch]) -> bool:
    return all(patch.pixels is None for patch in patches)


@_promise("it is found by its name, and its version stays the same")
def _known_by_its_name(engine: LipSyncEngine, material: Material) -> None:
    again = load_engine(engine.name, material.settings)
    _expect(type(again) is type(engine), f"{engine.name} is once {type(engine).__name__}, once {type(again).__name__}")
    _expect(again.version == engine.version != "", f"versions {engine.version!r} and {again.version!r}")


@_promise("there is a patch for every output frame, and the presenter plays back and forth")
def _a_patch_for_every_frame(engine: LipSyncEngine, material: Material) -> None:
    pictures = len(material.presenter.pictures)
    count = 2 * pictures + 2
    patches = _made(engine, material.presenter, material.voice(count))
    places = [(patch.output_frame, patch.presenter_frame) for patch in patches]
    _expect(places == [(i, ping_pong(i, pictures)) for i in range(count)], f"output and presenter frames {places}")
    drawn = sum(patch.pixels is not None for patch in patches)
    _expect(drawn == count, f"{drawn} of {count} frames of speech have a mouth drawn")


@_promise("pixels are uint8 (height, width, 3)")
def _pixels_are_of_their_kind(engine: LipSyncEngine, material: Material) -> None:
    for patch in _made(engine, material.presenter, material.voice(3)):
        if patch.pixels is not None:
            shape, kind = patch.pixels.shape, patch.pixels.dtype
            _expect(kind == np.uint8 and len(shape) == 3 and shape[2] == 3, f"{kind} {shape}")


@_promise("it says where it drew")
def _says_where_it_drew(engine: LipSyncEngine, material: Material) -> None:
    _made(engine, material.presenter, material.voice(1))
    _expect(engine.device != "", "device is empty after a clip was drawn")


@_promise("a clip of one frame is made")
def _one_frame(engine: LipSyncEngine, material: Material) -> None:
    patches = _made(engine, material.presenter, material.voice(1))
    _expect([patch.output_frame for patch in patches] == [0], f"{len(patches)} patches")


@_promise("silence returns shut lips bit for bit")
def _silence_shuts(engine: LipSyncEngine, material: Material) -> None:
    silent = _made(engine, material.presenter, material.voice(20, silent_from=0))
    _expect(_are_all_untouched(silent), "a mouth is drawn in a clip of silence")
    patches = _made(engine, material.presenter, material.voice(45, silent_from=8))
    _expect(not _are_all_untouched(patches), "no mouth is drawn where somebody speaks")
    _expect(_are_all_untouched(patches[-25:]), "a mouth is still drawn half a second after the speech has ended")


@_promise("the same input gives the same patches")
def _repeatable(engine: LipSyncEngine, material: Material) -> None:
    speech = material.voice(14)
    once, again = (_made(engine, material.presenter, speech) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        same = (one.left, one.top, one.own_mouth) == (other.left, other.top, other.own_mouth)
        alike = one.pixels is other.pixels is None or (
            one.pixels is not None and other.pixels is not None and np.array_equal(one.pixels, other.pixels)
        )
        _expect(same and alike, f"output frame {one.output_frame} differs the second time")


@_promise("the presenter turns back without a jump")
def _no_jump(engine: LipSyncEngine, material: Material) -> None:
    pictures = material.presenter.pictures
    count = len(pictures)
    patches = _made(engine, material.presenter, material.voice(2 * count))
    finished = [laid(patch, pictures[patch.presenter_frame]).astype(int) for patch in patches]
    steps = [np.abs(later - now).mean() for now, later in pairwise(finished)]
    most, usual = max(steps[count - 2], steps[count - 1]), max(steps[: count - 2])
    _expect(most <= LONGEST_STEP * usual, f"a step of {most:.2f} levels where others are up to {usual:.2f}")


@_promise("nothing above the nose changes")
def _nothing_above_the_nose(engine: LipSyncEngine, material: Material) -> None:
    presenter = material.presenter
    for patch in _made(engine, presenter, material.voice(6)):
        picture = presenter.pictures[patch.presenter_frame]
        eyes = int(presenter.tracks.landmarks[patch.presenter_frame, 36:48, 1].max())
        unchanged = np.array_equal(laid(patch, picture)[:eyes], picture[:eyes])
        _expect(unchanged, f"output frame {patch.output_frame} is changed above row {eyes}, where the eyes are")


@_promise("frames without a face pass through, and the timing stays")
def _without_face(engine: LipSyncEngine, material: Material) -> None:
    patches = _made(engine, material.presenter.without_face(0, 1, 6), material.voice(16))
    _expect([patch.output_frame for patch in patches] == list(range(16)), f"{len(patches)} patches of 16")
    hidden = [patch for patch in patches if patch.presenter_frame in (0, 1, 6)]
    _expect(_are_all_untouched(hidden), "a mouth is drawn in a frame without a face")
    _expect(patches[4].pixels is not None, "no mouth is drawn between frames without a face")


@_promise("a face seen only now and then makes a clip")
def _rarely_seen(engine: LipSyncEngine, material: Material) -> None:
    rarely = material.presenter.without_face(0, 2, 3, 5, 6, 7, 9, 11)
    patches = _made(engine, rarely, material.voice(24))
    _expect(len(patches) == 24, f"{len(patches)} patches of 24")


@_promise("a clip without any face passes through")
def _no_face_at_all(engine: LipSyncEngine, material: Material) -> None:
    nobody = material.presenter.without_face(*range(len(material.presenter.pictures)))
    patches = _made(engine, nobody, material.voice(15))
    _expect(len(patches) == 15 and _are_all_untouched(patches), f"{len(patches)} patches, or a mouth drawn")


@_promise("a still picture speaks")
def _still_picture(engine: LipSyncEngine, material: Material) -> None:
    patches = _made(engine, material.presenter.only(slice(0, 1)), material.voice(8))
    _expect([patch.presenter_frame for patch in patches] == [0] * 8, f"{len(patches)} patches of 8")
    _expect(all(patch.pixels is not None for patch in patches), "no mouth is drawn on it")


@_promise("a face at the edge of the frame stays within it")
def _at_the_edge(engine: LipSyncEngine, material: Material) -> None:
    for right, down in PLACES:
        shown = material.presenter.moved(right, down)
        width, height = shown.tracks.size
        for patch in _made(engine, shown, material.voice(3)):
            if patch.pixels is not None:
                end, bottom = patch.left + patch.pixels.shape[1], patch.top + patch.pixels.shape[0]
                within = patch.left >= 0 and patch.top >= 0 and end <= width and bottom <= height
                _expect(
                    within,
                    f"a face {right}, {down} pixels away has a patch up to {end}, {bottom} of {shown.tracks.size}",
                )


@_promise("few frames are held, however long the clip")
def _few_frames_held(engine: LipSyncEngine, material: Material) -> None:
    shown = Watched(material.presenter.pictures, material.presenter.tracks)
    most = 0
    for _ in engine.generate(material.voice(40), shown.sequence, shown.tracks):
        most = max(most, sum(reference() is not None for reference in shown.noted))
    _expect(most <= MOST_FRAMES_HELD, f"{most} frames are held at once")


@dataclass(frozen=True)
class Watched(HeldPresenter):
    """Notes every frame it presents without holding it, so that one can count those that somebody else holds."""

    noted: list[weakref.ref[Picture]] = field(default_factory=list)

    def note(self, frame: Picture) -> None:
        """Told of every frame that is presented."""
        self.noted.append(weakref.ref(frame))
