"""The systemd units of deploy/, as systemd itself reads them."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heygem_pipeline_tests.deploy.conftest import DEPLOY
from heygem_pipeline_tests.served import start, wait_for_page

SERVICES = sorted(DEPLOY.glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """Copies whose program exists here; nothing else is changed."""
    copies = []
    for unit in sorted([*SERVICES, *DEPLOY.glob("*.target")]):
        copies.append(tmp_path / unit.name)
        copies[-1].write_text(unit.read_text().replace("/opt/heygem/.venv/bin/heygem", sys.executable))
    return copies


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed (Debian: apt install systemd)")
def test_systemd_accepts_the_units(units: list[Path]) -> None:
    assert ANALYZE is not None and len(units) == 4
    environment = os.environ | {"SYSTEMD_UNIT_PATH": f"{units[0].parent}:"}
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", *map(str, units)], capture_output=True, text=True, check=False, env=environment
    )
    complaints = [line for line in done.stderr.splitlines() if "heygem" in line]
    assert (done.returncode, complaints) == (0, [])


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_all_services_share_what_they_must(path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    unit.read(path)
    service = unit["Service"]
    assert service["User"] == "heygem"
    assert (service["Restart"], service["KillMode"]) == ("on-failure", "control-group")
    for option in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "ProtectKernelTunables", "RestrictSUIDSGID"):
        assert service[option] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert f"HEYGEM_DATA=/var/lib/{service['StateDirectory']}" in path.read_text()


@pytest.mark.server
def test_a_page_that_is_told_nothing_listens_on_this_machine_only(data: object, port: int, tmp_path: Path) -> None:
    import psutil

    up = start(port, tmp_path / "up.log")
    try:
        wait_for_page(port, up)
        processes = [psutil.Process(up.pid), *psutil.Process(up.pid).children(recursive=True)]
        listening = [
            connection.laddr.ip
            for process in processes
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening == ["127.0.0.1"]
    finally:
        up.terminate()
        up.wait(60)
