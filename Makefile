# Everything runs in .venv, which is made on first use; only packages are downloaded.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/ready
DATA ?= ../shared/data

.PHONY: run test test-slow check fix bench install clean

run: $(READY)  ## open the chat on http://127.0.0.1:7860
	$(BIN)/python app.py $(ARGS)

test: $(READY)  ## the quick tests (under ten minutes)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(ARGS)

test-slow: $(READY)  ## the slow proofs: kills, damage, long runs
	$(BIN)/python -m pytest -q -m slow --timeout 7200 $(ARGS)

check: $(READY)  ## lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: $(READY)  ## what the linter can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## quality and speed beside plain baselines, on public sets in DATA
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks $(or $(ARGS),quality --write) --data $(DATA)

install: $(READY)  ## set up .venv and nothing else

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Docent needs Python 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.13"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $(READY)

clean:  ## forget .venv and caches; documents and the library stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
