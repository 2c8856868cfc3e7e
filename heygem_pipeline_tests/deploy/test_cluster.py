"""The files of a cluster."""

from pathlib import Path
from typing import Any

import yaml

from heygem_pipeline.runs.cluster_queues import Queue
from heygem_pipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
OF_CLUSTERS = {
    "compute_logs",
    "storage",
    "run_launcher",
    "run_coordinator",
    "run_queue",
    "concurrency",
    "run_monitoring",
}
"""What a cluster's dagster.yaml says differently."""


def read(path: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_with_postgresql_alone_only_the_storage_is_another() -> None:
    machine, postgres = read("dagster.yaml"), read("deploy/postgres/dagster.yaml")
    assert {name for name in machine.keys() | postgres.keys() if machine.get(name) != postgres.get(name)} == {"storage"}
    assert read("workspace.yaml") == read("deploy/postgres/workspace.yaml")


def test_a_cluster_differs_from_one_machine_only_where_it_must() -> None:
    machine, cluster = read("dagster.yaml"), read("deploy/cluster/dagster.yaml")
    assert {name for name in machine.keys() | cluster.keys() if machine.get(name) != cluster.get(name)} == OF_CLUSTERS
    assert read("workspace.yaml") == read("deploy/cluster/workspace.yaml")


def test_the_containers_know_only_settings_that_there_are() -> None:
    services = read("deploy/cluster/compose.yaml")["services"]
    ours = {name: service for name, service in services.items() if service.get("image") == "heygem-pipeline"}
    assert {tuple(service["command"])[:3] for service in ours.values()} == {
        ("up", "--host", "0.0.0.0"),
        *(("worker", "--queue", queue.value) for queue in Queue),
    }
    named = {name.removeprefix("HEYGEM_").lower() for service in ours.values() for name in service["environment"]}
    assert named == {"data", "database", "broker", "bucket"} and named <= set(Settings.model_fields)
