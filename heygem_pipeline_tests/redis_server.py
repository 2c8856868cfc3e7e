"""A real Redis on this machine's loopback, with a password, for as long as a block lasts."""

import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import pytest

from heygem_pipeline_tests.certificates import Certificate, make_certificate

PATIENCE = 30.0
"""Seconds."""


@dataclass
class RedisServer:
    """One that listens on ``port`` and keeps what it holds in ``folder``, as the cluster's documentation asks for."""

    program: str
    port: int
    folder: Path
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    process: subprocess.Popen[bytes] | None = None
    certificate: Certificate | None = None

    @property
    def address(self) -> str:
        """As people write it in HEYGEM_BROKER."""
        if self.certificate is not None:
            tls = f"ssl_cert_reqs=required&ssl_ca_certs={self.certificate.authority}"
            return f"rediss://:{self.password}@127.0.0.1:{self.port}/0?{tls}"
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it takes connections."""
        options = {"--bind": "127.0.0.1", "--port": str(self.port), "--requirepass": self.password, "--save": ""}
        options |= {"--dir": str(self.folder), "--appendonly": "yes"}
        if self.certificate is not None:
            options |= {"--port": "0", "--tls-port": str(self.port), "--tls-auth-clients": "no"}
            options |= {
                "--tls-cert-file": str(self.certificate.certificate),
                "--tls-key-file": str(self.certificate.key),
            }
            options["--tls-ca-cert-file"] = str(self.certificate.authority)
        command = [self.program, *(part for option in options.items() for part in option)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert monotonic() < deadline
                sleep(0.1)

    def kill(self) -> None:
        """At once, whoever is connected."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def redis_server(port: int, folder: Path, encrypted: bool = False) -> Iterator[RedisServer]:
    """Start one; skips the test where Redis is not installed.

    Args:
        encrypted: it takes no connection without TLS; the certificates lie in its folder.
    """
    pytest.importorskip("dagster_celery", reason="the extra cluster is not installed")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed (apt install redis-server)")
    server = RedisServer(program, port, folder)
    if encrypted:
        server.certificate = make_certificate(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
