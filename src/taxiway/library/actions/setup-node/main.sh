# Picks a Node.js of the host: the wanted major, else the next newer one with a warning.
source "$TAXIWAY_ACTIONS/lib.sh"

wanted_version() {
  if [ -n "$INPUT_VERSION" ]; then
    printf '%s\n' "${INPUT_VERSION#v}"
  elif [ -n "$INPUT_VERSION_FILE" ]; then
    local file
    file="$(absolute "$INPUT_VERSION_FILE")"
    [ -f "$file" ] || fail "node-version-file '$INPUT_VERSION_FILE' does not exist in the repository."
    case "$file" in
      *package.json) sed -n 's/.*"node" *: *"\([^"]*\)".*/\1/p' "$file" | head -n 1 ;;
      *) lines "$(cat "$file")" | grep -v '^#' | head -n 1 | sed -e 's/^v//' -e 's/^nodejs *//' ;;
    esac
  else
    printf 'x\n'
  fi
}

candidates() {
  local path
  { printf '%s\n' "${TAXIWAY_NODES:-}" | tr ':' '\n'; which -a node; } 2>/dev/null | sed '/^$/d' | awk '!seen[$0]++' |
    while read -r path; do
      printf '%s %s\n' "$("$path" --version 2>/dev/null | sed 's/^v//')" "$path"
    done | grep '^[0-9]' || true
}

wanted="$(wanted_version)"
case "$wanted" in lts* | latest | current | node | "*") wanted=x ;; esac
found="$(candidates)"
choice="$(printf '%s\n' "$found" | sed '/^$/d' | pick_version "$wanted" 1)"
[ -n "$choice" ] || fail "No Node.js for '$wanted' on this host (found: $(printf '%s\n' "$found" | cut -d' ' -f1 | paste -sd' ' -)). Install one where every user can run it."
version="${choice%% *}" interpreter="${choice#* }"
case "$wanted" in
  [0-9]*) [ "${version%%.*}" = "${wanted%%.*}" ] || warn "Node.js ${wanted%%.*} is not on this host; the job uses $version, the next newer one." ;;
esac

add_path "$(dirname "$interpreter")"
case "$INPUT_CACHE" in
  "") ;;
  npm) output cache-hit "$(use_cache_folder npm_config_cache npm)" ;;
  yarn) output cache-hit "$(use_cache_folder YARN_CACHE_FOLDER yarn)" ;;
  pnpm) output cache-hit "$(use_cache_folder npm_config_store_dir pnpm)" ;;
  *) fail "cache: '$INPUT_CACHE' is not one of npm, yarn, pnpm." ;;
esac
if [ -n "$INPUT_REGISTRY_URL" ]; then
  registry="${INPUT_REGISTRY_URL%/}/" npmrc="$RUNNER_TEMP/.npmrc"
  {
    [ -z "$INPUT_SCOPE" ] || printf '@%s:' "${INPUT_SCOPE#@}"
    printf 'registry=%s\n' "$registry"
    printf '%s:_authToken=${NODE_AUTH_TOKEN}\n' "${registry#*:}"
  } >"$npmrc"
  export_env NPM_CONFIG_USERCONFIG "$npmrc"
fi
output node-version "v$version"
printf 'Node.js %s (%s)\n' "$version" "$interpreter"
