"""Dagster's own application behind the guard: what a stranger's page tries, and what its own page does."""

from collections.abc import Iterator, Mapping
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from heygem_pipeline.operations.dagster_answers import Webserver
from heygem_pipeline.operations.dagster_filmstrips import WithFilmstrips
from heygem_pipeline.operations.dagster_webserver import GuardedPage, mutates
from heygem_pipeline.quality.filmstrip import as_jpeg
from heygem_pipeline.runs.dagster_internals import workspace_of
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.web.guard import Guard

MUTATION = "mutation { setNuxSeen }"
QUERY = "{ version }"
FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "http://attacker.example"},
    {"origin": "null"},
    {"host": "attacker.example:3000", "origin": "http://attacker.example:3000", "sec-fetch-site": "same-origin"},
]
OWN = [{}, {"sec-fetch-site": "same-origin", "origin": "http://localhost"}, {"origin": "http://localhost"}]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolders]:
    with pytest.MonkeyPatch.context() as environment:
        # What open_instance() sets is put back at the end.
        for name in ("DAGSTER_HOME", "HEYGEM_STATE", "HEYGEM_DATA"):
            environment.setenv(name, "")
        yield DataFolders(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module", params=["", "/dagster"], ids=["at the root", "below a path"])
def page(
    request: pytest.FixtureRequest, root: DataFolders, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """Dagster's page over no code at all."""
    empty = tmp_path_factory.mktemp("workspace") / "workspace.yaml"
    empty.write_text("load_from: []\n")
    with open_instance(root) as instance, workspace_of(instance, empty) as workspace:
        app = Webserver(workspace, request.param, 2000, root, settings()).create_asgi_app()
        guarded = GuardedPage(WithFilmstrips(app, root), Guard(frozenset({"localhost"}), frozenset()))
        with TestClient(guarded, f"http://localhost{request.param}", follow_redirects=False) as client:
            yield client


def socket_of(page: TestClient, headers: Mapping[str, str]) -> WebSocketTestSession:
    address = f"{str(page.base_url).rstrip('/')}/graphql".replace("http", "ws", 1)
    return page.websocket_connect(address, ["graphql-ws"], headers=dict(headers))


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_page_makes_it_do_nothing(page: TestClient, headers: Mapping[str, str]) -> None:
    for kind in ("text/plain", "text/plain; application/json", "application/x-www-form-urlencoded"):
        sent = dict(headers) | {"content-type": kind}
        assert page.post("/graphql", params={"query": MUTATION}, headers=sent).status_code in (403, 421)
    assert page.get("/graphql", params={"query": MUTATION}, headers=dict(headers)).status_code in (403, 421)
    with (
        pytest.raises(WebSocketDisconnect),
        socket_of(page, headers),
    ):
        pass


def test_no_address_acts_whoever_opens_it(page: TestClient) -> None:
    for headers in OWN:
        assert page.get("/graphql", params={"query": MUTATION}, headers=headers).status_code == 405


@pytest.mark.parametrize("headers", OWN)
def test_its_own_page_works_as_before(page: TestClient, headers: dict[str, str]) -> None:
    assert "setNuxSeen" in page.post("/graphql", json={"query": MUTATION}, headers=headers).json()["data"]
    assert "version" in page.get("/graphql", params={"query": QUERY}, headers=headers).json()["data"]
    with socket_of(page, headers) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}


def test_a_link_from_elsewhere_opens_the_page_but_no_other_page_frames_it(page: TestClient) -> None:
    answer = page.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert answer.status_code == 200
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert "nonce-" in answer.headers["content-security-policy"], "Dagster's own policy stays"


@pytest.mark.parametrize(
    ("query", "acts"),
    [
        (QUERY, False),
        (MUTATION, True),
        ("query A { version } mutation B { setNuxSeen }", True),
        ("#\n,,mutation{setNuxSeen}", True),
        ("{ mutation: version }", False),
        ("not a query", False),
    ],
)
def test_what_acts_is_known_by_its_grammar(query: str, acts: bool) -> None:
    assert mutates(query) is acts


def test_filmstrips_are_shown_wherever_the_page_stands(page: TestClient, root: DataFolders) -> None:
    strip = root.filmstrip(ClipKey("talk", "张老师"))
    strip.parent.mkdir(parents=True, exist_ok=True)
    shades = [20 * number for number in range(8)]
    strip.write_bytes(as_jpeg(np.concatenate([np.full((160, 160, 3), shade, np.uint8) for shade in shades], axis=1)))
    for where in ("/filmstrips", "/assets/filmstrips", "/runs/filmstrips"):
        answer = page.get(f"{where}/talk/张老师.jpg")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        shown = np.asarray(Image.open(BytesIO(answer.content)).convert("L"))
        # The page cuts off what is wider: two rows of four.
        assert shown.shape == (224, 448)
        assert shown[56::112, 56::112].ravel() == pytest.approx(shades, abs=2)
    strip.write_bytes(b"no picture")
    assert page.get("/filmstrips/talk/张老师.jpg").status_code == 404
    assert page.get("/assets/filmstrips/talk/nobody.jpg").status_code == 404
    assert page.post("/assets/filmstrips/talk/张老师.jpg").status_code == 404


@pytest.mark.parametrize("name", ["..%2f..%2fsecret", "%2e%2e/secret", "..", "talk%2f..%2f..%2fsecret"])
def test_no_address_leads_out_of_the_filmstrips(page: TestClient, root: DataFolders, name: str) -> None:
    secret = root.root / "store" / "secret.jpg"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_bytes(b"secret")
    assert page.get(f"/filmstrips/talk/{name}.jpg").content != b"secret"


def test_another_page_gets_no_filmstrip(page: TestClient, root: DataFolders) -> None:
    strip = root.filmstrip(ClipKey("talk", "anna"))
    strip.parent.mkdir(parents=True, exist_ok=True)
    strip.write_bytes(as_jpeg(np.zeros((160, 160, 3), np.uint8)))
    answer = page.get("/filmstrips/talk/anna.jpg", headers={"host": "attacker.example:3000"})
    assert answer.status_code == 421
    assert page.get("/filmstrips/talk/anna.jpg").headers["cross-origin-resource-policy"] == "same-origin"
