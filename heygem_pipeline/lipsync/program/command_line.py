"""A program that is started for each piece: no shell, a time limit, and its last words where it fails."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from heygem_pipeline.errors import ProgramFailed, ProgramMissing
from heygem_pipeline.lipsync.program import process_supervisor
from heygem_pipeline.lipsync.program.recipe import Command, Recipe, filled
from heygem_pipeline.lipsync.program.task import POLL_SECONDS, Task

LAST_BYTES, LONGEST_WORDS = 8192, 300


def require_installed(recipe: Recipe, command: Command) -> None:
    """Raise ProgramMissing where the program, its folder or a file that it needs is not there."""
    folder = command.folder
    if folder is not None and not folder.is_dir():
        raise ProgramMissing("program.no_folder", program=recipe.name, path=str(folder))
    if _found(command) is None:
        raise ProgramMissing("program.not_installed", program=recipe.name, path=command.program)
    for needed in command.needs:
        path = (folder or Path()) / needed
        if not path.exists():
            raise ProgramMissing("program.file_missing", program=recipe.name, path=str(path))


def run_command(task: Task, command: Command, places: Mapping[str, str]) -> Path:
    """Run the program and return its result. Raises ProgramFailed, and Unwanted of the task."""
    for name, text in command.files.items():
        path = Path(filled(name, places))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(filled(text, places), encoding="utf-8")
    log = task.work / "said.txt"
    program = _found(command)
    assert program is not None
    arguments = [filled(argument, places) for argument in command.arguments]
    added = {name: filled(value, places) for name, value in command.environment.items()}
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-I", str(process_supervisor.__file__), str(task.work), str(program), *arguments],
            cwd=command.folder or task.work,
            env={name: value for name, value in os.environ.items() if name not in OUR_VARIABLES} | added,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            process_group=0,
        )
        try:
            while (status := _status(process)) is None:
                task.require_time()
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
    if status:
        raise ProgramFailed("program.crashed", program=task.recipe.name, status=status, said=last_words(log))
    result = Path(filled(command.result, places))
    if not result.is_file():
        raise ProgramFailed("program.no_result", program=task.recipe.name, said=last_words(log))
    return result


OUR_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "OMP_NUM_THREADS")
"""Of the pipeline's own Python: another program's would be led astray by them."""


def last_words(log: Path) -> str:
    """The last line of what a program printed, as far as it can be shown."""
    with log.open("rb") as said:
        said.seek(max(0, log.stat().st_size - LAST_BYTES))
        lines = said.read().decode(errors="replace").replace("\r", "\n").split("\n")
    printable = ("".join(sign for sign in line if sign.isprintable()).strip() for line in lines)
    return next((line[-LONGEST_WORDS:] for line in reversed(list(printable)) if line), "-")


def _status(process: "subprocess.Popen[bytes]") -> int | None:
    try:
        return process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _found(command: Command) -> Path | None:
    name = command.program
    if "/" in name:
        path = (command.folder or Path()) / name
        return path if path.is_file() and os.access(path, os.X_OK) else None
    found = shutil.which(name)
    return Path(found) if found else None
