#!/bin/sh
# Resolve the dependencies of pyproject.toml and pin every one with its hashes.
# The lock files name no registry: pip asks whichever it is set up for.
set -eu
cd "$(dirname "$0")/.."
uv() { .venv/bin/uv "$@"; }
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet uv
flags="--quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links"
uv pip compile $flags pyproject.toml --extra build --extra dev -o requirements/dev.lock
sed -n 's/^\([a-zA-Z0-9._-]*==[^ ;]*\( ; [^\\]*\)\{0,1\}\).*/\1/p' requirements/dev.lock >requirements/constraints.tmp
uv pip compile $flags pyproject.toml --extra build -c requirements/constraints.tmp -o requirements/runtime.lock
rm requirements/constraints.tmp
