"""What Dagster loads."""

import dagster as dg

from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline.automation.jobs import JOBS
from heygem_pipeline.automation.watch import uploads

defs = dg.Definitions.merge(graph_definitions(), dg.Definitions(jobs=JOBS, sensors=[uploads]))
