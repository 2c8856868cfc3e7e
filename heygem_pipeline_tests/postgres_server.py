"""A real PostgreSQL on this machine's loopback, with a password, for as long as a block lasts."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep

import psutil
import pytest
import sqlalchemy as db
from sqlalchemy.exc import OperationalError

from heygem_pipeline_tests.certificates import Certificate, make_certificate

PROGRAMS = Path("/usr/lib/postgresql")
USER = "heygem"
PATIENCE = 60.0
"""Seconds."""


@dataclass
class PostgresServer:
    """One that listens on ``port`` and keeps what it holds in ``folder``."""

    command: list[str]
    port: int
    folder: Path
    password: str
    certificate: Certificate | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it takes connections; also again, with what it held."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)
        deadline = monotonic() + PATIENCE
        while True:
            try:
                engine_of(self.address("postgres")).connect().close()
                return
            except OperationalError:
                assert self.process.poll() is None and monotonic() < deadline, (self.folder / "log").read_text()
                sleep(0.1)

    def kill(self) -> None:
        """All its processes at one moment, whoever is connected, as by a power cut."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGSTOP)
        children = psutil.Process(self.process.pid).children(recursive=True)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        self.process.kill()
        self.process.wait()
        assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []

    def stop(self) -> None:
        """At once, whoever is connected."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()

    def address(self, database: str) -> str:
        """As people write it in HEYGEM_DATABASE."""
        tls = f"?sslmode=verify-full&sslrootcert={self.certificate.authority}" if self.certificate else ""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}{tls}"

    def create(self, database: str, template: str = "template0") -> str:
        """A new database like ``template``; returns its address."""
        self._run(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.address(database)

    def _run(self, statement: str) -> None:
        engine = engine_of(self.address("postgres"))
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)


def engine_of(address: str) -> db.Engine:
    """Holds no connection open."""
    return db.create_engine(db.make_url(address).set(drivername="postgresql+psycopg2"), poolclass=db.NullPool)


@contextmanager
def postgres_server(port: int, encrypted: Path | None = None) -> Iterator[PostgresServer]:
    """Start one with an empty folder; skips the test where PostgreSQL is not installed.

    Args:
        encrypted: a folder for certificates, where it takes no connection without TLS.
    """
    pytest.importorskip("dagster_postgres", reason="the extra cluster is not installed")
    programs = sorted(PROGRAMS.glob("*/bin/initdb"))
    if not programs:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no setpriv to become another user")
    # PostgreSQL's own user must reach it, so it lies in no folder of root's.
    folder = Path(mkdtemp(prefix="heygem-postgres-", dir="/tmp"))
    certificate = make_certificate(encrypted) if encrypted is not None else None
    own = [shutil.copy2(path, folder) for path in (certificate.certificate, certificate.key)] if certificate else []
    password = secrets.token_hex(8)
    (folder / "password").write_text(password)
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        for path in (folder, folder / "password", *own):
            shutil.chown(path, "postgres", "postgres")
    data, program = folder / "data", programs[-1]
    initialise = [program, "-D", data, "-U", USER, "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "-N"]
    serve = [str(program.with_name("postgres")), "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    quick = ["-c", "fsync=off", "-c", f"unix_socket_directories={folder}", "-c", "max_connections=200"]
    if own:
        quick += ["-c", "ssl=on", "-c", f"ssl_cert_file={own[0]}", "-c", f"ssl_key_file={own[1]}"]
    try:
        done = subprocess.run([*as_user, *initialise], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        if own:
            (data / "pg_hba.conf").write_text(f"hostssl all {USER} 127.0.0.1/32 scram-sha-256\n")
        server = PostgresServer([*as_user, *serve, *quick], port, folder, password, certificate)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
