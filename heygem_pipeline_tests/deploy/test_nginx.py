"""deploy/nginx.conf in a real nginx, before a small page: who gets in, and what passes."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

import pytest

from heygem_pipeline_tests.deploy.conftest import DEPLOY, free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
OPENSSL = shutil.which("openssl")
pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: apt install nginx)"),
    pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed (Debian: apt install openssl)"),
]

NAME, PASSWORD, SECRET = "teacher", "chalk and talk", "0123456789abcdef"
RIGHT = {"Authorization": "Basic " + b64encode(f"{NAME}:{PASSWORD}".encode()).decode()}
WRONG = {"Authorization": "Basic " + b64encode(f"{NAME}:guess".encode()).decode()}

SURROUNDINGS = """
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Site:
    plain_port: int
    tls_port: int
    folder: Path

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        trusting = ssl.create_default_context(cafile=str(self.folder / "etc" / "certificate.pem"))
        return ask(
            http.client.HTTPSConnection("localhost", self.tls_port, timeout=30, context=trusting), path, headers, method
        )

    def reload_with(self, there: str, here: str) -> None:
        """Change the site's file and have the nginx that runs read it."""
        site = self.folder / "site.conf"
        text = site.read_text()
        assert there in text
        site.write_text(text.replace(there, here))
        subprocess.run([*nginx_command(self.folder), "-s", "reload"], check=True)

    def get_plain(self, path: str) -> Answer:
        return ask(http.client.HTTPConnection("localhost", self.plain_port, timeout=30), path, None, "GET")


def ask(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str] | None, method: str) -> Answer:
    try:
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


class Page(BaseHTTPRequestHandler):
    """Stands for Dagster's page: answers with the path and the headers that reached it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket" and self.headers.get("Connection", "").lower() == "upgrade":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.wfile.write(self.rfile.readline())
            self.close_connection = True
            return
        body = json.dumps({"path": self.path} | {name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def configure(folder: Path, plain_port: int, tls_port: int, page_port: int) -> None:
    """Write the site with the places of this test instead of the server's, and what surrounds it."""
    etc, outputs = folder / "etc", folder / "outputs"
    etc.mkdir()
    (outputs / "第一课").mkdir(parents=True)
    (outputs / "第一课" / "老师.mp4").write_bytes(b"clip")
    (outputs / "第一课" / ".writing-0.mp4").write_bytes(b"half")
    run_openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        etc / "key.pem",
        "-out",
        etc / "certificate.pem",
    )
    hashed = run_openssl("passwd", "-apr1", PASSWORD)
    (etc / "passwords").write_text(f"{NAME}:{hashed}")
    (etc / "known.conf").write_text(f'map "" $heygem_known {{ default {SECRET}; }}\n')
    site = (DEPLOY / "nginx.conf").read_text()
    for there, here in {
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen 443 ssl;": f"listen 127.0.0.1:{tls_port} ssl;",
        "/etc/nginx/heygem/": f"{etc}/",
        "/var/lib/heygem/outputs/": f"{outputs}/",
        "127.0.0.1:3000": f"127.0.0.1:{page_port}",
        "127.0.0.1:7860": f"127.0.0.1:{page_port}",
    }.items():
        assert there in site
        site = site.replace(there, here)
    (folder / "site.conf").write_text(site)
    # As root, nginx would work as another user, who cannot read pytest's folders.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(SURROUNDINGS.format(folder=folder, user=user))


