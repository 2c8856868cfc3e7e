"""The graph: thin assets that read their inputs, call one function of a room, and say what came out."""

import warnings

import dagster as dg

# Data versions are beta and partitioned asset checks a preview: that is why Dagster is pinned, not news for every log.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
