"""What Dagster loads."""

import dagster as dg

from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline.automation.jobs import JOBS

defs = dg.Definitions.merge(graph_definitions(), dg.Definitions(jobs=JOBS))