def nginx_command(folder: Path) -> list[str]:
    assert NGINX is not None
    return [NGINX, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def run_openssl(*arguments: str | Path) -> str:
    assert OPENSSL is not None
    return subprocess.run([OPENSSL, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The site in a real nginx with an empty memory of who asked how often."""
    page = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    plain_port, tls_port = free_port(), free_port()
    configure(tmp_path, plain_port, tls_port, page.server_port)
    tried = subprocess.run([*nginx_command(tmp_path), "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0 and "[warn]" not in tried.stderr, tried.stderr
    nginx = subprocess.Popen(nginx_command(tmp_path))
    try:
        wait_for(tls_port, nginx)
        yield Site(plain_port, tls_port, tmp_path)
    finally:
        nginx.terminate()
        nginx.wait(20)
        page.shutdown()
        page.server_close()


def wait_for(port: int, nginx: subprocess.Popen[bytes]) -> None:
    deadline = monotonic() + 30
    while True:
        assert nginx.poll() is None and monotonic() < deadline
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            sleep(0.1)


@pytest.mark.parametrize("path", ["/", "/graphql", "/runs", "/outputs/", f"/outputs/{quote('第一课/老师.mp4')}"])
def test_strangers_and_wrong_passwords_are_refused_everywhere(site: Site, path: str) -> None:
    for headers in ({}, WRONG, {"Cookie": f"heygem_known={SECRET}"}):
        answer = site.get(path, headers)
        assert answer.status == 401
        assert "www-authenticate" in answer.headers
        assert "set-cookie" not in answer.headers
        assert b"path" not in answer.body and b"clip" not in answer.body


def test_the_right_password_gets_in_and_goes_no_further_than_nginx(site: Site) -> None:
    answer = site.get("/runs?tag=1", RIGHT)
    assert answer.status == 200
    reached = json.loads(answer.body)
    assert reached["path"] == "/runs?tag=1"
    assert (reached["x-forwarded-proto"], reached["host"]) == ("https", "localhost")
    assert "authorization" not in reached


def test_plain_http_is_sent_to_https(site: Site) -> None:
    answer = site.get_plain("/runs?tag=1")
    assert (answer.status, answer.headers["location"]) == (308, "https://localhost/runs?tag=1")


def test_websockets_pass_in_both_directions(site: Site) -> None:
    trusting = ssl.create_default_context(cafile=str(site.folder / "etc" / "certificate.pem"))
    with (
        socket.create_connection(("localhost", site.tls_port), timeout=30) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        request = ["GET /graphql HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"]
        tls.sendall("\r\n".join([*request, f"Authorization: {RIGHT['Authorization']}", "", ""]).encode())
        with tls.makefile("rb") as answer:
            assert answer.readline().split()[1] == b"101"
            while answer.readline() != b"\r\n":
                pass
            tls.sendall(b"subscribe\n")
            assert answer.readline() == b"subscribe\n"


def test_answers_carry_the_security_headers(site: Site) -> None:
    for headers in (RIGHT, {}):
        answer = site.get("/", headers).headers
        assert answer["strict-transport-security"].startswith("max-age=")
        assert answer["x-content-type-options"] == "nosniff"
        assert answer["x-frame-options"] == "SAMEORIGIN"
        assert answer["server"] == "nginx"


def test_guessing_is_slowed_down_and_whoever_is_known_is_not(site: Site) -> None:
    known = {"Cookie": site.get("/", RIGHT).headers["set-cookie"].partition(";")[0]}
    started = monotonic()
    for guesses in (WRONG, RIGHT, {"Cookie": "heygem_known=made-up"} | RIGHT):
        with ThreadPoolExecutor(20) as guessers:
            statuses = list(guessers.map(lambda headers: site.get("/", headers).status, [guesses] * 40))
        assert 429 in statuses
        assert len(statuses) - statuses.count(429) <= 21 + monotonic() - started, "20 at once, then one a second"
    assert [site.get("/", RIGHT | known).status for _ in range(50)] == [200] * 50


def test_other_sites_cannot_act_with_a_remembered_password(site: Site) -> None:
    known = RIGHT | {"Cookie": f"heygem_known={SECRET}"}
    for said in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
    ):
        foreign = known | said
        assert site.get("/graphql?query=mutation", foreign).status == 403
        assert site.get("/graphql", foreign, "POST").status == 403
        assert site.get("/report_asset_check/x", foreign, "POST").status == 403
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
        assert site.get("/elsewhere", foreign | upgrade).status == 403
        assert site.get("/runs", foreign).status == 200, "a link to the page works"
    own = f"https://localhost:{site.tls_port}"
    for said in ({}, {"Sec-Fetch-Site": "same-origin", "Origin": own}, {"Origin": own}):
        assert site.get("/graphql", known | said, "POST").status == 200


def test_a_redirect_before_the_password_hands_nothing_out(site: Site) -> None:
    for headers in ({}, WRONG):
        answer = site.get("/studio", headers)
        assert answer.status in (308, 401)
        assert "set-cookie" not in answer.headers


def test_the_studio_lies_below_its_path_and_is_told_who_asks(site: Site) -> None:
    reached = json.loads(site.get("/studio/api/shown?x=1", RIGHT | {"X-Remote-User": "somebody else"}).body)
    assert (reached["path"], reached["x-remote-user"]) == ("/api/shown?x=1", NAME)
    assert "authorization" not in reached
    assert site.get("/studio/", WRONG).status == 401
    known = RIGHT | {"Cookie": f"heygem_known={SECRET}"}
    assert site.get("/studio", known).headers["location"] == "https://localhost/studio/"
    assert site.get("/studio/api/x", known | {"Sec-Fetch-Site": "cross-site"}, "POST").status == 403


def test_people_take_their_clips_but_nothing_half_written(site: Site) -> None:
    known = RIGHT | {"Cookie": f"heygem_known={SECRET}"}
    assert "第一课" in site.get("/outputs/", known).body.decode()
    assert site.get(f"/outputs/{quote('第一课/老师.mp4')}", known).body == b"clip"
    assert site.get(f"/outputs/{quote('第一课/.writing-0.mp4')}", known).status == 404
    (site.folder / "outputs" / "link.mp4").symlink_to(site.folder / "etc" / "passwords")
    for path in (
        "/outputs/link.mp4",
        "/outputs/../etc/passwords",
        "/outputs../etc/passwords",
        "/outputs/..%2Fetc/passwords",
    ):
        assert NAME not in site.get(path, known).body.decode()


def test_the_page_may_lie_below_a_path(site: Site) -> None:
    known = RIGHT | {"Cookie": f"heygem_known={SECRET}"}
    site.reload_with("location / {\n        proxy_pass", "location /dagster/ {\n        proxy_pass")
    deadline = monotonic() + 30
    while site.get("/runs", known).status != 404:
        assert monotonic() < deadline
        sleep(0.2)
    assert json.loads(site.get("/dagster/runs", known).body)["path"] == "/dagster/runs"
    assert site.get("/dagster/runs").status == 401
