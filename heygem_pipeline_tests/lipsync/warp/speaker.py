"""Presenters who speak or yawn: a public-domain face whose mouth the engine itself has opened and closed."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracker_registry import load_tracker
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.lipsync.contract.material import HeldPresenter, laid
from heygem_pipeline_tests.lipsync.warp.presenter import asking_for, patches

FRAMES = 36

YAWN = 18
"""The frame in which a yawn is widest."""


def speaker_from(presenter: HeldPresenter) -> HeldPresenter:
    """The same face, opening its mouth three times, tracked anew."""
    return _doing(presenter, np.clip(0.6 - 0.8 * np.cos(np.arange(FRAMES) * 2 * np.pi / 12), 0, 1.3))


def yawner_from(presenter: HeldPresenter) -> HeldPresenter:
    """The same face, which keeps its lips closed but for one wide opening in the middle, tracked anew."""
    return _doing(presenter, 1.3 * np.exp(-(((np.arange(FRAMES) - YAWN) / 2.5) ** 2)))


def _doing(presenter: HeldPresenter, asked: NDArray[np.float64]) -> HeldPresenter:
    made = patches(asking_for(asked), presenter, FRAMES)
    pictures = tuple(laid(patch, presenter.pictures[patch.presenter_frame]) for patch in made)
    height, width = pictures[0].shape[:2]
    followed = load_tracker("mesh").track(iter(pictures), Fraction(25))
    return HeldPresenter(pictures, complete_tracks(followed, Fraction(25), (width, height)))
