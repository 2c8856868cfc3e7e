import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import ModelMissing
from heygem_pipeline.faces import mesh_networks as mesh_networks_module
from heygem_pipeline.faces.mesh_detection import detect_faces
from heygem_pipeline.faces.mesh_networks import CROP_SIDE, DETECTOR_SIDE, FOLDER, MeshNetworks
from heygem_pipeline.faces.mesh_points import MOUTH_BLENDSHAPES
from heygem_pipeline.faces.mesh_reader import MeshReading, crop_of_box, read_face
from heygem_pipeline_tests.faces.conftest import Picture

PROJECT = FOLDER.parents[2]


def reading_of(networks: MeshNetworks, picture: Picture) -> MeshReading:
    face = detect_faces(networks, picture)[0]
    return read_face(networks, picture, crop_of_box(face.box, face.lean))


def test_the_networks_are_those_whose_checksums_are_written_beside_them() -> None:
    written = dict(
        re.findall(r"^\| `(\w+\.tflite)` \|.*\| `([0-9a-f]{64})` \|$", (FOLDER / "README.md").read_text(), re.M)
    )
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.tflite")}
    assert there == written and len(there) == 3


def test_the_networks_are_installed_with_their_licence_and_origin() -> None:
    setuptools = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    installed = {
        path
        for pattern in setuptools["package-data"]["heygem_pipeline"]
        for path in PROJECT.glob(f"heygem_pipeline/{pattern}")
    }
    assert set(FOLDER.iterdir()) <= installed
    assert (FOLDER / "LICENSE").read_text() == (PROJECT / "LICENSE").read_text()
    assert "heygem_pipeline/faces/face_landmarker" in (PROJECT / "NOTICE").read_text()


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_networks_module, "FOLDER", tmp_path)
    with pytest.raises(ModelMissing, match=r"face_detector\.tflite"):
        MeshNetworks()


def test_loading_them_prints_nothing() -> None:
    code = "from heygem_pipeline.faces.mesh_networks import MeshNetworks; MeshNetworks()"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert said.stdout + said.stderr == b""


def test_irises_are_dark_and_lips_are_red_where_they_are_read(hopper: Picture, mesh_networks: MeshNetworks) -> None:
    import cv2

    points = np.round(reading_of(mesh_networks, hopper).points).astype(int)
    luma = cv2.cvtColor(cv2.GaussianBlur(hopper, (5, 5), 0), cv2.COLOR_BGR2GRAY)
    red = cv2.cvtColor(cv2.GaussianBlur(hopper, (5, 5), 0), cv2.COLOR_BGR2LAB)[..., 1].astype(int)
    for iris, cheek in ((468, 50), (473, 280)):
        assert luma[points[iris, 1], points[iris, 0]] < luma[points[cheek, 1], points[cheek, 0]] - 60
    upper_lip, lower_lip, chin = points[12], points[16], points[200]
    for lip in (upper_lip, lower_lip):
        assert red[lip[1], lip[0]] > red[chin[1], chin[0]] + 4


def test_a_face_is_surely_there_and_nothing_else_is(hopper: Picture, mesh_networks: MeshNetworks) -> None:
    assert reading_of(mesh_networks, hopper).presence > 0.99
    noise = np.random.default_rng(0).integers(0, 255, (CROP_SIDE, CROP_SIDE, 3)).astype(np.uint8)
    flat = np.full_like(noise, 120)
    flag_and_sky = hopper[:CROP_SIDE, :CROP_SIDE].copy()
    flag_and_sky[:, 120:] = 120
    assert max(mesh_networks.read(picture)[1] for picture in (noise, flat, flag_and_sky)) < 0.5
    assert len(mesh_networks.detect(flat[:DETECTOR_SIDE, :DETECTOR_SIDE], 0.5).score) == 0


def test_who_smiles_is_seen_to_smile(hopper: Picture, collins: Picture, mesh_networks: MeshNetworks) -> None:
    serious, smiling = (
        dict(
            zip(
                MOUTH_BLENDSHAPES,
                mesh_networks.mouth_blendshapes(reading_of(mesh_networks, picture).points),
                strict=True,
            )
        )
        for picture in (hopper, collins)
    )
    for side in ("Left", "Right"):
        assert serious[f"mouthSmile{side}"] < 0.1 < 0.7 < smiling[f"mouthSmile{side}"]
    assert all(0 <= value <= 1 for shape in (serious, smiling) for value in shape.values())


def test_the_same_picture_gives_the_same_bits(hopper: Picture, mesh_networks: MeshNetworks) -> None:
    first, again = reading_of(mesh_networks, hopper), reading_of(MeshNetworks(), hopper)
    np.testing.assert_array_equal(first.points, again.points)
