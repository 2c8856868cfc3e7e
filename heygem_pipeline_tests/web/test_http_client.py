"""Where the pipeline posts to, and where it never does."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from heygem_pipeline.errors import WebhookRefused
from heygem_pipeline.web.http_client import checked_address, is_outside, place_of, post


@pytest.mark.parametrize(
    ("place", "outside"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_the_internet_is_outside(place: str, outside: bool) -> None:
    assert is_outside(place) is outside


@pytest.mark.parametrize(
    "address",
    [
        "",
        "example.org/x",
        "ftp://example.org/",
        "https://",
        "http://a:b@example.org/",
        "http://x:99999/",
        "http://a b/",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(WebhookRefused) as refused:
        checked_address(address)
    assert refused.value.code == "webhook.no_address"


@pytest.mark.parametrize("address", ["http://localhost:1/", "http://127.0.0.1/", "http://[::1]/", "http://2130706433/"])
def test_this_machine_is_called_only_where_that_is_allowed(address: str) -> None:
    with pytest.raises(WebhookRefused) as refused:
        post(address, b"", {}, inside=False)
    assert refused.value.code == "webhook.inside"
    assert not is_outside(place_of(address, inside=True))


def test_a_name_that_nobody_knows_is_told() -> None:
    with pytest.raises(WebhookRefused) as refused:
        place_of("https://no-such-host.invalid/", inside=False)
    assert refused.value.code == "webhook.unknown_host"


@pytest.fixture
def leads_on() -> Iterator[str]:
    """A server that leads everybody on to a place inside."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.server.asked.append(self.path)  # type: ignore[attr-defined]
            self.send_response(307)
            self.send_header("Location", "/secrets")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/hook?key=1"
    server.shutdown()
    thread.join()
    server.server_close()
    assert server.asked == ["/hook?key=1"]  # type: ignore[attr-defined]


def test_nobody_is_led_on(leads_on: str) -> None:
    assert post(leads_on, b"{}", {}, inside=True) == 307
