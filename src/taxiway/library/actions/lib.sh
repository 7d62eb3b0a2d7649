# Shared by the composite actions of this folder. Sourced by bash; expects the environment that the runner sets:
# TAXIWAY_ACTIONS (this folder), TAXIWAY_CACHE (folder of this repository's caches), TAXIWAY_ARTIFACTS (of this run).
set -euo pipefail

fail() {
  printf '::error::%s\n' "$*"
  exit 1
}

warn() { printf '::warning::%s\n' "$*"; }

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

export_env() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_ENV"; }

add_path() { printf '%s\n' "$1" >>"$GITHUB_PATH"; }

lines() { # non-empty lines of $1 without surrounding blanks
  printf '%s\n' "$1" | sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e '/^$/d'
}

absolute() { # $1 as an absolute path below the workspace, ~ expanded; a trailing slash goes
  local path="$1"
  case "$path" in
    "~") path="$HOME" ;;
    "~/"*) path="$HOME/${path#\~/}" ;;
    /*) ;;
    *) path="$GITHUB_WORKSPACE/${path#./}" ;;
  esac
  [ "$path" = / ] || path="${path%/}"
  printf '%s\n' "${path%/.}"
}

use_cache_folder() { # $1 variable that names the tool's cache, $2 folder name; prints whether it held anything
  local folder="$TAXIWAY_CACHE/tools/$2" hit=false
  mkdir -p "$folder"
  [ -z "$(ls -A "$folder")" ] || hit=true
  export_env "$1" "$folder"
  printf '%s\n' "$hit"
}

pick_version() {
  # $1 the wanted version ("3.11", "3.x", ">=3.11", "20", "lts/*"), $2 how many parts must agree ("3.11" -> 2, "20" -> 1),
  # stdin "<version> <path>" per candidate. Prints the best candidate: the wanted one, else the lowest newer one.
  awk -v wanted="$1" -v parts="$2" '
    function number(text, n, part, i, sum) {
      split(text, part, "."); sum = 0
      for (i = 1; i <= n; i++) sum = sum * 10000 + part[i]
      return sum
    }
    function cleaned(text) { sub(/^[^0-9]*/, "", text); sub(/[^0-9.].*$/, "", text); return text }
    BEGIN {
      floor_only = wanted !~ /[0-9]/ || wanted ~ /^[>~^]/ || wanted ~ /(^|\.)[xX*]/
      want = number(cleaned(wanted), parts)
      if (match(wanted, /< *[0-9][0-9.]*/)) below = number(cleaned(substr(wanted, RSTART, RLENGTH)), parts)
    }
    {
      have = number($1, parts)
      if (below && have >= below) next
      full = number($1, 3)
      if (have == want) { if (full > exact) { exact = full; exact_line = $0 } }
      else if (have > want) {
        if (floor_only) { if (full > newest) { newest = full; newest_line = $0 } }
        else if (!nearest || full < nearest) { nearest = full; nearest_line = $0 }
      }
    }
    END {
      if (floor_only && newest_line && newest > exact) print newest_line
      else if (exact_line) print exact_line
      else if (newest_line) print newest_line
      else if (nearest_line) print nearest_line
    }'
}
