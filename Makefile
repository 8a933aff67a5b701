# Everything runs in an environment that .ci/setup makes from requirements-dev.lock, in a cache outside the checkout.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help check test zoo soak fuzz demo bench scale lab lock render pictures docs manifests image sbom audit

export PYTHONPATH := operator:tests
SITE = dist/site
SBOM = dist/sbom.cdx.json
IN = environment=$$(.ci/setup) && PATH="$$environment/bin:$$PATH"

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: ## format, lint, types, import contracts and unit tests: for every edit, no root and no lab
	@$(IN) && \
	step() { printf 'check: %s\n' "$$*"; "$$@"; } && \
	step ruff format --check --quiet && \
	step ruff check --quiet && \
	step mypy && \
	step lint-imports --no-cache && \
	step python -m pytest --quiet --numprocesses=auto --dist=loadscope -m "not lab and not root" tests

test: ## everything: the checks above, and all tests on a real container runtime (root; builds it on the first run)
	@$(IN) && \
	step() { printf 'test: %s\n' "$$*"; "$$@"; } && \
	step ruff format --check --quiet && \
	step ruff check --quiet && \
	step mypy && \
	step lint-imports --no-cache && \
	step python -m lab build && \
	step python tests/suite.py

zoo: ## what looks odd and is legal, all at once: 1,000 scans of 2,000 sandboxes, and no false alarm (root; half an hour)
	@$(IN) && python -m lab build && ZOO_SCANS=1000 ZOO_SANDBOXES=2000 python -m pytest -s tests/e2e/zoo

soak: ## random faults made and healed in random order beside outages: SOAK_MINUTES=120, SOAK_SEED=N (root)
	@$(IN) && python -m lab build cluster && SOAK_MINUTES=$${SOAK_MINUTES:-120} \
	SOAK_SEED=$${SOAK_SEED:-$$(shuf --input-range=0-999999 --head-count=1)} python -m pytest -s tests/e2e/soak

fuzz: ## random and damaged input for every reader of the runtime's answers and of /proc: FUZZ_MINUTES=30, FUZZ_SEED=N
	@$(IN) && python -m fuzz --minutes $${FUZZ_MINUTES:-30} $${FUZZ_SEED:+--seed $$FUZZ_SEED}

demo: ## a real container runtime with healthy and broken pods, scanned, healed and cleaned up (root)
	@$(IN) && python -m demo

bench: ## what a scan costs, beside lsns, ps, node_exporter, a typed loop and a C program (root; ten minutes)
	@$(IN) && python -m lab build && python -m bench

scale: ## what the agents of 5,000 nodes cost an API server: real agents of 250 and 500 virtual nodes (root; 15 to 25 minutes)
	@$(IN) && python -m lab build cluster && python -m scale

lab: ## start the lab and leave it running, to try things by hand (root); says what to type, and what ends it
	@$(IN) && endpoint=$$(python -m lab start) && printf '%s\n' '' \
	  "export PATH=\"$$environment/bin:\$$PATH\" PYTHONPATH=operator:tests PAUSEWATCH_RUNTIME_ENDPOINT=$$endpoint" \
	  'python -m lab pod run containerd-2.4 web -- misbehave orphans 20' \
	  'python -m pausewatch scan' \
	  'python -m lab stop containerd-2.4'

render: ## write what follows from other files: docs, the definition, parts of the chart
	@$(IN) && python tests/contracts/render.py

pictures: ## draw the pictures of the documentation: a real terminal, the import graph, the dashboards (root; 4 minutes)
	@$(IN) && python -m lab build && python -m pictures

docs: ## build the site into SITE=dist/site, strictly: a link that leads nowhere fails
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	python3 -m venv "$$scratch" && "$$scratch/bin/python" -m pip install --quiet mkdocs==1.6.1 && \
	"$$scratch/bin/mkdocs" build --strict --site-dir "$(SITE)"

image: ## build the agent's image, without registry or container engine, and print the archive's path (root)
	@$(IN) && python -m lab.build.agent_image

sbom: ## write SBOM=dist/sbom.cdx.json: what the image holds beyond its base, as CycloneDX
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && mkdir -p "$(dir $(SBOM))" && \
	python3 -m venv "$$scratch" && "$$scratch/bin/python" -m pip install --quiet cyclonedx-bom==7.5.0 && \
	"$$scratch/bin/cyclonedx-py" requirements --pyproject pyproject.toml --output-reproducible \
	  --output-file "$(SBOM)" requirements.lock

audit: ## known vulnerabilities of all that is locked; asks the package index, and fails without an answer
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	python3 -m venv "$$scratch" && "$$scratch/bin/python" -m pip install --quiet pip-audit==2.10.1 && \
	for lock in requirements.lock requirements-build.lock requirements-dev.lock; do \
	  echo "audit: $$lock" && "$$scratch/bin/pip-audit" --strict --require-hashes --disable-pip \
	    --progress-spinner off --requirement "$$lock" || exit; \
	done

manifests: ## render manifests/ from the Helm chart (builds helm on the first run)
	@$(IN) && python tests/contracts/manifests.py

lock: ## pin the newest versions that pyproject.toml allows, with hashes, into requirements*.lock
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	python3 -m venv "$$scratch" && "$$scratch/bin/python" -m pip install --quiet uv==0.13.8 && \
	compile="$$scratch/bin/uv pip compile --upgrade --python-version 3.11 --python-platform linux --generate-hashes \
	  --no-emit-index-url --no-header --quiet pyproject.toml" && \
	$$compile --output-file requirements.lock && \
	$$compile --group dev --constraint requirements.lock --output-file requirements-dev.lock && \
	sed -n 's/^requires = \["\(.*\)"\]$$/\1/p' pyproject.toml | "$$scratch/bin/uv" pip compile --python-version 3.11 \
	  --python-platform linux --generate-hashes --no-emit-index-url --no-header --quiet \
	  --constraint requirements-dev.lock --output-file requirements-build.lock -
