"""What the programs within a run print, as a cluster keeps it: in the data folder, or in the bucket if it has one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dagster import StringSource

from heygem_pipeline.runs.dagster_internals import ConfigurableClassData, LocalComputeLogManager
from heygem_pipeline.storage.bucket_files import OTHERS

if TYPE_CHECKING:
    from dagster_aws.s3.compute_log_manager import S3ComputeLogManager


class ComputeLogs(LocalComputeLogManager):
    """Named by the cluster's ``dagster.yaml``, whose ``bucket`` is empty where there is none."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """As Dagster's own, and the bucket."""
        return {"base_dir": StringSource, "bucket": StringSource}

    @classmethod
    def from_config_value(  # pyright: ignore[reportIncompatibleMethodOverride] - another one takes its place
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> "LocalComputeLogManager | S3ComputeLogManager":
        """Dagster's own of the one kind or the other."""
        address = urlsplit(config_value["bucket"])
        if not address.netloc:
            return LocalComputeLogManager(config_value["base_dir"], inst_data=inst_data)
        from dagster_aws.s3.compute_log_manager import S3ComputeLogManager

        prefix = "/".join(part for part in (address.path.strip("/"), OTHERS) if part)
        return S3ComputeLogManager(
            address.netloc,
            config_value["base_dir"],
            inst_data,
            prefix,
            skip_empty_files=True,
        )
