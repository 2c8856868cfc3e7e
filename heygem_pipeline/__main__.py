"""``python -m heygem_pipeline``: the command ``heygem``."""

from heygem_pipeline.cli.main import main

if __name__ == "__main__":
    main()
