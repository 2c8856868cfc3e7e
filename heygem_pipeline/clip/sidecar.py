"""The file beside a presenter that says how this one is handled: ``anna.yaml`` for ``anna.mp4``."""

import errno
from pathlib import Path

import yaml

from heygem_pipeline.errors import SidecarWrong
from heygem_pipeline.faces.tracker_registry import TRACKERS


def sidecar_of(upload: Path) -> Path:
    """Where the sidecar of an upload lies, if it has one."""
    return upload.with_suffix(".yaml")


def chosen_tracker(upload: Path, usual: str) -> str:
    """Name of the tracker for a presenter: its sidecar's, else the usual one. Raises SidecarWrong."""
    return _read(sidecar_of(upload)).get("tracker", usual)


def _read(path: Path) -> dict[str, str]:
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return {}
        raise SidecarWrong("sidecar.no_yaml", file=path.name) from error
    except (ValueError, yaml.YAMLError) as error:
        raise SidecarWrong("sidecar.no_yaml", file=path.name) from error
    if written is None:
        return {}
    if not isinstance(written, dict) or written.keys() - {"tracker"}:
        raise SidecarWrong("sidecar.other_key", file=path.name)
    if not isinstance(written["tracker"], str) or written["tracker"] not in TRACKERS:
        names = ", ".join(sorted(TRACKERS))
        raise SidecarWrong("sidecar.unknown_tracker", file=path.name, tracker=repr(written["tracker"]), known=names)
    return written
