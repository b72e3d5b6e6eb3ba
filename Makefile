# Jamflow's table of contents. `make` lists what there is.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

help: ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

$(READY): pyproject.toml constraints.txt scripts/setup
	@PYTHON=$(PYTHON) scripts/setup .venv && touch $(READY)

setup: $(READY) ## make the environment in .venv (about a minute, 2.5 GB)

demo: $(READY) ## from nothing to a groove you can hear: train, register, serve, humanise (about 5 minutes)
	@$(BIN)/python -m pipelines.demo

test: $(READY) lint ## lint, types, import rules and the tests, file by file on two cores (about 20 minutes)
	@echo "tests: about 18 minutes on two cores"; $(BIN)/pytest -n 2 --dist loadfile

slow: $(READY) ## the tests that take longer
	@$(BIN)/pytest -m slow

lint: $(READY) ## style, types and who may import whom (about a minute)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright && PYTHONPATH=. $(BIN)/lint-imports

images: $(READY) ## build the container images, tagged by what their stages reach
	@images/build

up: ## MLflow and Triton in containers, on loopback (after `make images`)
	@docker compose -f images/compose.yaml up -d --wait

down: ## stop what `make up` started
	@TRITON=any JAMFLOW_ADMIN_KEY=any docker compose -f images/compose.yaml down

bench: $(READY) ## every benchmark, a figure beside a peer in the same run (over two hours; separators and grooves are taught)
	@$(BIN)/python -m benchmarks

soak: $(READY) ## serve under kills, full disks and locks, and count (30 minutes; MINUTES=3 for less, SEED=7)
	@$(BIN)/python -m benchmarks.soak --minutes $(or $(MINUTES),30) --seed $(or $(SEED),7)

doctor: $(READY) ## look at Python, Triton, MLflow, ports, disk, GPU and MIDI; say what to do about each
	@$(BIN)/jamflow doctor

clean: ## remove the environment and caches (never your songs, runs or models)
	@rm -rf .venv .pytest_cache .ruff_cache .import_linter_cache build *.egg-info

.PHONY: help setup demo test slow lint images up down bench soak doctor clean
.DEFAULT_GOAL := help
