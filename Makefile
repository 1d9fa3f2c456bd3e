# The interface of the project: every target sets up what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What needs neither an image, nor a node of its own, nor other languages' package managers, nor the
# programs of `make chart`.
CI_TESTS := "not image and not node and not clients and not checkers"
# What draws the diagrams of the site; its hash is in website/mermaid.sha256.
MERMAID := 11.9.0

.DEFAULT_GOAL := help

.PHONY: help
help: ## show what there is
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(STAMP): pyproject.toml requirements/dev.txt
	@echo "==> virtual environment and locked packages (a minute or two when new)" >&2
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: setup
setup: $(STAMP) ## virtual environment with the locked packages

.PHONY: lint
lint: setup ## format, lint, import contracts, types
	@echo "==> ruff"
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@echo "==> import contracts"
	$(BIN)/lint-imports
	@echo "==> mypy"
	$(BIN)/mypy

.PHONY: figures
figures: setup ## figures about the structure; fails on circles, long functions and open matches
	@echo "==> structure"
	$(BIN)/python -m structure

.PHONY: cluster-binary
cluster-binary: setup ## build the local Kubernetes once (about six minutes on two cores)
	$(BIN)/python -m localcluster build

.PHONY: helm
helm: setup ## build helm once (a minute and a half on two cores)
	@$(BIN)/python -m localcluster helm > /dev/null

.PHONY: client-go
client-go: setup ## the Go program of the emulator's tests, built once (20 seconds on two cores)
	@PYTHONPATH=operator:. $(BIN)/python -m tests.support.signin_go

.PHONY: clients
clients: client-go ## fetch real clients of four languages, azure-cli, Terraform's provider and azwi; run them
	@PYTHONPATH=operator:. $(BIN)/python -m tests.support.signin_clients
	@PYTHONPATH=operator:. $(BIN)/python -m tests.support.programs
	$(BIN)/python -m pytest tests/entra_emulator/clients/real -q --clients-table

.PHONY: chart
chart: helm cluster-binary ## check the charts, test them on a cluster, and package them into build/
	@helm="$$($(BIN)/python -m localcluster helm)"; \
	"$$helm" lint --strict charts/appcredential charts/appcredential-crds; \
	$(BIN)/python -m charts.check; \
	$(BIN)/python -m pytest tests/chart -q; \
	"$$helm" package --destination build charts/appcredential charts/appcredential-crds

.PHONY: prometheus
prometheus: # Debian's Prometheus with promtool, where it is missing (root)
	@if ! { command -v prometheus && command -v promtool; } > /dev/null; then \
	  if [ "$$(id -u)" != 0 ]; then echo "error: prometheus is missing: apt-get install prometheus" >&2; exit 2; fi; \
	  apt-get update -q; apt-get install -y -q --no-install-recommends prometheus; \
	fi

.PHONY: monitoring
monitoring: helm cluster-binary prometheus ## test alerts and dashboard with promtool and a real Prometheus
	$(BIN)/python -m pytest -q tests/chart/test_alerts.py tests/chart/test_dashboard.py tests/chart/test_kube_state_metrics.py
	$(BIN)/python -m pytest -q tests/process/test_monitoring.py

.PHONY: image
image: setup ## build both images by docker or buildah; BASE= names the base, ARCH= the architecture
	@PYTHONPATH=operator:. $(BIN)/python -m image.build

.PHONY: e2e
e2e: helm cluster-binary image ## the image, the chart in real pods where they can run, and helm's life cycle
	@tests="tests/image"; \
	if $(BIN)/python -m localcluster capable; then \
	  tests="$$tests tests/node"; \
	else \
	  echo "==> so no pods: the operator runs as a process with its ServiceAccount's own token" >&2; \
	fi; \
	$(BIN)/python -m pytest -q --told $$tests tests/chart/test_life.py tests/chart/test_namespaced.py

.PHONY: chart-files
chart-files: setup ## write what the charts derive from crds/, the settings and the rights
	$(BIN)/python -m charts.generate

.PHONY: chart-snapshots
chart-snapshots: helm ## write tests/chart/snapshots anew; look at the difference
	-@$(BIN)/python -m pytest tests/chart/test_render.py -q -k looked_at --write-snapshots
	@git diff --stat tests/chart/snapshots

.PHONY: unit
unit: setup ## pure tests with the branch coverage of domain/
	@echo "==> unit tests"
	@rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest tests/domain -m "not walk" -q --numprocesses=2 --dist=loadfile
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=100
	@echo "==> walks through domain/, without the measuring that makes them three times as long"
	$(BIN)/python -m pytest tests/domain -m walk -q --numprocesses=2

