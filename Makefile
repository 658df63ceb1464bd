# make report: train everything, quick profile      make test: every notebook and test
# make notebooks: open the book in JupyterLab        make docs: render the site with Quarto
# make live: the page that runs in a browser, alone        make paper: the report as one file to send on
# make assignment: exercises for nbgrader, with solutions and without
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUM := $(shell cat settings.ini setup.py | cksum | cut -d' ' -f1)
USER_STAMP := $(VENV)/.installed-$(SUM)
DEV_STAMP := $(VENV)/.installed-dev-$(SUM)
# extra arguments for seqgen_reproduce, such as ARGS="--dataset typeset"
ARGS ?=
# a letter that the terminal can't show is replaced by its number
export PYTHONIOENCODING ?= :backslashreplace
# an environment whose Python is gone counts as not installed
$(shell test -x $(BIN)/python || rm -f $(VENV)/.installed-*)

.PHONY: venv report test notebooks docs live paper assignment readme export clean

report: $(USER_STAMP)
	$(BIN)/seqgen_reproduce --profile quick --out out --resume $(ARGS)

test: $(DEV_STAMP)
	OMP_NUM_THREADS=1 $(BIN)/nbdev_test --n_workers 2 --timing --skip_file_re '^[_.]|^0[1-9]_'
	$(BIN)/python tools/alone.py out/alone
	cd out/alone && OMP_NUM_THREADS=1 $(abspath $(BIN))/nbdev_test --n_workers 2 --timing
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile tests

notebooks: $(DEV_STAMP)
	$(BIN)/python -m pip install -q jupyterlab
	$(BIN)/jupyter lab nbs

export: $(DEV_STAMP)
	$(BIN)/python tools/colab.py
	$(BIN)/nbdev_export
	$(BIN)/nbdev_clean

readme: $(DEV_STAMP)
	$(BIN)/python tools/readme.py

docs: $(DEV_STAMP)
	@command -v quarto > /dev/null || { echo "make docs: Quarto is not installed: get it from https://quarto.org/docs/get-started/"; exit 2; }
	$(BIN)/python tools/pages.py
	cd _proc && quarto render --no-cache --no-execute
	rm -rf _docs && mv _proc/_docs _docs
	$(BIN)/seqgen_live --out _docs/live
	$(BIN)/python tools/katex.py _docs/katex
	$(BIN)/python tools/paper.py --out _docs
	mkdir -p _docs/notebooks && cp nbs/0[1-9]_*.ipynb _docs/notebooks
	$(BIN)/python tools/links.py _docs
	$(BIN)/python tools/browse.py _docs

paper: $(DEV_STAMP)
	$(BIN)/python tools/paper.py --out out

assignment: $(DEV_STAMP)
	$(BIN)/python tools/assignment.py --out out/assignment

live: $(DEV_STAMP)
	$(BIN)/seqgen_live --out _live

# The environment is made once; one that was left half-made, without pip, is finished.
venv:
	@$(BIN)/python -c "import pip" 2> /dev/null || { \
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10) and 'seqgen_nb needs Python 3.10 or newer: name one with make PYTHON=...')" && \
	{ test -x $(BIN)/python || rm -f $(BIN)/python; } && $(PYTHON) -m venv $(VENV); } || \
	{ echo "make: $(PYTHON) can't make an environment with pip in $(VENV): install its venv module (Debian: apt-get install python3-venv), or name another with make PYTHON=..."; exit 2; }

# What is in it is installed again only when settings.ini or setup.py have changed.
$(USER_STAMP): | venv
	$(BIN)/python -m pip install -q -e ".[notebook]"
	$(BIN)/python -c "import torch, torchvision, seqgen_nb"
	touch $@

$(DEV_STAMP): | venv
	$(BIN)/python -m pip install -q -e ".[dev]"
	$(BIN)/python -c "import torch, torchvision, seqgen_nb"
	touch $@ $(USER_STAMP)

clean:
	rm -rf _proc _docs _live out/alone build dist *.egg-info .pytest_cache
