"""The command ``heygem``, called here or in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from heygem_pipeline.cli.main import app
from heygem_pipeline.settings import settings

PROGRAM = [
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'heygem'; from heygem_pipeline.cli.main import main; main()",
]


def heygem(*arguments: str | Path, **environment: str) -> Result:
    """Call the command in this process, with settings read anew."""
    settings.cache_clear()
    try:
        return CliRunner().invoke(app, list(map(str, arguments)), env=environment)
    finally:
        settings.cache_clear()


def heygem_process(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a shell does: with what libraries print, and with Python's own ending."""
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env=os.environ | environment
    )
