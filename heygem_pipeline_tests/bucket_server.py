"""A real server that speaks S3 on this machine's loopback, for as long as a block lasts."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

import pytest

from heygem_pipeline.storage import bucket_files

PATIENCE = 60.0
"""Seconds."""

KEYS = {"AWS_ACCESS_KEY_ID": "heygem", "AWS_SECRET_ACCESS_KEY": "not secret", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class BucketServer:
    """One that listens on ``port``."""

    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What the programs that use it need."""
        return KEYS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}

    def create(self, bucket: str) -> str:
        """A new bucket; returns its address."""
        name = bucket.replace("_", "-").lower()
        self.client.create_bucket(Bucket=name)
        return f"s3://{name}"

    def use(self, bucket: str, patch: pytest.MonkeyPatch, environment: dict[str, str] | None = None) -> None:
        """Have what is made from here on keep its files there.

        Args:
            environment: default, of the server itself.
        """
        for name, value in (environment or self.environment).items():
            patch.setenv(name, value)
        patch.setenv("HEYGEM_BUCKET", bucket)
        # A process speaks to one server for as long as it lives; that of the tests to several.
        bucket_files._client_of.cache_clear()

    def keys(self, bucket: str) -> list[str]:
        """Of all its objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    @property
    def client(self) -> Any:
        import boto3

        names = {"aws_access_key_id": "AWS_ACCESS_KEY_ID", "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY"}
        secrets = {name: KEYS[variable] for name, variable in names.items()}
        address = self.environment["AWS_ENDPOINT_URL"]
        return boto3.client("s3", endpoint_url=address, region_name=KEYS["AWS_DEFAULT_REGION"], **secrets)


WAY = """
import asyncio, sys
async def carry(source, sink):
    while piece := await source.read(65536):
        sink.write(piece)
        await sink.drain()
    sink.close()
async def lead(reader, writer):
    there, back = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    await asyncio.gather(carry(reader, back), carry(there, writer), return_exceptions=True)
async def main():
    server = await asyncio.start_server(lead, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""


class WayToBucket:
    """What leads to a server from another port: when it is killed, the server is gone for all who went by it."""

    def __init__(self, port: int, server: BucketServer) -> None:
        self.port, self.server = port, server
        self._command = [sys.executable, "-c", WAY, str(port), str(server.port)]
        self.start()

    def start(self) -> None:
        """Also again."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """Every connection breaks."""
        self._process.kill()
        self._process.wait()


@contextmanager
def bucket_server(port: int) -> Iterator[BucketServer]:
    """Start one that keeps its objects in memory; skips the test where moto is not installed."""
    pytest.importorskip("boto3", reason="boto3 is not installed (make test does)")
    pytest.importorskip("moto", reason="moto is not installed (make test does)")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        server = BucketServer(port)
        _wait_for(server, process)
        yield server
    finally:
        process.kill()
        process.wait()


def _wait_for(server: BucketServer, process: subprocess.Popen[bytes]) -> None:
    from botocore.exceptions import BotoCoreError

    deadline = monotonic() + PATIENCE
    while True:
        assert process.poll() is None and monotonic() < deadline
        try:
            server.client.list_buckets()
            return
        except BotoCoreError:
            sleep(0.2)
