# demo · test · check · simulate · bench · bench-matching · bench-notes · bench-ledger · bench-charge · bench-payout ·
# card — each sets itself up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: setup demo walk test check simulate bench bench-matching bench-notes bench-ledger bench-charge bench-payout card clean

demo: $(VENV)/.runtime
	@$(BIN)/handsel demo

walk: $(VENV)/.runtime
	@$(BIN)/handsel walk

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n 2 --dist loadscope

check: $(VENV)/.dev
	@echo "ruff: style" && $(BIN)/ruff check && $(BIN)/ruff format --check --quiet
	@echo "mypy: types" && $(BIN)/mypy
	@echo "lint-imports: layers" && $(BIN)/lint-imports --no-cache --config pyproject.toml
	@echo "tidy, docs: the house rules" && $(BIN)/python -m pytest -q tests/test_tidy.py tests/test_docs.py

# A million payments: `make simulate PAYMENTS=1000000 WORKERS=2`. The same seeds make the same histories.
SEED ?= 1
PAYMENTS ?= 20000
WORKERS ?= 1

simulate: $(VENV)/.dev
	@$(BIN)/python -m tests.simulation --seed $(SEED) --payments $(PAYMENTS) --workers $(WORKERS)

bench: $(VENV)/.runtime
	@$(BIN)/python bench/frame.py
	@$(BIN)/python bench/payment.py
	@$(BIN)/handsel bench matching --rows 10000 --batch 9

bench-matching: $(VENV)/.runtime
	@$(BIN)/handsel bench matching

# It measures whole charges, too, with what the tests of the issuer set up.
bench-notes: $(VENV)/.dev
	@$(BIN)/handsel bench notes

bench-ledger: $(VENV)/.dev
	@$(BIN)/handsel bench ledger

bench-charge: $(VENV)/.dev
	@$(BIN)/handsel bench charge

bench-payout: $(VENV)/.runtime
	@$(BIN)/handsel bench payout

card: $(VENV)/.runtime
	@$(BIN)/python bench/performance_card.py

setup: $(VENV)/.runtime

# The locks are complete, hence --no-deps.
$(VENV)/.runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || \
		{ echo "Handsel needs Python 3.11 or newer; name one: make PYTHON=python3.13 …" >&2; exit 1; }
	@echo "Setting up $(VENV) (about a minute, once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "  1/2 libraries" && $(PIP) install --require-hashes --no-deps -r requirements.lock
	@echo "  2/2 handsel itself" && $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Setting up what the tests need …"
	@$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

clean:
	rm -rf $(VENV) .handsel
