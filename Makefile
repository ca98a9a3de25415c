# Two commands to know: `make demo` and `make test`. Both set up everything they need.
PYTHON ?= python3
# Of the builds of that version, the fastest (ADR 0125); a PYTHON that is named is taken as it is.
CHOSEN = $(if $(filter file,$(origin PYTHON)),$$($(PYTHON) kith/interpreter.py),$(PYTHON))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SECONDS := 600
# Its programs name the folder that they were installed in: one that was moved or copied needs others.
MOVED := $(shell test ! -s $(STAMP) || test "$$(cat $(STAMP))" = "$$(pwd -P)" || echo moved)

.PHONY: demo test lint unit integration bench bench-imports soak accuracy fuzz chaos clean lock moved
.DELETE_ON_ERROR:

demo: $(STAMP)  ## Start everything, feed it, and show what came of it.
	@$(BIN)/kith demo

test: $(STAMP)  ## Everything: lint, types, import contracts, unit, contract, integration, e2e.
	@$(BIN)/python -m tests

lint: $(STAMP)  ## Style, types and import contracts only.
	@$(BIN)/python -m tests lint

unit: $(STAMP)  ## The tests that need no backing service.
	@$(BIN)/python -m tests unit

bench: $(STAMP)  ## Rates, ages, CPU and memory, beside a bare skeleton in the same run.
	@$(BIN)/python -m tests.load
	@$(BIN)/python -m tests.load.size

bench-imports: $(STAMP)  ## Large files from upload to report: rates, first rows, memory, live signals beside.
	@$(BIN)/python -m tests.load.imports

soak: $(STAMP)  ## 10,000 histories of merges and splits, each lived twice.
	@$(BIN)/python -m tests.soak

accuracy: $(STAMP)  ## How right matching is, on labelled sets streamed in random order.
	@$(BIN)/python -m tests.accuracy

fuzz: $(STAMP)  ## Parsers on inputs that nobody meant, for SECONDS (600); what fails is kept as a file.
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

chaos: $(STAMP)  ## Kill everything while signals flow; one line per fault.
	@$(BIN)/python -m tests.chaos

$(STAMP): requirements.lock pyproject.toml $(MOVED)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kith needs Python 3.11 or later: make PYTHON=/path/to/python3.11")'
# Where it is a link, only that goes: what it names may be another checkout's.
	@if test -n "$(MOVED)" || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		{ test ! -L $(VENV) || rm $(VENV); } && $(CHOSEN) -m venv --clear $(VENV); \
	fi
	@echo "Installing Python packages ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@pwd -P > $@

lock:  ## Pin the packages anew, with their hashes.
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --strip-extras \
		--all-extras --output-file requirements.lock pyproject.toml

clean:  ## Stop the stack, forget its data and the packages.
	-@test -x $(BIN)/kith && $(BIN)/kith down --wipe
	rm -rf $(VENV) .kith .bench
