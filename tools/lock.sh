#!/usr/bin/env bash
# Renews requirements*.txt: exact versions with hashes, and no address of any registry.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$1
compile() { "$bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-header --no-annotate "$@"; }
compile pyproject.toml --extra laptop --extra postgres --group build -o requirements.txt
compile pyproject.toml --extra laptop --extra github --extra ldap --extra postgres --extra tracing --group dev --group build -c requirements.txt -o requirements-dev.txt
printf 'uv==%s\n' "$("$bin/uv" --version | cut -d' ' -f2)" | compile - -o requirements-uv.txt
! grep -nE 'https?://' requirements*.txt
