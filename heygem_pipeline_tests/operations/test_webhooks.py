"""Other programs are told that a campaign is finished: signed, again and again until they hear it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from heygem_pipeline.campaigns.campaigns_folder import load_campaigns
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.definitions import defs
from heygem_pipeline.operations.webhooks import WAITS, secret_of, tell_what_is_finished
from heygem_pipeline.orchestration.sensors import webhooks
from heygem_pipeline.settings import settings
from heygem_pipeline_tests.house import CLIP, House


class Receiver(HTTPServer):
    """Answers as it is told to, and keeps what it got."""

    def __init__(self, *answers: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?key=secret"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver(500, 503, 204)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def finished(house: House, receiver: Receiver) -> House:
    """A campaign of two clips, one made and one cancelled."""
    house.make_inputs()
    write_campaign(house, receiver.address)
    house.make_clip("one", "one")
    house.run(CLIP, "one|two", DagsterRunStatus.CANCELED)
    return house


def write_campaign(house: House, address: str) -> None:
    text = f'title: Autumn term\nvoices: one\npresenters: "*"\nwebhook: "{address}"\n'
    (house.folders.campaigns / "autumn.yaml").write_text(text)


def tell(house: House, now: float, inside: bool = True) -> list[str]:
    campaigns = load_campaigns(house.folders.campaigns, default_render_spec(settings())).usable
    return tell_what_is_finished(house.folders, house.plan(), campaigns, inside, now)


def test_a_receiver_that_fails_twice_is_told_at_last_and_only_once(finished: House, receiver: Receiver) -> None:
    (first,) = tell(finished, 0)
    assert "answered 500" in first and "Again in 30 s" in first
    assert tell(finished, WAITS[0] - 1) == []
    (second,) = tell(finished, WAITS[0])
    assert "answered 503" in second and "Again in 120 s" in second
    assert tell(finished, WAITS[0] + WAITS[1] - 1) == []
    (third,) = tell(finished, WAITS[0] + WAITS[1])
    assert third == "127.0.0.1 was told that autumn is finished."
    assert tell(finished, 1e9) == []
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    log = finished.folders.log_file.read_text()
    assert all(sentence in log for sentence in (first, second, third)) and "secret" not in log


def test_what_is_told_is_signed_and_names_what_is_not_made(finished: House, receiver: Receiver) -> None:
    tell(finished, 1000)
    headers, body = receiver.got[0]
    key = base64.b64decode(secret_of(finished.folders).removeprefix("whsec_"))
    told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}" and headers["webhook-timestamp"] == "1000"
    news: dict[str, Any] = json.loads(body)
    assert (news["type"], news["data"]["title"]) == ("campaign.finished", "Autumn term")
    assert news["data"]["counts"] == {"done": 1, "cancelled": 1}
    (unmade,) = news["data"]["not_made"]
    assert (unmade["voice"], unmade["presenter"], unmade["code"]) == ("one", "two", "clip.cancelled")
    assert (finished.folders.state / "webhook.secret").stat().st_mode & 0o077 == 0


def test_it_is_told_again_after_something_was_made_anew(finished: House, receiver: Receiver) -> None:
    receiver.answers = [200, 200]
    assert len(tell(finished, 0)) == 1
    finished.replace("one", "said anew")
    assert tell(finished, 10) == []
    finished.make_inputs()
    for presenter in ("one", "two"):
        finished.make_clip("one", presenter)
    assert len(tell(finished, 20)) == 1
    assert json.loads(receiver.got[1][1])["data"]["counts"] == {"done": 2}


def test_a_receiver_that_never_answers_is_given_up_and_one_that_is_gone_at_once(
    finished: House, receiver: Receiver
) -> None:
    receiver.answers = [500] * 10
    now, said = 0.0, []
    for wait in (*WAITS, 0.0):
        said += tell(finished, now)
        now += wait
    assert "will not be: it answered 500" in said[-1] and len(receiver.got) == len(WAITS) + 1
    assert tell(finished, 1e9) == []


def test_one_that_wants_no_more_is_left_alone(finished: House, receiver: Receiver) -> None:
    receiver.answers = [410]
    assert "will not be" in tell(finished, 0)[0]
    assert tell(finished, 1e9) == []


def test_the_sensor_tells_but_nobody_inside_unless_that_is_allowed(
    finished: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dg.build_sensor_context(finished.instance, definitions=defs) as context:
        said = webhooks.evaluate_tick(context).skip_message
    assert said and "own network" in said and receiver.got == []
    monkeypatch.setenv("HEYGEM_WEBHOOK_INSIDE", "true")
    settings.cache_clear()
    (finished.folders.state / "webhooks.json").unlink()
    receiver.answers = [200]
    with dg.build_sensor_context(finished.instance, definitions=defs) as context:
        assert "was told" in str(webhooks.evaluate_tick(context).skip_message)
        assert "nothing new" in str(webhooks.evaluate_tick(context).skip_message)


def test_a_campaign_file_with_a_wrong_address_says_so(house: House) -> None:
    write_campaign(house, "example.org/hook")
    (wrong,) = load_campaigns(house.folders.campaigns, default_render_spec(settings())).wrong
    assert "line 4" in str(wrong) and "https://example.org/hook" in str(wrong)
