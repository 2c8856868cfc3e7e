"""``python -m heygem_pipeline.studio HOST PORT``: how ``heygem up`` starts the page."""

import sys

from heygem_pipeline.studio.server import run_studio
from heygem_pipeline.terminal import sentences

if __name__ == "__main__":
    with sentences():
        run_studio(sys.argv[1], int(sys.argv[2]))
