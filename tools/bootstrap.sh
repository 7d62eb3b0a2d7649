#!/usr/bin/env bash
# Makes the virtual environment $2 with Python $1 and installs exactly what lock file $3 says, plus Taxiway itself.
set -euo pipefail
python=$1 venv=$2 lock=$3
cd "$(dirname "$0")/.."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Taxiway needs Python 3.11 or newer: make PYTHON=/path/to/python3 …" >&2
  exit 1
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  [ -x "$venv/bin/uv" ] || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --require-hashes --no-deps -r requirements-uv.txt
  uv=$venv/bin/uv
fi
VIRTUAL_ENV=$PWD/$venv "$uv" pip install --quiet --require-hashes -r "$lock"
VIRTUAL_ENV=$PWD/$venv "$uv" pip install --quiet --no-deps --no-build-isolation -e .
