# Picks a Go of the host: the wanted minor, else the next newer one with a warning (Go builds older modules).
source "$TAXIWAY_ACTIONS/lib.sh"

wanted_version() {
  if [ -n "$INPUT_VERSION" ]; then
    printf '%s\n' "${INPUT_VERSION#go}"
  elif [ -n "$INPUT_VERSION_FILE" ]; then
    local file
    file="$(absolute "$INPUT_VERSION_FILE")"
    [ -f "$file" ] || fail "go-version-file '$INPUT_VERSION_FILE' does not exist in the repository."
    case "$file" in
      *go.mod | *go.work) sed -n 's/^go  *\([0-9.]*\).*/\1/p' "$file" | head -n 1 ;;
      *) lines "$(cat "$file")" | grep -v '^#' | head -n 1 | sed -e 's/^golang *//' -e 's/^go//' ;;
    esac
  else
    printf '1.x\n'
  fi
}

candidates() {
  local path
  { printf '%s\n' "${TAXIWAY_GOS:-}" | tr ':' '\n'; which -a go; printf '/usr/local/go/bin/go\n'; } 2>/dev/null | sed '/^$/d' | awk '!seen[$0]++' |
    while read -r path; do
      [ -x "$path" ] || continue
      printf '%s %s\n' "$(GOTOOLCHAIN=local "$path" env GOVERSION 2>/dev/null | sed 's/^go//')" "$path"
    done | grep '^[0-9]' || true
}

wanted="$(wanted_version)"
case "$wanted" in stable | oldstable | latest) wanted=1.x ;; esac
found="$(candidates)"
choice="$(printf '%s\n' "$found" | sed '/^$/d' | pick_version "$wanted" 2)"
[ -n "$choice" ] || fail "No Go for '$wanted' on this host (found: $(printf '%s\n' "$found" | cut -d' ' -f1 | paste -sd' ' -)). Install one where every user can run it, for example /usr/local/go."
version="${choice%% *}" binary="${choice#* }"
case "$wanted" in
  [0-9]*.[0-9]*)
    minor="$(printf '%s' "$wanted" | grep -oE '^[0-9]+\.[0-9]+')"
    case "$version" in "$minor" | "$minor".*) ;; *) warn "Go $minor is not on this host; the job uses $version, the next newer one." ;; esac
    ;;
esac

add_path "$(dirname "$binary")"
export_env GOTOOLCHAIN local
if [ "$INPUT_CACHE" = true ]; then
  use_cache_folder GOCACHE go-build >/dev/null
  output cache-hit "$(use_cache_folder GOMODCACHE go-mod)"
fi
output go-version "$version"
printf 'Go %s (%s)\n' "$version" "$binary"
