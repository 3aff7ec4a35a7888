# `make` lists the targets. Everything is installed into .venv by the targets that need it.
PYTHON ?= python3
RUN = .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run chat train validate dev corpus agreement eval tune weigh calibrate bench profile footprint walk screenshots lint format test audit lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 16

setup: ## Install Python 3.13 and the locked packages into .venv
	@$(PYTHON) scripts/setup.py

run: setup ## Install, train and start the bot; prints where to chat
	@$(RUN) scripts/run.py

chat: setup ## Chat in the terminal
	@$(RUN) scripts/chat.py

train: setup ## Check the data and train, if anything changed
	@$(RUN) scripts/train.py

validate: setup ## Check knowledge, training data and stories; warnings are failures
	@$(RUN) scripts/train.py --check

dev: ## Install what tests, tools and pictures need besides, into .venv
	@$(PYTHON) scripts/setup.py --dev

corpus: setup ## Check the corpus in data/corpus/ and count what is in it
	@$(RUN) scripts/corpus.py $(FILE)

agreement: setup ## Show how far two readers of the corpus agree
	@$(RUN) scripts/agreement.py

eval: dev ## Measure how messages are understood: the test part of the corpus (FILE=... for your own, SPLIT=development, ERRORS=1)
	@$(RUN) scripts/evaluate.py $(FILE) $(if $(SPLIT),--split $(SPLIT)) $(if $(ERRORS),--errors)

tune: setup ## Tune the encoder to the corpus (half an hour; writes models/findings.onnx), then weigh
	@$(PYTHON) scripts/setup.py --tune
	@.tune/bin/python scripts/tune.py
	@$(RUN) scripts/weigh.py

weigh: setup ## Choose how wording and meaning are weighed, on the development part of the corpus (COMPARE=1: beside other ways)
	@$(RUN) scripts/weigh.py $(if $(COMPARE),--compare)

calibrate: setup ## Choose the thresholds in config.yml on messages kept apart for this (FILE=... for your own)
	@$(RUN) scripts/calibrate.py $(FILE)

bench: dev ## Measure Rasa's default and Backtalk side by side (OOS=file SHARE=4 PARTS=1: see scripts/bench.py)
	@$(PYTHON) scripts/setup.py --bench
	@$(RUN) scripts/bench.py $(if $(OOS),--out-of-scope $(OOS)) $(if $(PARTS),--parts) $(if $(SHARE),--share $(SHARE))
	@$(RUN) scripts/picture.py

profile: setup ## Show where the time of a message goes
	@$(RUN) scripts/breakdown.py

footprint: setup ## Measure size, start and memory from a fresh clone (AGAINST=<commit>: beside another version)
	@$(RUN) scripts/footprint.py $(if $(AGAINST),--against $(AGAINST))

walk: train ## Let visitors say anything at any time and check what must always hold (TURNS=20000 SEED=7)
	@$(RUN) tests/dialogue/random_walk.py $(if $(TURNS),--turns $(TURNS)) $(if $(SEED),--seed $(SEED))

screenshots: dev ## Take the pictures of the widget in docs/ (needs Chromium)
	@$(RUN) scripts/screenshots.py

lint: dev ## Check format, style and types of Python and YAML, and of the widget where Node is there
	@$(RUN) scripts/lint.py

format: dev ## Put Python (and the widget, where Node is there) into the project's format
	@$(RUN) scripts/lint.py --fix

test: dev lint train ## Run all tests (installs and trains first)
	@$(RUN) scripts/train.py --check
	@$(RUN) scripts/test.py

audit: ## Look for known weaknesses in the locked packages (needs the advisories' database)
	@$(PYTHON) scripts/setup.py --audit
	@.audit/bin/python scripts/audit.py

lock: ## Write the lock files anew from pyproject.toml, with the newest versions that go together
	@$(PYTHON) scripts/setup.py --lock

clean: ## Delete models, logs, conversations, and the key that signs chats
	rm -rf models/backtalk.* var .rasa .pytest_cache .hypothesis .mypy_cache .ruff_cache .coverage
