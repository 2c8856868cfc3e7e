PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEVELOPING := $(VENV)/.developing
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

# Where the environment forbids to write bytecode, every worker would rewrite each test's assertions anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup gpu demo test test-fast coverage up lint style types suite clean

setup: $(INSTALLED)

# Compiled here because pip leaves an editable package as it is: where bytecode is not written (in many containers),
# the process of every run would compile it anew.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) .
	$(BIN)/python -m compileall -q heygem_pipeline
	touch $@

$(DEVELOPING): $(INSTALLED)
	$(INSTALL) '.[dev]'
	touch $@

# PyTorch's wheels for Linux are built for CUDA; those of the optional engine and tracker need it.
gpu: setup
	$(INSTALL) '.[face_alignment,musetalk,wav2lip]'
	$(BIN)/python -c 'import torch; print("PyTorch", torch.__version__, "sees a GPU:", torch.cuda.is_available())'

demo: setup
	$(BIN)/heygem demo

# A thread for each process: several on the same cores mostly wait for each other. By file, so that what its tests share
# is made once, and those first that take longest. For two cores: of four files at the beginning, most wait for servers.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

# Pyright works while the tests wait for servers.
test: style
	$(MAKE) --no-print-directory --jobs 2 types suite

suite: $(DEVELOPING)
	$(PYTEST)

# What starts no server and takes no long time: for after every change.
test-fast: $(DEVELOPING)
	$(PYTEST) --numprocesses 3 -m "not server and not long"

# make test with a report of the lines that no test runs.
coverage: lint
	$(PYTEST) --cov --cov-report term:skip-covered

up: setup
	$(BIN)/heygem up

lint: style types

style: $(DEVELOPING)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(DEVELOPING)
	$(BIN)/pyright --pythonpath $(BIN)/python

clean:
	rm -rf $(VENV) *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage
