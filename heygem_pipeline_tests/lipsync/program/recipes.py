"""Recipes for the tests' program."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline_tests.lipsync.program import stand_in


def mouth_of(presenter: HeldPresenter) -> str:
    """Where the stand-in paints: the middle of the lips, and half their width."""
    lips = presenter.tracks.landmarks[0, 48:60]
    x, y = lips.mean(axis=0)
    return f"{x:.1f},{y:.1f},{np.ptp(lips[:, 0]) / 2:.1f}"


def recipe_text(presenter: HeldPresenter, *wrong: str, **other: Any) -> str:
    """A recipe of the stand-in; other: keys beside those of the command."""
    recipe = {
        "name": "Stand-in",
        "licence": "any use",
        "device": "cpu",
        "time_limit_seconds": 60,
        "command": {
            "program": sys.executable,
            "arguments": [str(stand_in.__file__), "{video}", "{sound}", "{result}", *wrong],
            "environment": {"STAND_IN_MOUTH": mouth_of(presenter)},
        },
    }
    return yaml.safe_dump(recipe | other)


def write_recipe(folder: Path, presenter: HeldPresenter, *wrong: str, **other: Any) -> Path:
    path = folder / "stand_in.yaml"
    path.write_text(recipe_text(presenter, *wrong, **other))
    return path
