# make demo | make test | make fuzz | make soak | make bench | make lock
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup setup-test demo test lint types python js browser fuzz soak bench lock clean

NATIVE := $(wildcard media/native/*.c media/native/*.h) media/native/build.py

setup: $(VENV)/.setup static/vendor/.setup media/native/_path.so

$(VENV)/.setup: requirements.lock pyproject.toml
	@bash tools/prerequisites.sh $(PYTHON)
	@test -x $(BIN)/pip || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Where there is no C compiler, this says so, and packets go the Python way.
media/native/_path.so: $(VENV)/.setup $(NATIVE)
	$(BIN)/python -m media.native.build

node_modules/.setup: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

static/vendor/.setup: node_modules/.setup tools/vendor.mjs
	node tools/vendor.mjs
	@touch $@

$(VENV)/.setup-test: $(VENV)/.setup requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

# Apart from all else: it needs an older cryptography than we do.
$(VENV)/.setup-sslyze: $(VENV)/.setup tools/sslyze/requirements.lock
	@test -x $(VENV)/sslyze/bin/pip || { rm -rf $(VENV)/sslyze; $(PYTHON) -m venv $(VENV)/sslyze; }
	$(VENV)/sslyze/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/sslyze/requirements.lock
	@touch $@

setup-test: setup $(VENV)/.setup-test $(VENV)/.setup-sslyze
	bash tools/debian-packages.sh

demo: setup
	$(BIN)/madoguchi demo

test: setup-test
	bash tools/test.sh

lint: setup $(VENV)/.setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	node_modules/.bin/eslint --max-warnings 0 static tests/js tools

types: setup $(VENV)/.setup-test
	$(BIN)/mypy
	$(BIN)/mypy tests tools
	node_modules/.bin/tsc -p static/jsconfig.json

python: setup $(VENV)/.setup-test
	$(BIN)/pytest -m "not browser"

js: setup
	node --test tests/js/*.test.js

browser: setup-test
	$(BIN)/pytest -m browser tests/browser

fuzz: setup-test
	MADOGUCHI_FUZZ=long $(BIN)/pytest -m fuzz tests/media tests/server

soak: setup-test
	$(BIN)/python -m tests.bench.soak

bench: setup-test
	$(BIN)/python -m tests.bench.goals

lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	echo hatchling > $(VENV)-lock/build.in
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml $(VENV)-lock/build.in -o requirements.lock
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --extra test pyproject.toml $(VENV)-lock/build.in -c requirements.lock -o requirements-test.lock
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate tools/sslyze/requirements.in -o tools/sslyze/requirements.lock
	npm install --package-lock-only --no-audit --no-fund
	node tools/strip-lock.mjs
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) $(VENV)-lock node_modules static/vendor
