"""The process that ``heygem up`` starts for Dagster's daemon."""

from heygem_pipeline.garbage import collected_afterwards

if __name__ == "__main__":
    with collected_afterwards():
        from heygem_pipeline.runs.dagster_internals import daemon_command

        command = daemon_command()
    command()
