# make demo        see the subjects of a demo lab arrive in PyBpod
# make test        run all tests, a worker for each core; some on a real Alyx-Local
# make test-long   the same with 2,000 crashes and at twelve hours of the day: about an hour
# make test-oldest run the client's tests with the oldest libraries that setup.py allows
# make test-newest run the client's tests with the newest libraries
# make check       run the linters
# make benchmark   measure the client beside ONE-api
# make alyx-local  install the real Alyx-Local of the tests, as make test does
# Each installs what it needs first: Debian's libraries (as root or through sudo) and the virtual environment .venv.
# pip is told not to warn of conflicts: PyBpod asks for side plugins of its own that are not needed here.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ALYX_LOCAL := .alyx-local/venv
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO ?=
# Hundreds of processes of a test run import the same modules, which are compiled once.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-long test-oldest test-newest alyx-local check benchmark clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make/make/p' Makefile

$(VENV)/.libraries: requirements/apt.txt
	@sh requirements/install-libraries.sh requirements/apt.txt
	@mkdir -p $(VENV) && touch $@

$(BIN)/python: | $(VENV)/.libraries
	@echo "==> Making the virtual environment $(VENV)"
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v in ((3, 11), (3, 12)) else "PyBpod is installed here on Python 3.11 or 3.12; $(PYTHON) is %d.%d. Name another: make PYTHON=python3.11 ..." % v)'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.host: requirements/host.txt $(BIN)/python
	@echo "==> Installing PyBpod (about 550 MB, a minute or two the first time)"
	@$(PIP) install -q --no-deps -r requirements/host.txt
	@touch $@

$(VENV)/.plugin: setup.py alyx_connector/_version.py $(VENV)/.host
	@echo "==> Installing the plugin, its client and the sandbox"
	@$(PIP) install -q --no-warn-conflicts -e '.[sandbox]'
	@touch $@

$(VENV)/.test: $(VENV)/.plugin
	@echo "==> Installing what the tests need"
	@$(PIP) install -q --no-warn-conflicts -e '.[test]'
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	@echo "==> Installing the linters"
	@$(PIP) install -q --no-warn-conflicts -e '.[dev]'
	@touch $@

demo: $(VENV)/.plugin
	@echo "==> pybpod-alyx demo $(DEMO)"
	@$(BIN)/pybpod-alyx demo $(DEMO)

# Its packages ask for Python 3.12; 3.11 does as well.
$(ALYX_LOCAL)/.installed: requirements/alyx-local.txt requirements/apt-alyx-local.txt | $(BIN)/python
	@echo "==> Installing Alyx-Local for the tests (about 400 MB, half a minute the first time)"
	@sh requirements/install-libraries.sh requirements/apt-alyx-local.txt
	@$(BIN)/python -m venv $(ALYX_LOCAL)
	@$(ALYX_LOCAL)/bin/python -m pip --disable-pip-version-check install -q --no-deps --ignore-requires-python -r requirements/alyx-local.txt
	@touch $@

alyx-local: $(ALYX_LOCAL)/.installed

test: $(VENV)/.test
	@$(MAKE) --no-print-directory alyx-local || { [ "$(CI)" != true ] && echo "==> No Alyx-Local here: the tests that need it are skipped"; }
	@echo "==> pytest"
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder --max-worker-restart 0

test-long: export OUTBOX_CRASH_ROUNDS = 2000
test-long: export TEST_HOURS = all
test-long: test

# Each in a virtual environment of its own, without PyBpod.
CLIENT_TESTS := tests/unit/connector tests/contract tests/system/connector --server sandbox
# They take long and turn on no library's version.
CLIENT_TESTS += $(patsubst %,--ignore-glob='*/test_%.py',cache* churn like* outbox setup_terminal update_json)

.venv-oldest/.installed: CONSTRAINTS := -c requirements/oldest.txt
.venv-oldest/.installed: requirements/oldest.txt
.venv-newest/.installed: CONSTRAINTS := --upgrade
.venv-%/.installed: setup.py
	@echo "==> Installing the $* libraries into .venv-$*"
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python -m pip --disable-pip-version-check install -q --only-binary numpy,pandas,pyarrow $(CONSTRAINTS) -e '.[test-client]'
	@touch $@

test-oldest test-newest: test-%: .venv-%/.installed
	@echo "==> pytest with the $* libraries"
	@.venv-$*/bin/python -m pytest -q -n logical --dist loadfile --max-worker-restart 0 $(CLIENT_TESTS)

check: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache && $(BIN)/mypy alyx_connector alyx_sandbox pybpod_alyx_module

benchmark: $(VENV)/.test ; @$(BIN)/python -m benchmarks.connector

clean:
	rm -rf $(VENV) .venv-oldest .venv-newest .alyx-local build *.egg-info demo-output
