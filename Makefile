# `make` lists the targets. Everything is installed into .venv by the targets that need it.
PYTHON ?= python3
RUN = .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run chat train validate eval calibrate bench profile test lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 16

setup: ## Install Python 3.10 and the locked packages into .venv
	@$(PYTHON) scripts/setup.py

run: setup ## Install, train and start the bot; prints where to chat
	@$(RUN) scripts/run.py

chat: setup ## Chat in the terminal
	@$(RUN) scripts/chat.py

train: setup ## Check the data and train, if anything changed
	@$(RUN) scripts/train.py

validate: setup ## Check knowledge, training data and stories; warnings are failures
	@$(RUN) scripts/train.py --check

eval: setup ## Measure how held-out messages are read (FILE=... for your own)
	@$(RUN) scripts/evaluate.py $(or $(FILE),tests/understanding/findings_held_out.yml) $(if $(ERRORS),--errors)

calibrate: setup ## Choose the thresholds in config.yml on messages kept apart for this (FILE=... for your own)
	@$(RUN) scripts/calibrate.py $(FILE)

bench: setup ## Measure Rasa's default and Backtalk side by side (OOS=file SHARE=4 PARTS=1 INSTALL=1: see scripts/bench.py)
	@$(RUN) scripts/bench.py $(if $(OOS),--out-of-scope $(OOS)) $(if $(PARTS),--parts) $(if $(INSTALL),--install) $(if $(SHARE),--share $(SHARE))
	@$(RUN) scripts/picture.py

profile: setup ## Show where the time of a message goes
	@$(RUN) scripts/breakdown.py

test: train ## Run all tests (installs and trains first)
	@$(RUN) scripts/train.py --check
	@$(RUN) -m pytest -q

lock: setup ## Write the lock files anew from pyproject.toml
	@$(PYTHON) scripts/setup.py --lock

clean: ## Delete models, logs and conversations
	rm -rf models/backtalk.* var .rasa .pytest_cache .hypothesis
