# The two commands are `make demo` and `make test`; both create the environment first.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO := build/demo
EVIDENCE := build/evidence
EVIDENCE_DATA ?= ../shared/data

.PHONY: help demo test check bench evidence format clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort

demo: $(INSTALLED) ## run the whole method on the example data, without a key or a network
	@rm -rf $(DEMO)
	@GOALCOVER_HOME=$(DEMO)/home $(BIN)/goalcover run examples/clinical_qa.jsonl \
	  --goal "$$(cat examples/clinical_qa.goal.txt)" \
	  --domain medicine --task "question answering" --yes --out $(DEMO)/results

test: $(INSTALLED) ## run the whole test suite
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

check: $(INSTALLED) ## lint, formatting, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p build/typing && ln -sfn ../.. build/typing/goalcover  # where pyright finds the package
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: $(INSTALLED) ## measure speed and memory side by side (some 10 minutes), into build/bench*.json
	PYTHONPATH=tests $(BIN)/python -m bench

evidence: $(INSTALLED) ## repeat all evaluations on EVIDENCE_DATA (about 20 minutes), into docs/evidence.md
	@rm -rf $(EVIDENCE)
	@GOALCOVER_HOME=$(EVIDENCE)/home $(BIN)/goalcover eval all --out $(EVIDENCE) \
	  $(if $(wildcard $(EVIDENCE_DATA)),--data $(EVIDENCE_DATA))
	@rm -rf docs/evidence && mkdir docs/evidence
	@cp $(EVIDENCE)/evidence/*.png docs/evidence/ && cp $(EVIDENCE)/evidence.md docs/

format: $(INSTALLED) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the environment and everything built
	rm -rf $(VENV) build

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "GoalCover needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
