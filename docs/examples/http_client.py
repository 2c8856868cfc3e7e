"""A client of the Studio's interface for programs, in one file and with nothing but Python.

    export HEYGEM_TOKEN=$(heygem token create my-program)
    python http_client.py http://127.0.0.1:7860 "Autumn" --voice lesson.wav --presenter anna.mp4 --into clips

It brings the files in, asks for a clip of every voice with every presenter, watches, and fetches the clips. Take it
as a beginning of your own: ``Client`` is all there is.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen
from uuid import uuid4

PIECE = 2**20
SECONDS = 60
TRIES = 5


class Refused(Exception):
    """What the Studio refuses. Decide by ``code``; the sentence is for people."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["detail"])
        self.code, self.status, self.values = problem["code"], problem["status"], problem["values"]


@dataclass(frozen=True)
class Client:
    """address: of the Studio, ``http://127.0.0.1:7860``. token: "" where none is needed. language: of sentences."""

    address: str
    token: str = ""
    language: str = "en"

    def bring_in(self, kind: str, file: Path) -> str:
        """Send a file; return its key. kind: ``voices`` or ``presenters``."""
        # The same key at every try: what arrived although its answer was lost arrives once.
        headers = {"Content-Length": str(file.stat().st_size), "Idempotency-Key": str(uuid4())}
        for left in reversed(range(TRIES)):
            try:
                with file.open("rb") as body:
                    return self._json("PUT", f"{kind}/{quote(file.name, safe='')}", body, headers)["key"]
            except URLError:
                if left == 0:
                    raise
        raise AssertionError

    def begin(self, title: str, voices: list[str], presenters: list[str], **more: str) -> dict[str, Any]:
        """Ask for a clip of every voice with every presenter. more: ``quality``, ``label``, ``engine``, ``webhook``."""
        wanted = {"title": title, "voices": voices, "presenters": presenters} | more
        return self._json("POST", "batches", wanted, {"Idempotency-Key": str(uuid4())})

    def standing(self, batch: str) -> dict[str, Any]:
        """Where a batch stands."""
        return self._json("GET", f"batches/{quote(batch, safe='')}")

    def watch(self, batch: str) -> Iterator[dict[str, Any]]:
        """Where it stands, whenever that changes, until it is finished."""
        while True:
            with self._ask("GET", f"batches/{quote(batch, safe='')}/events") as answer:
                event = ""
                for line in answer:
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name == "event":
                        event = value
                    elif name == "data" and event in ("batch", "finished"):
                        yield json.loads(value)
                    if name == "data" and event in ("finished", "gone"):
                        return

    def cancel(self, batch: str) -> dict[str, Any]:
        """Make none of its clips that are not finished."""
        return self._json("POST", f"batches/{quote(batch, safe='')}/cancel")

    def retry(self, batch: str) -> dict[str, Any]:
        """Try again what of it failed or was cancelled."""
        return self._json("POST", f"batches/{quote(batch, safe='')}/retry")

    def fetch_clip(self, voice: str, presenter: str, into: Path) -> Path:
        """Fetch a finished clip; what an earlier try left is gone on with."""
        path = into / f"{voice} - {presenter}.mp4"
        unfinished = path.with_name(path.name + ".part")
        address = f"clips/{quote(voice, safe='')}/{quote(presenter, safe='')}/file"
        into.mkdir(parents=True, exist_ok=True)
        there = unfinished.stat().st_size if unfinished.exists() else 0
        try:
            answer = self._ask("GET", address, headers={"Range": f"bytes={there}-"} if there else {})
        except HTTPError as error:
            if error.code != 416:
                raise
            answer, there = self._ask("GET", address), 0
        with answer, unfinished.open("ab" if answer.status == 206 else "wb") as file:
            while piece := answer.read(PIECE):
                file.write(piece)
        return unfinished.rename(path)

    def _json(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        if isinstance(body, dict):
            body, headers = json.dumps(body).encode(), (headers or {}) | {"Content-Type": "application/json"}
        with self._ask(method, path, body, headers) as answer:
            return json.load(answer)

    def _ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        said = {"Accept-Language": self.language} | (headers or {})
        if self.token:
            said["Authorization"] = f"Bearer {self.token}"
        request = Request(f"{self.address.rstrip('/')}/api/v1/{path}", body, said, method=method)
        try:
            return urlopen(request, timeout=SECONDS)
        except HTTPError as error:
            if error.headers.get_content_type() != "application/problem+json":
                raise
            raise Refused(json.load(error)) from error


def main() -> int:
    """Bring in, ask, watch, fetch; the exit status is 1 where a clip was not made."""
    parser = argparse.ArgumentParser(description="Make clips by the Studio's interface for programs.")
    parser.add_argument("address", help="of the Studio: http://127.0.0.1:7860")
    parser.add_argument("title", help="what the batch is called")
    parser.add_argument("--voice", type=Path, action="append", required=True)
    parser.add_argument("--presenter", type=Path, action="append", required=True)
    parser.add_argument("--quality", choices=("standard", "best", "small"), default="standard")
    parser.add_argument("--into", type=Path, default=Path("clips"), help="folder for the clips")
    wanted = parser.parse_args()
    client = Client(wanted.address, os.environ.get("HEYGEM_TOKEN", ""))
    try:
        voices = [client.bring_in("voices", file) for file in wanted.voice]
        presenters = [client.bring_in("presenters", file) for file in wanted.presenter]
        batch = client.begin(wanted.title, voices, presenters, quality=wanted.quality)
        name, clips = batch["name"], batch["clips"]
        for standing in client.watch(name):
            clips = standing["clips"]
            print(standing["counts"], file=sys.stderr)
        for clip in clips:
            if clip["state"] == "done":
                print(client.fetch_clip(clip["voice"], clip["presenter"], wanted.into))
            else:
                print(f"{clip['voice']} x {clip['presenter']}: {(clip['why'] or {}).get('sentence')}", file=sys.stderr)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0 if all(clip["state"] == "done" for clip in clips) else 1


if __name__ == "__main__":
    sys.exit(main())
