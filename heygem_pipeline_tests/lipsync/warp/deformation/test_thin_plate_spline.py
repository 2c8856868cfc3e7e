"""Displacement fields of the face."""

import numpy as np
import pytest

from heygem_pipeline.lipsync.warp.deformation.thin_plate_spline import (
    BOTTOM,
    GRID,
    LEFT,
    RIGHT,
    TOP,
    ControlPoints,
    DisplacementGrid,
)

PINS = np.array([[-1.2, 0.2], [1.2, 0.2], [-1.0, 1.2], [1.0, 1.2], [0.0, 0.55], [-0.7, 2.4], [0.7, 2.4]])
STILL = ControlPoints(PINS, PINS)
ROUND = np.linspace(np.pi, 0, 17)
OUTLINE = np.stack([1.1 * np.cos(ROUND), 0.2 + 1.6 * np.sin(ROUND)], axis=1)


def moved(by: float) -> ControlPoints:
    lip = np.array([[-0.2, 1.1], [0.0, 1.15], [0.2, 1.1]])
    return ControlPoints(target=lip + np.array([0, by]), source=lip)


def test_nothing_moves_where_nothing_is_asked() -> None:
    field = DisplacementGrid().displacement(STILL, [moved(0.0)], OUTLINE)
    np.testing.assert_allclose(field, 0, atol=1e-5)


def test_layers_come_side_by_side() -> None:
    grid = DisplacementGrid()
    both = grid.displacement(STILL, [moved(0.1), moved(-0.05)], OUTLINE)
    assert both.shape == (GRID[1], GRID[0], 4)
    np.testing.assert_array_equal(both[..., :2], grid.displacement(STILL, [moved(0.1)], OUTLINE))
    np.testing.assert_array_equal(both[..., 2:], grid.displacement(STILL, [moved(-0.05)], OUTLINE))


@pytest.mark.parametrize("by", [-0.1, 0.2])
def test_the_field_is_exactly_zero_along_its_border(by: float) -> None:
    field = DisplacementGrid().displacement(STILL, [moved(by)], OUTLINE)
    for side in (field[0], field[-1], field[:, 0], field[:, -1]):
        assert not side.any()


@pytest.mark.parametrize("by", [-0.1, 0.2])
def test_the_field_leads_back_to_where_the_pixels_are(by: float) -> None:
    field = DisplacementGrid().displacement(STILL, [moved(by)], OUTLINE)
    columns, rows = GRID
    x, y = np.linspace(LEFT, RIGHT, columns), np.linspace(TOP, BOTTOM, rows)
    column, row = np.abs(x - 0.0).argmin(), np.abs(y - (1.15 + by)).argmin()
    assert field[row, column, 1] == pytest.approx(-by, abs=0.02)


def test_what_stands_behind_the_face_keeps_still() -> None:
    narrow = OUTLINE * [0.6, 0.9]
    field = DisplacementGrid().displacement(STILL, [moved(0.2)], narrow)
    x, y = np.meshgrid(np.linspace(LEFT, RIGHT, GRID[0]), np.linspace(TOP, BOTTOM, GRID[1]))
    beside = (np.abs(x) > 0.9) & (y > 0.2)
    assert field[:, :, 1][(np.abs(x) < 0.2) & (np.abs(y - 1.35) < 0.1)].all()
    assert not field[beside].any()
