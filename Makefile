# The commands of maemae. `make` alone lists them; each installs what it needs first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install tools demo up down test check properties parity references chaos outages fuzz load statistics dask ray bench peers lock clean

# Imports are four times slower without bytecode, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

install:  ## make .venv from requirements.lock (nothing to do when it is there)
	@deployments/bootstrap.sh

tools:  ## ... and what tests and checks need besides
	@deployments/bootstrap.sh install dev

demo: install  ## trade simulated days on real prices (ARGS=--once ends after the last day)
	@exec .venv/bin/maemae demo $(ARGS)

up: install  ## start the stack of the channel that the settings choose, as a service
	@exec .venv/bin/maemae up --detach $(ARGS)

down: install  ## stop what `make up` started
	@exec .venv/bin/maemae down $(ARGS)

test: tools  ## run the tests (ARGS="tests/unit -x" narrows them)
	@exec .venv/bin/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder $(ARGS)

check: tools  ## lint, format, types, import rules
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

properties: tools  ## make 100,000 random steps of orders, fills and ledger (STEPS=N: another number)
	@STEPS=$(or $(STEPS),100000) .venv/bin/pytest -q tests/properties $(ARGS)

parity: tools  ## play 30 days through the simulator, without faults and with them, against their replay (DAYS=N)
	@PARITY_DAYS=$(or $(DAYS),30) .venv/bin/pytest -q -s tests/scenarios/test_parity_days.py $(ARGS)

chaos: tools  ## kill processes at every step, judged by the simulator's own book (RUNS=10000 JOBS=2 SEED=1)
	@exec .venv/bin/python -m tests.chaos --runs $(or $(RUNS),500) --jobs $(or $(JOBS),2) --seed $(or $(SEED),1) $(ARGS)

references: tools  ## write down anew what each strategy does on the bundled prices, after a change that is meant
	@.venv/bin/python -m tests.references

outages: tools  ## stop Kafka, PostgreSQL, Prefect and the socket on simulated days, judged by the simulator's book (DAYS=1 SEED=1)
	@exec .venv/bin/python -m tests.outages --days $(or $(DAYS),1) --seed $(or $(SEED),1) $(ARGS)

fuzz: tools  ## read a million broken frames and replies; none may raise or be half read (ARGS="--seed 1 --frames 1000")
	@exec .venv/bin/python -m tests.fuzz $(ARGS)

load: tools  ## stream real minute bars and the whole market of a folder of yours (FOLDER=../data ARGS="--seed 1")
	@test -d .peers/parquet || { .venv/bin/python -m venv .peers/installer && \
	  .peers/installer/bin/python -m pip install --quiet --no-deps --target .peers/parquet "pyarrow==26.*"; }
	@exec env PYTHONPATH=.peers/parquet .venv/bin/python -m tests.load $(or $(FOLDER),.) $(ARGS)

statistics: tools  ## hold the metrics against empyrical on 500 random curves, in an environment of its own (SEED=1)
	@test -x .peers/empyrical/bin/python || .venv/bin/python -m venv .peers/empyrical
	@.peers/empyrical/bin/python -m pip install --quiet "empyrical-reloaded==0.7.*" "numpy<3" "pandas<4"
	@SEED=$(or $(SEED),1) EMPYRICAL=$(CURDIR)/.peers/empyrical/bin/python .venv/bin/pytest -q -s tests/unit/test_curves.py

# An environment of its own that sees all packages of .venv beside the extra.
define spread
	@test -x .peers/$(1)/bin/python || .venv/bin/python -m venv .peers/$(1)
	@.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$(.peers/$(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ours.pth"
	@.peers/$(1)/bin/python -m pip install --quiet "$(2)"
	@.peers/$(1)/bin/python -m pytest -q tests/flows/test_spreads.py $(ARGS)
endef

dask: tools  ## spread sweeps over a local Dask cluster by Prefect's task runner; the extra is installed beside .venv
	$(call spread,dask,prefect-dask==0.3.*)

ray: tools  ## ... over a local Ray cluster
	$(call spread,ray,prefect-ray==0.6.*)

bench: tools  ## measure decision to wire, doubts, starts, the gate, ticks (ARGS="placement --samples 180")
	@exec .venv/bin/python -m bench $(ARGS)

peers: tools  ## hold our engines against seven others (ARGS="B C --runs 1 --write", --engines bt,pandas)
	@for peer in $(basename $(notdir $(wildcard bench/peers/*.txt))); do \
	  test -x .peers/$$peer/bin/python || .venv/bin/python -m venv .peers/$$peer; \
	  .peers/$$peer/bin/python -m pip install --quiet --no-compile -r bench/peers/$$peer.txt || rm -r .peers/$$peer; done
	@exec .venv/bin/python -m bench.peers $(ARGS)

lock:  ## resolve the versions again (ARGS=--upgrade takes newer ones)
	deployments/bootstrap.sh lock $(ARGS)

clean:  ## remove what install and the tools made; never .maemae, where the orders are
	rm -rf .venv .uv .peers .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
