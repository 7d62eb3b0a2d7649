# Picks a Python of the host (the wanted minor, else the next newer one with a warning) and gives the job a virtual
# environment of its own with it, so that `pip install` never touches the host.
source "$TAXIWAY_ACTIONS/lib.sh"

wanted_version() {
  if [ -n "$INPUT_VERSION" ]; then
    lines "$INPUT_VERSION" | tail -n 1
  elif [ -n "$INPUT_VERSION_FILE" ]; then
    local file
    file="$(absolute "$INPUT_VERSION_FILE")"
    [ -f "$file" ] || fail "python-version-file '$INPUT_VERSION_FILE' does not exist in the repository."
    case "$file" in
      *.toml) sed -n 's/^requires-python *= *["'"'"']\([^"'"'"']*\)["'"'"'].*/\1/p' "$file" | head -n 1 ;;
      *) lines "$(cat "$file")" | grep -v '^#' | head -n 1 ;;
    esac
  else
    printf '3.x\n'
  fi
}

candidates() { # "<version> <path>" of every interpreter that this user can run
  local path
  { printf '%s\n' "${TAXIWAY_PYTHONS:-}" | tr ':' '\n'; compgen -c python3 | grep -E '^python3(\.[0-9]+)?$' | sort -u | xargs -r which -a; } 2>/dev/null |
    sed '/^$/d' | awk '!seen[$0]++' | while read -r path; do
    [ -x "$path" ] || continue
    "$path" -I -c 'import sys; print("%d.%d.%d" % sys.version_info[:3], sys.executable)' 2>/dev/null || true
  done
}

make_environment() { # $1 interpreter, $2 folder. The bundled pip is unpacked instead of installed: 0.2 s instead of 2 s
  "$1" -I -m venv --without-pip "$2"
  "$2/bin/python" -I - "$2" <<'PY' || "$1" -I -m venv --clear "$2" ||
import ensurepip, glob, os, sys, sysconfig, zipfile
bundled = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "pip-*.whl")
wheels = sorted(glob.glob(bundled) + glob.glob("/usr/share/python-wheels/pip-*.whl"))
if not wheels:
    sys.exit(1)
zipfile.ZipFile(wheels[-1]).extractall(sysconfig.get_path("purelib"))
for name in ("pip", "pip3"):
    script = os.path.join(sys.argv[1], "bin", name)
    with open(script, "w") as file:
        file.write('#!/bin/sh\nexec "%s/bin/python" -m pip "$@"\n' % sys.argv[1])
    os.chmod(script, 0o755)
PY
    fail "This host's Python ($1) cannot make virtual environments. Install its venv package (Debian: python3-venv)."
}

wanted="$(wanted_version)"
case "$wanted" in
  pypy* | graalpy*) fail "Python '$wanted' is not available on this runner, which offers CPython of the host only." ;;
esac
found="$(candidates)"
choice="$(printf '%s\n' "$found" | sed '/^$/d' | pick_version "$wanted" 2)"
[ -n "$choice" ] || fail "No Python for '$wanted' on this host (found: $(printf '%s\n' "$found" | cut -d' ' -f1 | sort -u | paste -sd' ' -)). Install one where every user can run it, for example under /usr/local."
version="${choice%% *}" interpreter="${choice#* }"
case "$wanted" in
  [0-9]*.[0-9]*)
    minor="$(printf '%s' "$wanted" | grep -oE '^[0-9]+\.[0-9]+')"
    [ "${version#"$minor".}" != "$version" ] || warn "Python $minor is not on this host; the job uses $version, the next newer one."
    ;;
esac

folder="$RUNNER_TEMP/python-$version"
[ -x "$folder/bin/python" ] || make_environment "$interpreter" "$folder"
if [ "$INPUT_UPDATE_ENVIRONMENT" = true ]; then
  add_path "$folder/bin"
  export_env pythonLocation "$folder"
  export_env Python_ROOT_DIR "$folder"
fi
case "$INPUT_CACHE" in
  "") ;;
  pip) output cache-hit "$(use_cache_folder PIP_CACHE_DIR pip)" ;;
  pipenv) output cache-hit "$(use_cache_folder PIPENV_CACHE_DIR pipenv)" ;;
  poetry) output cache-hit "$(use_cache_folder POETRY_CACHE_DIR poetry)" ;;
  *) fail "cache: '$INPUT_CACHE' is not one of pip, pipenv, poetry." ;;
esac
output python-version "$version"
output python-path "$folder/bin/python"
[ -z "$INPUT_PIP_INSTALL" ] || (cd "$GITHUB_WORKSPACE" && eval "set -- $INPUT_PIP_INSTALL" && "$folder/bin/pip" install "$@")
printf 'Python %s (%s)\n' "$version" "$interpreter"
