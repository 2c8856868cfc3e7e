"""Choosing whose mouth moves where a presenter's picture shows two people."""

from collections.abc import Callable
from time import sleep
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from heygem_pipeline.clip.presenter import track_presenter
from heygem_pipeline.clip.sidecar import read_sidecar
from heygem_pipeline.planning.status import State
from heygem_pipeline.settings import settings
from heygem_pipeline_tests.conftest import swaying_presenter, write_video
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.studio.conftest import page, rules
from heygem_pipeline_tests.studio.listening import listening

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def couple(house: House) -> House:
    """A house with a presenter that shows the same person twice, the right one smaller."""
    import cv2

    large = swaying_presenter(30)
    frames = []
    for frame in large:
        beside = np.full((480, 400, 3), 90, np.uint8)
        beside[100:460, 50:350] = cv2.resize(frame, (300, 360), interpolation=cv2.INTER_AREA)
        frames.append(np.hstack([frame, beside]))
    write_video(house.folders.presenters / "couple.mp4", frames)
    house.take_in()
    house.make_inputs()
    return house


def shown(client: TestClient) -> dict[str, Any]:
    """The couple as the page shows it, once it was looked at."""
    for _ in range(300):
        found = next(one for one in client.get("/api/shown").json()["presenters"] if one["key"] == "couple")
        if found["examined"]:
            return found
        sleep(0.1)
    raise AssertionError("It was not looked at in half a minute.")


def test_the_face_that_is_pressed_on_is_the_one_that_is_tracked(couple: House) -> None:
    upload = couple.folders.presenters / "couple.mp4"
    assert couple.plan().presenters["couple"].state is State.DONE
    with page(couple, rules()) as client:
        before = shown(client)
        left, right = sorted(before["faces"])
        assert left[2] < 0.5 < right[0] and before["face"] is None
        place = [(right[0] + right[2]) / 2, (right[1] + right[3]) / 2]
        assert client.post("/api/face", json={"presenter": "couple", "place": place}).status_code == 200
        assert shown(client)["face"] == pytest.approx(place, abs=0.001)
        assert couple.plan().presenters["couple"].state is State.STALE
        presenter = track_presenter(upload, settings=settings())
        assert presenter.tracks.present.all() and presenter.tracks.boxes[:, 0].min() > 400
        couple.make_inputs()
        client.post("/api/face", json={"presenter": "couple", "place": None})
        assert read_sidecar(upload).face is None and shown(client)["face"] is None
    assert track_presenter(upload, settings=settings()).tracks.boxes[:, 2].max() < 400


@pytest.mark.parametrize("place", [[0.5], [0.5, 1.5], "left", [None, 0.1]])
def test_what_is_no_place_is_refused(couple: House, place: object) -> None:
    with page(couple, rules()) as client:
        assert client.post("/api/face", json={"presenter": "couple", "place": place}).status_code == 400
        assert client.post("/api/face", json={"presenter": "nobody", "place": [0.5, 0.5]}).status_code == 400
    assert not (couple.folders.presenters / "couple.yaml").exists()


@pytest.mark.server
@pytest.mark.long(minutes=0.3)
def test_a_face_is_chosen_by_pressing_on_it_and_a_photograph_kept_still_by_its_tick(
    couple: House, open_page: Callable[..., "Page"]
) -> None:
    import cv2

    cv2.imwrite(str(couple.folders.presenters / "photo.png"), swaying_presenter(1)[0])
    couple.take_in()
    with listening(couple, rules()) as address:
        page = open_page(address)
        card = page.locator("[data-kind=presenters] .card", has_text="couple.mp4")
        card.get_by_role("button", name="Choose whose mouth moves").click()
        dialog = page.locator("dialog#question")
        places = {one.get_attribute("value"): one for one in dialog.locator(".face-place input").all()}
        boxes = {value: place.bounding_box() for value, place in places.items()}
        right = max(boxes, key=lambda value: (boxes[value] or {"x": 0})["x"])
        box = boxes[right]
        assert box is not None and len(places) == 2
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        dialog.get_by_role("button", name="Take this one").click()
        card.get_by_text("You have chosen whose mouth moves").wait_for()
        assert card.get_by_label("Blinks and moves the head").count() == 0
        tick = page.locator("[data-kind=presenters] .card", has_text="photo.png").get_by_label(
            "Blinks and moves the head"
        )
        assert tick.is_checked()
        tick.uncheck()
        page.get_by_text("The photograph is looked at again").first.wait_for()
        # It looks again at once, and would find nobody.
        page.goto("about:blank")
    assert (couple.folders.presenters / "photo.yaml").read_text() == "moving: false\n"
    face = read_sidecar(couple.folders.presenters / "couple.mp4").face
    assert face is not None and face.x > 0.5
