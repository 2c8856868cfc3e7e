"""Dagster's page, asked in the words in which a browser asks it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

LOCATION = {"repositoryLocationName": "heygem_pipeline.definitions", "repositoryName": "__repository__"}

LAUNCH = """mutation($run: ExecutionParams!) { launchRun(executionParams: $run) {
    __typename ... on LaunchRunSuccess { run { runId } } } }"""
REEXECUTE = """mutation($run: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $run) {
    __typename ... on LaunchRunSuccess { run { runId } } } }"""
BACKFILL = """mutation($backfill: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $backfill) {
    __typename ... on LaunchBackfillSuccess { backfillId } } }"""
BACKFILL_STATUS = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status } } }"""
CLIP_ASSET = """query($partition: String!) { assetNodeOrError(assetKey: {path: ["encoded_video"]}) { ... on AssetNode {
    partitionStats { numMaterialized numPartitions } latestRunForPartition(partition: $partition) { runId } } } }"""
TICK = "ticks(limit: 500) { timestamp endTimestamp status skipReason runIds error { message } }"
SENSOR_TICKS = f"""query($of: SensorSelector!) {{ sensorOrError(sensorSelector: $of) {{
    ... on Sensor {{ sensorState {{ {TICK} }} }} }} }}"""
SCHEDULE_TICKS = f"""query($of: ScheduleSelector!) {{ scheduleOrError(scheduleSelector: $of) {{
    ... on Schedule {{ scheduleState {{ {TICK} }} }} }} }}"""


@dataclass(frozen=True)
class Tick:
    """A look of a sensor or schedule, as the page lists it. begin: POSIX time. seconds: how long it took."""

    begin: float
    seconds: float | None
    status: str
    said: str
    run_ids: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """The page that listens on ``port`` of this machine."""

    port: int
    path_prefix: str = ""

    def ask(self, query: str, **variables: object) -> Any:
        """Return the one value the query asks for."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        address = f"http://127.0.0.1:{self.port}{self.path_prefix}/graphql"
        with urlopen(Request(address, body, {"content-type": "application/json"}), timeout=60) as answer:
            (value,) = json.load(answer)["data"].values()
        return value

    def launch_job(self, job: str) -> str:
        """Press "Launch Run" of a job."""
        return self._launch({"selector": LOCATION | {"jobName": job}, "runConfigData": {}})

    def materialize(self, assets: Sequence[str], partition: str) -> str:
        """Materialize one partition, which is a run."""
        selection = [{"path": [asset]} for asset in assets]
        selector = LOCATION | {"jobName": "__ASSET_JOB", "assetSelection": selection}
        tags = [{"key": "dagster/partition", "value": partition}]
        return self._launch({"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}})

    def _launch(self, run: Mapping[str, object]) -> str:
        answer = self.ask(LAUNCH, run=run)
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def reexecute_from_failure(self, run_id: str) -> str:
        """Press "Re-execute from failure" of a run."""
        answer = self.ask(REEXECUTE, run={"parentRunId": run_id, "strategy": "FROM_FAILURE"})
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def backfill(self, assets: Sequence[str], partitions: Sequence[str] | None = None) -> str:
        """Materialize many partitions of the assets; None: all of each."""
        chosen = {"allPartitions": True} if partitions is None else {"partitionNames": partitions}
        answer = self.ask(BACKFILL, backfill={"assetSelection": [{"path": [asset]} for asset in assets]} | chosen)
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return answer["backfillId"]

    def backfill_status(self, backfill_id: str) -> str:
        """REQUESTED while it goes on."""
        return self.ask(BACKFILL_STATUS, id=backfill_id)["status"]

    def clip_asset(self, partition: str) -> Any:
        """What is shown of finished clips, and of one of them."""
        return self.ask(CLIP_ASSET, partition=partition)

    def sensor_ticks(self, name: str) -> list[Tick]:
        """The looks of a sensor, the oldest first."""
        found = self.ask(SENSOR_TICKS, of=LOCATION | {"sensorName": name})
        return _ticks(found["sensorState"]["ticks"])

    def schedule_ticks(self, name: str) -> list[Tick]:
        """The times a schedule fired, the oldest first; none while the page does not know the schedule yet."""
        found = self.ask(SCHEDULE_TICKS, of=LOCATION | {"scheduleName": name})
        return _ticks(found["scheduleState"]["ticks"]) if found else []


def _ticks(found: Sequence[dict[str, Any]]) -> list[Tick]:
    ticks = []
    for tick in reversed(found):
        ended = tick["endTimestamp"]
        said = tick["error"]["message"] if tick["error"] else tick["skipReason"] or ""
        seconds = ended - tick["timestamp"] if ended else None
        ticks.append(Tick(tick["timestamp"], seconds, tick["status"], said, tuple(tick["runIds"])))
    return ticks
