# The words that people type. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:

# The Python that made the environments, or the first of these that is Python 3.11 or 3.12; name another with PYTHON=…
PYTHON ?= $(shell for candidate in $$(sed -n 's/^executable = //p' .venv-local/pyvenv.cfg 2>/dev/null) \
	python3 python3.12 python3.11; do \
	$$candidate -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& { echo $$candidate; break; }; done)
AIRFLOW_PYTHON := .venv/bin/python
LOCAL_PYTHON := .venv-local/bin/python
LOCAL_BIN := .venv-local/bin
GLUE_PYTHON := .venv-glue/bin/python

# Of `make demo`: a folder of meter files, and one file each of what else is known.
DATA ?=
WEATHER ?=
GEODATA ?=
CISDATA ?=
PYTEST_OPTIONS ?=
TOOLS_PYTHON := .venv-tools/bin/python
# Tests of these folders import Airflow and run in .venv, tests/tools in .venv-tools, tests of the Glue jobs in .venv-glue,
# except those that start job runs of the stand-in. All others run in .venv-local.
AIRFLOW_TESTS := tests/dags tests/plugins
JOB_RUN_TESTS := tests/glue/test_described_job_runs.py
GLUE_TESTS := $(filter-out $(JOB_RUN_TESTS), tests/glue/meter_data $(wildcard tests/glue/test_*.py))
ELSEWHERE := $(AIRFLOW_TESTS:%=--ignore=%) $(GLUE_TESTS:%=--ignore=%) --ignore=tests/tools
PYTHON_SOURCES := api_lambdas dags demo documentation environments include local_aws plugins sample_data tests benchmarks

.PHONY: help set-up demo up down status logs api-key test test-fast check fix docs lock bench clean

help: ## List what can be typed
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

set-up: ## Make the three Python environments (every other target calls it)
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or 3.12 was not found. Install one of them, or name it: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python3.12"; \
		exit 1; fi
	@$(if $(STARTS_PLATFORM),$(PYTHON) -m environments.port_check)
	@$(PYTHON) environments/set_up.py

# A wrong setting or a taken port is said before the set-up, which takes minutes.
demo up: STARTS_PLATFORM := yes

demo: set-up ## Load, forecast and judge a fleet of meters, ask the API about one (DATA=<folder> for your own London files)
	@$(LOCAL_PYTHON) -m demo $(if $(DATA),--data "$(DATA)") $(if $(WEATHER),--weather "$(WEATHER)") \
		$(if $(GEODATA),--geodata "$(GEODATA)") $(if $(CISDATA),--cisdata "$(CISDATA)")

up: set-up ## Start the whole platform on this machine
	@$(LOCAL_PYTHON) -m local_aws up

down: ## Stop everything that `up` or `demo` started; data stays
	@[ -x $(LOCAL_PYTHON) ] || { echo "nothing was ever set up here"; exit 0; }; $(LOCAL_PYTHON) -m local_aws down

status: ## Say what runs, where, and with how much memory
	@[ -x $(LOCAL_PYTHON) ] || { echo "nothing was ever set up here"; exit 0; }; $(LOCAL_PYTHON) -m local_aws status

logs: ## Print the logs of the running platform
	@$(LOCAL_PYTHON) -m local_aws logs

api-key: ## Print the key that the local REST API asks for
	@$(LOCAL_PYTHON) -m demo.api_key

test: set-up ## Run all tests, the end-to-end run included
	@$(PYTHON) environments/set_up.py tools
	@$(PYTHON) environments/set_up.py benchmarks
	@$(TOOLS_PYTHON) -m pytest $(PYTEST_OPTIONS) tests/tools
	@$(AIRFLOW_PYTHON) -m pytest $(PYTEST_OPTIONS) $(AIRFLOW_TESTS)
	@$(GLUE_PYTHON) -m pytest $(PYTEST_OPTIONS) --numprocesses 2 $(GLUE_TESTS)
	@$(LOCAL_PYTHON) -m pytest $(PYTEST_OPTIONS) --numprocesses 2 tests $(ELSEWHERE) --ignore=tests/end_to_end
	@$(LOCAL_PYTHON) -m pytest $(PYTEST_OPTIONS) tests/end_to_end

test-fast: set-up ## Run the tests that need no Spark and no running platform
	@$(PYTHON) environments/set_up.py benchmarks
	@$(AIRFLOW_PYTHON) -m pytest $(PYTEST_OPTIONS) -m "not slow" $(AIRFLOW_TESTS)
	@$(GLUE_PYTHON) -m pytest $(PYTEST_OPTIONS) -m "not slow" $(GLUE_TESTS)
	@$(LOCAL_PYTHON) -m pytest $(PYTEST_OPTIONS) -m "not slow" tests $(ELSEWHERE)

check: set-up ## Lint code, types, SQL and templates
	@$(LOCAL_BIN)/ruff check --quiet $(PYTHON_SOURCES)
	@$(LOCAL_BIN)/ruff format --quiet --check $(PYTHON_SOURCES)
	@$(LOCAL_BIN)/mypy
	@$(LOCAL_BIN)/sqlfluff lint --disable-progress-bar --dialect redshift include/sql/redshift
	@$(LOCAL_BIN)/sqlfluff lint --disable-progress-bar --dialect athena include/sql/athena
	@$(LOCAL_BIN)/sqlfluff lint --disable-progress-bar --config api_lambdas/sqlfluff.cfg api_lambdas
	@$(LOCAL_BIN)/cfn-lint --regions eu-west-1 cn-north-1 -- infra/*.yaml

fix: set-up ## Format the code and mend what the linters can
	@$(LOCAL_BIN)/ruff check --fix $(PYTHON_SOURCES)
	@$(LOCAL_BIN)/ruff format $(PYTHON_SOURCES)
	@$(LOCAL_BIN)/sqlfluff fix --disable-progress-bar --dialect redshift include/sql/redshift
	@$(LOCAL_BIN)/sqlfluff fix --disable-progress-bar --dialect athena include/sql/athena

docs: set-up ## Write the generated parts of the documentation anew
	@$(LOCAL_PYTHON) -m documentation

bench: set-up ## Measure load, forecasts and anomalies beside their alternatives; writes benchmarks/results (an hour)
	@$(PYTHON) environments/set_up.py benchmarks
	@$(LOCAL_PYTHON) -m benchmarks.anomalies
	@$(LOCAL_PYTHON) -m benchmarks.forecast --weather
	@$(LOCAL_PYTHON) -m benchmarks.load all

lock: set-up ## Resolve the direct dependencies of environments/*.in into environments/*.txt
	@$(LOCAL_BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header environments/local.in \
		--override environments/without-torch.txt --no-emit-package torch --no-emit-package setuptools \
		--output-file environments/local.txt
	@$(LOCAL_BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header environments/glue.in \
		--output-file environments/glue.txt
	@$(LOCAL_BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header environments/benchmarks.in \
		--constraints environments/local.txt --output-file environments/benchmarks.txt
	@$(LOCAL_BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header environments/tools.in \
		--output-file environments/tools.txt

clean: down ## Stop, and forget all local data (environments stay)
	@rm -rf .local
