"""The systemd units of deploy/, as systemd itself reads them."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heygem_pipeline_tests.deploy.conftest import DEPLOY

SERVICES = sorted(DEPLOY.glob("*.service"))
WORKERS = sorted((DEPLOY / "cluster").glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """Copies whose program exists here; nothing else is changed."""
    copies = []
    for unit in sorted([*SERVICES, *WORKERS, *DEPLOY.glob("*.target")]):
        copies.append(tmp_path / unit.name)
        copies[-1].write_text(unit.read_text().replace("/opt/heygem/.venv/bin/heygem", sys.executable))
    return copies


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed (Debian: apt install systemd)")
def test_systemd_accepts_the_units(units: list[Path]) -> None:
    assert ANALYZE is not None and len(units) == 6
    environment = os.environ | {"SYSTEMD_UNIT_PATH": f"{units[0].parent}:"}
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", *map(str, units)], capture_output=True, text=True, check=False, env=environment
    )
    complaints = [line for line in done.stderr.splitlines() if "heygem" in line]
    assert (done.returncode, complaints) == (0, [])


@pytest.mark.parametrize("path", [*SERVICES, *WORKERS], ids=lambda path: path.name)
def test_all_services_share_what_they_must(path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    unit.read(path)
    service = unit["Service"]
    assert service["User"] == "heygem"
    # A worker is asked to stop alone, and lets its run end.
    ends = ("always", "mixed") if path in WORKERS else ("on-failure", "control-group")
    assert (service["Restart"], service["KillMode"]) == ends
    for option in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "ProtectKernelTunables", "RestrictSUIDSGID"):
        assert service[option] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert 0 < int(service["MemoryMax"].rstrip("%")) <= 80 and int(service["TasksMax"]) <= 4096
    # A worker's data folder is the controller's, which no service of this machine may make.
    folder = service["ReadWritePaths"] if path in WORKERS else f"/var/lib/{service['StateDirectory']}"
    assert f"HEYGEM_DATA={folder}" in path.read_text()