.PHONY: test
test: lint figures unit cluster-binary helm client-go ## everything: lint, types, contracts, unit, integration, faults
	@echo "==> integration tests, three files at a time: they wait more than they compute"
	$(BIN)/python -m pytest tests --ignore=tests/domain --ignore=tests/process -m $(CI_TESTS) \
	    --numprocesses=3 --dist=loadfile --no-loadscope-reorder
	@echo "==> process tests, alone: they kill and pause what others would wait for"
	$(BIN)/python -m pytest tests/process -m $(CI_TESTS)

.PHONY: faults
faults: setup ## half an hour of random faults and edits in virtual time; SEED=, MINUTES=
	@PYTHONPATH=operator:. $(BIN)/python -m tests.world --faults $(if $(MINUTES),--minutes $(MINUTES))

.PHONY: faults-report
faults-report: setup ## write the tables of docs/reliability.md from build/faults.json
	@PYTHONPATH=operator:. $(BIN)/python -m tests.world --report

.PHONY: screenshots
screenshots: setup ## write docs/screenshots anew by a headless Chromium (installed as root)
	@if ! command -v chromium > /dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -q && apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core; \
	fi
	@PYTHONPATH=operator:. $(BIN)/python -m tests.report.screenshots

.PHONY: demo
demo: cluster-binary ## watch a secret being issued, proven, rotated and retired (DEMO_KEEP=1 stays up)
	@$(BIN)/python -m demo

.PHONY: attacks
attacks: cluster-binary ## attack an operator on a local cluster as users, pods and proxies would; at most ten minutes
	@$(BIN)/python -m attacks $(ATTACK)

.PHONY: bench
bench: cluster-binary ## measure the operator at size, for hours; BENCH="1000:secret --keep" for one fleet
	@$(BIN)/python -m bench $(BENCH)

.PHONY: bench-quick
bench-quick: cluster-binary ## the same with small fleets, in five minutes
	@$(BIN)/python -m bench --quick

.PHONY: bench-strategies
bench-strategies: cluster-binary ## other ways to issue secrets beside the operator; SIZE=100
	@$(BIN)/python -m bench.strategies $(SIZE)

build/plots/.installed: requirements/plots.txt
	@echo "==> matplotlib, in an environment of its own" >&2
	$(PYTHON) -m venv build/plots
	build/plots/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/plots.txt
	@touch $@

.PHONY: bench-report
bench-report: setup build/plots/.installed ## write the tables and plots of docs/performance.md from build/bench.json
	@$(BIN)/python -m bench.report
	@build/plots/bin/python bench/plots.py

build/website/.installed: requirements/docs.txt
	@echo "==> mkdocs-material, in an environment of its own" >&2
	$(PYTHON) -m venv build/website
	build/website/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

# The theme would fetch it from afar in each reader's browser.
build/mermaid.min.js: website/mermaid.sha256
	@command -v npm > /dev/null || { echo "error: npm is missing: apt-get install npm" >&2; exit 2; }
	@mkdir -p build/npm
	cd build/npm && npm pack --silent mermaid@$(MERMAID) > /dev/null
	tar -xzf build/npm/mermaid-$(MERMAID).tgz --strip-components=2 -C build/npm package/dist/mermaid.min.js
	cd build/npm && sha256sum --check --quiet ../../website/mermaid.sha256
	@cp build/npm/mermaid.min.js $@

.PHONY: docs
docs: build/website/.installed build/mermaid.min.js ## build the documentation as a site into build/site; REPOSITORY_URL=, SITE_URL=
	@NO_MKDOCS_2_WARNING=1 build/website/bin/mkdocs build --quiet --config-file website/mkdocs.yml
	@echo "build/site/index.html"

.PHONY: cluster
cluster: setup ## a local cluster; EMULATOR=1 adds emulator and operator, NODE=1 runs pods (root)
ifeq ($(and $(NODE),$(EMULATOR)),1)
	@echo "error: EMULATOR=1 runs the operator as a process; with NODE=1 install the trial (docs/install.md)" >&2; exit 2
else ifdef NODE
	@$(BIN)/python -m localcluster up --node
else ifdef EMULATOR
	@$(BIN)/python -m localcluster build
	@$(BIN)/python -m demo up
else
	@$(BIN)/python -m localcluster up
endif

.PHONY: cluster-images
cluster-images: setup ## give the node of NODE=1 the images that `make image` built
	@mkdir -p build
	@PYTHONPATH=operator:. $(BIN)/python -m image.archive build | xargs $(BIN)/python -m localcluster load

