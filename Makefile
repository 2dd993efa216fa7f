# make run    the main job: train, quantize, convert, verify, measure, report
# make test   style, types and the tests: eight minutes on two quiet cores
# make check  style and types
#
# make test-all      the long rounds as well, as in CI: every network's conversion, runs that are
#                    killed and resumed, the apps' toolchains: twenty minutes on two quiet cores
# make mutants       break core functions one at a time, and see that their tests notice
# make site          build the documentation as a site: build/site/index.html
# make docs          make every generated page anew, but for what needs absent photographs
# make fuzz          ten thousand damaged inputs on every reader: ten minutes on two cores
# make package       build what PyPI takes, install it into an empty environment, try it; dist/
# make peers         download other people's networks, to compare with: see bench/peers
# make onnx2tf       onnx2tf and tflite-runtime 2.14, for second opinions: see bench/opinions.py
# make old-runtime   tflite-runtime 2.14 alone
# make coreai        what makes and runs Core AI files (220 MB), beside the rest in .venv
# make coreai-check  the shipped models as Core AI files, judged in Apple's runtime: half an hour
# make runner        compile what measures on phones and boards: see docs/devices.md
# make browser       fetch LiteRT.js: edgemat bench --device browser
# make emulator      fetch qemu and a compiler, and the runner: edgemat bench --device emulated-arm64
# make android-check check the Android app without Android: see docs/verification.md
# make ios-check     check the iOS app without a Mac: see docs/verification.md
# make device-parts  fetch what the tests of devices need and this machine lacks
# make app-parts     fetch what builds the Android app: tests of the long rounds
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# None but the very files that the lists name: python -m tools.lock writes their hashes.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: run test test-all mutants fuzz docs site check package peers onnx2tf old-runtime coreai coreai-check runner emulator browser device-parts app-parts android-check ios-check clean

run: .venv/ready
	$(BIN)/edgemat run recipes/quickstart.toml

PYTEST := $(BIN)/python -m pytest -rs --durations=40 --numprocesses auto --dist worksteal

test: .venv/ready check device-parts
	$(PYTEST) -m "not long"

test-all: .venv/ready check device-parts app-parts
	$(PYTEST)

mutants: .venv/ready
	$(BIN)/python -m tools.mutants

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/ready
	$(BIN)/python -m tools.docs

site: .venv/ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

fuzz: .venv/ready
	$(BIN)/python -m tools.fuzz

package: .venv/ready
	$(BIN)/python -m tools.package dist
	$(BIN)/python -m tools.sbom dist/edgemat.cdx.json

peers: .venv/ready
	$(BIN)/edgemat peers fetch peers

runner: .venv/ready
	$(BIN)/python -m edgemat.bench.runner.build

emulator: .venv/ready
	$(BIN)/python -m tools.parts emulator cross
	$(BIN)/python -m edgemat.bench.runner.build

browser: .venv/ready
	$(BIN)/python -m edgemat.bench.devices.browser.litert_js

android-check: .venv/ready
	$(BIN)/python -m tools.android check

# What cannot be had is said and left out: its tests are skipped.
device-parts: .venv/ready
	-$(BIN)/python -m tools.parts phone sshd emulator cross
	-$(BIN)/python -m edgemat.bench.runner.build
	-$(BIN)/python -m edgemat.bench.devices.browser.litert_js

# The same for the Android app (130 MB) and for Core AI files.
app-parts: .venv/ready
	-$(BIN)/python -m tools.android toolchain
	-$(MAKE) coreai

# Fetches Swift (550 MB, once) where there is none.
ios-check: .venv/ready
	$(BIN)/python -m tools.ios check

onnx2tf: .venv/ready .venv-onnx2tf/ready old-runtime
	$(INSTALL) --no-deps --requirement convert/onnx.txt

old-runtime: .venv-old-runtime/ready

coreai: .venv/ready
	$(INSTALL) --no-deps --requirement convert/coreai.txt

coreai-check: coreai
	$(BIN)/python -m tools.coreai_check

# Tools that need other versions than edgemat have an environment of their own: see convert/isolated.py.
.venv-%/ready: convert/%.txt
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

# Ready once everything is installed; again when the dependencies change.
.venv/ready: pyproject.toml requirements.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) --no-deps --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf .venv .venv-onnx2tf .venv-old-runtime runs build .cache .mypy_cache .ruff_cache .pytest_cache
