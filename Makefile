# The few commands there are.  `make setup` is implied by all others and done once.

.PHONY: setup demo test lint format dist dist-test docker-test bench bench-quick bench-tools clean

# The newest interpreter that really runs and can make environments with pip: a name on
# PATH may be a version manager's shim with nothing behind it.
PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3.11; do \
	if "$$name" -I -c 'import ensurepip, venv' >/dev/null 2>&1; then echo "$$name"; exit; fi; \
	done; echo python3)

SOURCES := cli.py engine cache resolver
BIN := .venv/bin
STAMP := .venv/.setup-done
SERVERS := .servers/.setup-done
BUILDERS := .dist/.setup-done
RIVALS := .bench/tools/.setup-done

setup: $(STAMP)

# pip learned --group in 25.1.  Sources are compiled here because an editable install does
# not do it, and PYTHONDONTWRITEBYTECODE would make every start compile them again.  Nothing
# needs setuptools, and its .pth file costs every start of the interpreter 0.8 ms.
$(STAMP): pyproject.toml
	$(PYTHON) -I -c 'import sys; sys.exit(sys.version_info < (3, 11) and "engine needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	$(BIN)/python -m pip uninstall --quiet --yes setuptools 2>/dev/null || true
	-$(BIN)/python -m compileall -q $(SOURCES)
	touch $@

demo: $(STAMP)
	-@$(BIN)/python -m compileall -q $(SOURCES)
	@set -eu; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	echo "1. a new, empty environment: $$folder/demo"; \
	$(BIN)/python -m venv --without-pip "$$folder/demo"; \
	echo "2. engine sync examples/demo.txt: $$(grep -c '==' examples/demo.txt) pinned projects"; \
	$(BIN)/engine sync --python "$$folder/demo" examples/demo.txt; \
	echo "3. the same into a second environment: nothing is downloaded again"; \
	$(BIN)/python -m venv --without-pip "$$folder/again"; \
	$(BIN)/engine sync --python "$$folder/again" examples/demo.txt; \
	echo "4. what was installed is imported:"; \
	for name in demo again; do \
	"$$folder/$$name/bin/python" -c 'import flask, httpx, rich, sys; print("  ", sys.prefix, "has flask, httpx and rich")'; done; \
	echo "5. the environments are removed"

test: lint $(SERVERS)
	$(BIN)/pytest

# Real index servers and a proxy, which tests start.
$(SERVERS): pyproject.toml | $(STAMP)
	$(PYTHON) -m venv --clear .servers
	.servers/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.servers/bin/python -m pip install --quiet --group servers
	touch $@

# The same commit gives the same bytes: dates are those of the commit, unless somebody says otherwise.
dist: export SOURCE_DATE_EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),1577836800)
dist: $(BUILDERS)
	rm -rf dist
	.dist/bin/python -m hatchling build -d dist
	.dist/bin/python -m shipping.zipapp fetch shipping/zipapp.lock.txt build/zipapp
	.dist/bin/python -m shipping.zipapp build dist/engine-*.whl build/zipapp dist/engine.pyz
	set -eu; version=$$(.dist/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	.dist/bin/python -m shipping.zipapp build dist/engine-*.whl build/zipapp dist/engine-cp$${version%.*}$${version#*.}.pyz $$version

dist-test: dist $(STAMP)
	$(BIN)/pytest -rs tests/integration/test_zipapp.py

# A Debian of its packages is the base image, and pip takes the wheels of the lock: the tests ask no registry.
docker-test: $(STAMP) $(BUILDERS)
	{ command -v buildah && command -v mmdebstrap; } >/dev/null || \
		{ apt-get update && apt-get install -y buildah mmdebstrap; }
	mkdir -p .images
	test -f .images/base.tar || { mmdebstrap --variant=minbase --format=tar \
		--include=binutils,ca-certificates,patchelf,python3,python3-pip,python3-venv bookworm .images/base.part \
		&& mv .images/base.part .images/base.tar; }
	.dist/bin/python -m shipping.zipapp fetch shipping/zipapp.lock.txt build/images 3.11
	IMAGES=yes $(BIN)/pytest -rs tests/integration/test_images.py

# Builders are not among the tools for development: few people need them.
$(BUILDERS): pyproject.toml
	$(PYTHON) -m venv --clear .dist
	.dist/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.dist/bin/python -m pip install --quiet --group dist
	touch $@

# Everything, with the README's tables and pictures; RESUME=1 goes on with a run that was ended.  With ROWS="'sync/docs/*'"
# some of it, and the README stays as it is.  ROUNDS=5, PYTHON_FOR=python3.13: how often, and for which environments.
# What fails is told and left out, the rest goes on and is published, and make fails in the end; a signal ends it at once.
bench: bench-tools dist
	$(if $(ROWS),,.dist/bin/python -m shipping.zipapp build dist/engine-*.whl build/zipapp dist/engine-cp311.pyz 3.11)
	@code=0; step() { echo "$$*"; "$$@" || { last=$$?; code=1; test $$last -lt 128 || exit $$last; }; }; \
	step $(BIN)/python -m benchmarks.run $(ROWS) $(if $(RESUME),--resume) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(PYTHON_FOR),--python $(PYTHON_FOR)); \
	$(if $(ROWS),,step $(BIN)/python -m benchmarks.from_nothing $(if $(ROUNDS),--rounds $(ROUNDS));) \
	$(if $(ROWS),,step $(BIN)/python -m benchmarks.publish .bench/results.json .bench/nothing.json;) \
	exit $$code

# A few rows in a few minutes; the README stays as it is.
bench-quick: bench-tools
	$(BIN)/python -m benchmarks.run --quick

# engine is installed as users have it, anew each time.
bench-tools: $(RIVALS)
	.bench/tools/bin/python -m pip install --quiet --force-reinstall --no-deps .
	.bench/tools/bin/python -m pip install --quiet .

$(RIVALS): pyproject.toml | $(STAMP)
	$(PYTHON) -m venv --clear .bench/tools
	.bench/tools/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.bench/tools/bin/python -m pip install --quiet --group bench
	touch $@

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf .venv .servers .dist .images .bench build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
