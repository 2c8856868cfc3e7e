"""What looks after a cluster's workers, as a process beside Dagster's daemon."""

from contextlib import suppress

from heygem_pipeline.operations.cluster_watch import watch
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import data_folders

if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        watch(data_folders(), settings())
