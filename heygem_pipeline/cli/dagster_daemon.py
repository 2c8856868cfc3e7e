"""The process that ``heygem up`` starts for Dagster's daemon, or becomes."""

import os
import sys

from heygem_pipeline.garbage import collected_afterwards

if __name__ == "__main__":
    with collected_afterwards():
        from heygem_pipeline.operations.servers import LOCK_KEEPER
        from heygem_pipeline.runs.controller_lock import Keeper
        from heygem_pipeline.runs.dagster_internals import daemon_command
        from heygem_pipeline.storage.folders import data_folders

        command = daemon_command()
    keeper = os.environ.pop(LOCK_KEEPER, None)
    looked_after = Keeper(data_folders(), int(keeper)) if keeper else None
    try:
        command()
    finally:
        if looked_after is not None and looked_after.lost is not None:
            sys.exit(str(looked_after.lost))
