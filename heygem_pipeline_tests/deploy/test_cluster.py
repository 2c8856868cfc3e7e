"""The files of a cluster."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
OF_CLUSTERS = {"storage"}
"""What a cluster's dagster.yaml says differently."""


def read(path: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_a_cluster_differs_from_one_machine_only_where_it_must() -> None:
    machine, cluster = read("dagster.yaml"), read("deploy/cluster/dagster.yaml")
    assert {name for name in machine.keys() | cluster.keys() if machine.get(name) != cluster.get(name)} == OF_CLUSTERS
    assert read("workspace.yaml") == read("deploy/cluster/workspace.yaml")
