"""The whole graph: its assets, where their values lie, and how steps run."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from heygem_pipeline.assets.io_managers import IO_MANAGERS
from heygem_pipeline.assets.specifications import DefaultSpecifications, SpecificationSource
from heygem_pipeline.assets.step_progress import NoDisplay, ProgressDisplay


@cache
def discovered() -> dg.Definitions:
    """What the modules of this folder define, ``dg scaffold`` among those who write them; each leads to its code."""
    tree = dg.ComponentTree.for_project(Path(__file__).parent)
    # Without the place, it also describes the components of every package installed: 0.25 s in every run's process.
    found = tree.build_defs(tree.defs_module_path)
    written = [asset for asset in found.assets or () if isinstance(asset, dg.AssetsDefinition)]
    metadata: dict[dg.AssetKey, Mapping[str, Any]] = {}
    for asset in dg.with_source_code_references(written):
        assert isinstance(asset, dg.AssetsDefinition)
        metadata |= asset.metadata_by_key
    return found.map_asset_specs(func=lambda asset: asset.merge_attributes(metadata=metadata.get(asset.key, {})))


def graph_definitions(
    display: ProgressDisplay | None = None, specifications: SpecificationSource | None = None
) -> dg.Definitions:
    """The graph, with a display of progress where somebody watches, and with specifications where there are some.

    Steps run inside the run's own process: when it is killed, nothing goes on holding the GPU, and a clip costs one
    process instead of three.
    """
    resources = {
        **IO_MANAGERS,
        "display": display or NoDisplay(),
        "specifications": specifications or DefaultSpecifications(),
    }
    return dg.Definitions.merge(discovered(), dg.Definitions(resources=resources, executor=dg.in_process_executor))
