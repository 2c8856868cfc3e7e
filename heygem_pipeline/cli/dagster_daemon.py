"""The process that ``heygem up`` starts for Dagster's daemon, or becomes."""

import os
import sys

from heygem_pipeline.garbage_collection import collected_afterwards

if __name__ == "__main__":
    with collected_afterwards():
        from heygem_pipeline.operations.servers import LOCK_PROCESS
        from heygem_pipeline.runs.controller_lock import ControllerLock
        from heygem_pipeline.runs.dagster_internals import daemon_command
        from heygem_pipeline.storage.paths import data_folders

        command = daemon_command()
    lock_process = os.environ.pop(LOCK_PROCESS, None)
    controller_lock = ControllerLock(data_folders(), int(lock_process)) if lock_process else None
    try:
        command()
    finally:
        if controller_lock is not None and controller_lock.lost is not None:
            sys.exit(str(controller_lock.lost))