.PHONY: cluster-down
cluster-down: setup ## stop them, leaving nothing
	@$(BIN)/python -m demo down
	@$(BIN)/python -m localcluster down

.PHONY: node-packages
node-packages: ## what a node of NODE=1 needs of Debian's packages (root)
	apt-get update -q
	apt-get install -y -q --no-install-recommends containerd runc containernetworking-plugins iptables iproute2

.PHONY: lock
lock: setup ## write requirements/*.txt anew from pyproject.toml
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-header pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-header --extra cli -c requirements/runtime.txt pyproject.toml -o requirements/cli.txt
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-header --extra dev -c requirements/runtime.txt pyproject.toml -o requirements/dev.txt
	for extra in plots docs audit clients; do \
	  EXTRA=$$extra $(BIN)/python -c 'import os, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][os.environ["EXTRA"]])' \
	    | $(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-header - -o requirements/$$extra.txt; \
	done

.PHONY: zipapp
zipapp: setup ## kubectl-appcredential as one file in build/, with archive and manifest for krew; URL=, UNVERIFIED=1
	@PYTHONPATH=operator:. $(BIN)/python -m onefile build $(if $(URL),--url $(URL)) $(if $(UNVERIFIED),--unverified)

.PHONY: wheels
wheels: setup ## the wheels of operator and emulator in build/release/any
	@for project in . packaging/entra-emulator; do \
	  $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	      --wheel-dir build/release/any "$$project"; \
	done
	@ls build/release/any/*.whl

.PHONY: sbom
sbom: setup ## what is in the images that `make image` built, as SPDX in build/sbom
	@PYTHONPATH=operator:. $(BIN)/python -m image.sbom build/sbom

.PHONY: dist
dist: setup ## what a release has of this machine's architecture, after image and zipapp, in build/release
	@folder="$$(PYTHONPATH=operator:. $(BIN)/python -m release collect)"; \
	PYTHONPATH=operator:. $(BIN)/python -m image.archive "$$folder"; \
	PYTHONPATH=operator:. $(BIN)/python -m image.sbom "$$folder"

.PHONY: release-check
release-check: setup ## refuse a TAG=v1.2.3 that this tree is not
	@PYTHONPATH=operator:. $(BIN)/python -m release check "$${TAG:-}"

.PHONY: release-programs
release-programs: setup ## the programs that push, in build/release/programs, for a machine that is not to compile them
	@PYTHONPATH=operator:. $(BIN)/python -m release pack

.PHONY: unpack-programs
unpack-programs: setup ## put what release-programs wrote on another machine into the cache
	@PYTHONPATH=operator:. $(BIN)/python -m release unpack

.PHONY: login
login: setup helm ## sign in to REGISTRY= as REGISTRY_USER= with REGISTRY_TOKEN of the environment
	@PYTHONPATH=operator:. $(BIN)/python -m release login

.PHONY: push
push: setup helm ## push images and charts to REGISTRY=, after dist on each architecture; PLATFORMS=linux-amd64
	@PYTHONPATH=operator:. $(BIN)/python -m release push
	@PYTHONPATH=operator:. $(BIN)/python -m release outputs > build/release/outputs

.PHONY: sign
sign: setup ## sign what was pushed and attach the SBOMs, keyless in a workflow, or with COSIGN_KEY=
	@PYTHONPATH=operator:. $(BIN)/python -m release sign

.PHONY: downloads
downloads: setup ## what people download of a release, with SHA256SUMS, in build/release/download
	@PYTHONPATH=operator:. $(BIN)/python -m release downloads

.PHONY: github-release
github-release: setup ## make the release of TAG= on GitHub, with gh and GH_TOKEN of the environment
	@PYTHONPATH=operator:. $(BIN)/python -m release announce "$${TAG:-}"

.PHONY: actionlint
actionlint: setup ## check the workflows of GitHub
	@actionlint="$$($(BIN)/python -m localcluster tool actionlint)"; \
	"$$actionlint" -shellcheck= -pyflakes= .github/workflows/*.yaml

build/audit/.installed: requirements/audit.txt
	@echo "==> pip-audit, in an environment of its own" >&2
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/audit.txt
	@touch $@

.PHONY: audit
audit: build/audit/.installed ## ask for known vulnerabilities of the locked packages; needs the network
	@for lock in runtime cli dev plots docs audit clients; do \
	  echo "==> requirements/$$lock.txt" >&2; \
	  build/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r "requirements/$$lock.txt"; \
	done

.PHONY: clean
clean: ## remove what was made here
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
