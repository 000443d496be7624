# make study     run the example study at reduced size
# make test      lint, types, room rules and the quick tests
# make test-all  the same with the slow tests
# make bench     benchmarks (installs the extra `bench`)
# make lint      lint, types and room rules only
# make env       only set up the environment
# make clean     remove the virtual environment and everything generated
#
# Each sets up what it needs. In an activated conda environment with NEST (environment.yml) that
# environment is used; anywhere else a virtual environment is made from PyPI.
#   VENV=path      put (or find) the virtual environment there
#   PYTHON=python  make the virtual environment with this Python

PYTHON ?= python3
# Fits five minutes on two cores, the installation included. The study in full: STUDY_ARGS=
STUDY_ARGS ?= --axis device.on_off_ratio=5,7,10,20,50,inf --seeds 1-6
PYTEST_ARGS ?=

ifndef VENV
ifdef CONDA_PREFIX
CONDA_NEST := $(shell "$(CONDA_PREFIX)/bin/python" -c "import importlib.util as u; print(u.find_spec('nest') and 'yes' or '')" 2>/dev/null)
endif
VENV := .venv
endif

ifeq ($(CONDA_NEST),yes)
ENV := $(CONDA_PREFIX)
# Without --no-deps pip would put PyPI's NEST over conda's, which it does not see.
INSTALL = "$(BIN)/python" -m pip install --quiet --no-deps -e .
else
ENV := $(VENV)
INSTALL = "$(PYTHON)" -m venv "$(ENV)" && "$(BIN)/python" -m pip install --quiet -e '.[test]'
endif

BIN := $(ENV)/bin
STAMP := $(ENV)/.cosim-installed
BENCH_STAMP := $(ENV)/.cosim-bench-installed

.PHONY: study test test-all bench lint env extension clean

study: extension
	@"$(BIN)/python" studies/chip_sequence_learning.py $(STUDY_ARGS)

test: lint extension
	@"$(BIN)/python" -m pytest -q -n 2 -m "not slow" $(PYTEST_ARGS)

test-all: lint extension
	@"$(BIN)/python" -m pytest -q -n 2 $(PYTEST_ARGS)

bench: extension $(BENCH_STAMP)
	@"$(BIN)/python" benchmarks/run.py

lint: env
	@"$(BIN)/ruff" check --quiet .
	@"$(BIN)/ruff" format --check --quiet .
	@"$(BIN)/mypy" --no-error-summary
	@"$(BIN)/lint-imports" > .lint-imports.log || { cat .lint-imports.log; exit 1; }

env: $(STAMP)

# Before anything that runs two processes, so that none of them waits for the compiler.
extension: env
	@"$(BIN)/python" -c "from cosim.backends.nest.build import find_or_build; find_or_build()"

$(STAMP): pyproject.toml
	@sh .ci/check-tools "$(PYTHON)" $(if $(CONDA_NEST),conda,venv)
	@echo "cosim: installing into $(ENV) (minutes, the first time)"
	@$(INSTALL)
	@touch "$@"

$(BENCH_STAMP): $(STAMP)
	@"$(BIN)/python" -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['bench'])" \
		| xargs "$(BIN)/python" -m pip install --quiet
	@touch "$@"

clean:
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache .lint-imports.log
	@find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
	@if [ -f "$(VENV)/pyvenv.cfg" ]; then rm -rf "$(VENV)"; fi
