# Everything here works on a machine with Python 3.11, make and the package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo test milvus-test server-test lint format trial clean

help:
	@echo "make demo    draw a town, index it, localize photos of a second pass, write landfall-demo/report.html"
	@echo "make test    the tests"
	@echo "make milvus-test  the tests of indexes in Milvus, embedded; installs 270 MB more"
	@echo "make server-test  the same against a server that is killed; 400 MB more, thrown away afterwards"
	@echo "make lint    ruff, mypy, import-linter"
	@echo "make format  let ruff format and mend what it can"
	@echo "make trial   the long checks on real data; LANDFALL_TRIAL_DATA names the folder"
	@echo "make clean   remove the environment and caches"

# A pip that was cut off leaves no stamp, so the next make installs again.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Landfall needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Say which: make PYTHON=python3.11 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing Landfall into $(VENV) (about a minute)" >&2
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing Landfall and its test tools into $(VENV) (about a minute)" >&2
	$(PIP) -e ".[dev,train,serve]"
	@touch $@ $(VENV)/.core

demo: $(VENV)/.core
	$(BIN)/landfall demo --out landfall-demo

# Two workers with one thread each beat one worker with two on small tensors.
test: $(VENV)/.dev
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest -n 2 --dist=loadgroup -m "not trial and not server" $(ARGS)

$(VENV)/.milvus: $(VENV)/.dev
	$(PIP) -e ".[dev,train,serve,milvus]"
	@touch $@

milvus-test: $(VENV)/.milvus
	OMP_NUM_THREADS=1 $(BIN)/pytest tests/index/milvus tests/contracts/test_index_kinds.py tests/cli/test_milvus.py \
	  tests/localization/calibration/test_milvus.py -m "not server" $(ARGS)

# In a network of its own, for the server is open to all that see it.
server-test: $(VENV)/.milvus
	OMP_NUM_THREADS=1 benchmarks/with_milvus.sh $(BIN)/pytest -m server $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

trial: $(VENV)/.dev
	@test -d "$$LANDFALL_TRIAL_DATA" || { echo "Set LANDFALL_TRIAL_DATA to the folder of real data" >&2; exit 2; }
	OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest -m trial -s $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
