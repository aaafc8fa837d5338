# `make demo` and `make test` need only Python 3.11+ and make; they set up .venv themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-nest test-neurobench lint format bench bench-synapses bench-nest bench-populations bench-mujoco bench-td3 bench-seeds bench-local bench-replay docs setup dev clean

demo: setup
	$(BIN)/spikeloop run cartpole

test: dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-nest: $(VENV)/.nest
	$(BIN)/python -m pytest -k "against_nest or test_snippet_runs"

test-neurobench: dev
	bash benchmarks/setup_peer.sh
	$(BIN)/python -m pytest -k against_neurobench -rs

lint: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --project pyproject.toml --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python tests/file_lengths.py

format: dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	bash benchmarks/setup_peer.sh
	$(BIN)/python benchmarks/bench.py

bench-synapses: setup
	$(BIN)/python benchmarks/bench_synapses.py

bench-nest: $(VENV)/.nest
	$(BIN)/python benchmarks/bench_nest.py

bench-populations: setup
	$(BIN)/python benchmarks/bench_populations.py

bench-mujoco: dev
	$(BIN)/python benchmarks/bench_mujoco.py

bench-local: setup
	bash benchmarks/setup_peer.sh
	$(BIN)/python benchmarks/bench_local.py

bench-td3: setup
	bash benchmarks/setup_peer.sh
	$(BIN)/python benchmarks/bench_td3.py

bench-seeds: setup
	$(BIN)/python benchmarks/bench_seeds.py

bench-replay: $(VENV)/.dev
	bash benchmarks/setup_replay.sh
	$(BIN)/python benchmarks/replay_nir.py

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

setup: $(VENV)/.setup
dev: $(VENV)/.dev

$(VENV)/.setup: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

$(VENV)/.nest: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[nest]'
	touch $@

$(VENV)/.docs: $(VENV)/.setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) .bench-venv site build dist
