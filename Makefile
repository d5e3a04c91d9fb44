# make demo   train a LeNet on MNIST and open-ready report       make test   all checks and tests
# Both set up .venv first if it is missing. PYTHON and VENV can be given: make demo PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint types imports tests atlas clean

demo: $(VENV)/.installed
	$(BIN)/convatlas train lenet-bn --data mnist

test: lint types imports tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-dev
	$(BIN)/mypy

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports

tests: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto

atlas: $(VENV)/.installed
	$(BIN)/python -m convatlas.atlas docs/networks.md
	$(BIN)/python -m convatlas.claims

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist

# The stamps are touched last: an installation that broke off is done again.
$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ConvAtlas needs Python 3.11 or later; give one with: make PYTHON=python3.12"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(INSTALL) -e '.[dev]'
	$(INSTALL) --no-deps torchvision==0.28.0 timm==1.0.31
	@touch $@
