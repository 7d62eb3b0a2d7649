# Copies the files that match the patterns to $TAXIWAY_ARTIFACTS/<name>. As on GitHub, one path keeps its inner layout,
# several paths keep the layout below their common folder, "!" excludes, and a name is written once.
source "$TAXIWAY_ACTIONS/lib.sh"
shopt -s globstar nullglob dotglob

search_path() { # the part of a pattern before its first wildcard
  local pattern="$1"
  case "$pattern" in
    *[*?[]*) pattern="${pattern%%[*?[]*}" pattern="${pattern%/*}" ;;
  esac
  printf '%s\n' "${pattern:-/}"
}

files_of() { # every file that a pattern means, one a line; a folder means all below it
  local IFS= match
  for match in $1; do
    if [ -d "$match" ]; then find -L "$match" -type f; elif [ -e "$match" ]; then printf '%s\n' "$match"; fi
  done | sort -u
}

common_folder() { # longest common folder of the paths on stdin
  awk -F/ 'NR == 1 { n = split($0, common, "/"); next }
    { m = split($0, part, "/"); for (i = 1; i <= n && i <= m && common[i] == part[i]; i++); n = i - 1 }
    END { for (i = 2; i <= n; i++) out = out "/" common[i]; print (out == "" ? "/" : out) }'
}

drop_hidden() { # of the files on stdin those without a dot name below the search path $1
  if [ "$INPUT_INCLUDE_HIDDEN_FILES" = true ]; then cat; else
    awk -v base="$1" '{ rest = (index($0, base "/") == 1) ? substr($0, length(base) + 1) : ""; if (rest !~ /\/\./) print }'
  fi
}

name="$INPUT_NAME"
case "$name" in
  "" | . | .. | *[\":\<\>\|\*\?\\/]* | *$'\n'*) fail "'$name' is not an artifact name: it must not be empty or hold any of \" : < > | * ? \\ / or a line break." ;;
esac
target="$TAXIWAY_ARTIFACTS/$name"
if [ -e "$target" ]; then
  [ "$INPUT_OVERWRITE" = true ] || fail "This run already has an artifact named '$name'. Give each upload a name of its own, or set 'overwrite: true'."
fi

work="$(mktemp -d "$TAXIWAY_ARTIFACTS/.upload-XXXXXX")"
trap 'rm -rf "$work"' EXIT
touch "$work/found" "$work/excluded" "$work/roots"
while IFS= read -r line; do
  case "$line" in
    "!"*) files_of "$(absolute "${line#!}")" >>"$work/excluded" ;;
    *)
      pattern="$(absolute "$line")" root="$(search_path "$(absolute "$line")")"
      printf '%s\n' "$root" >>"$work/roots"
      files_of "$pattern" | drop_hidden "$root" >>"$work/found"
      ;;
  esac
done < <(lines "$INPUT_PATH")
sort -u "$work/found" | grep -vxFf "$work/excluded" >"$work/list" || true

if [ ! -s "$work/list" ]; then
  message="No files were found for the artifact '$name' with: $(lines "$INPUT_PATH" | paste -sd' ' -)"
  case "$INPUT_IF_NO_FILES_FOUND" in
    ignore) printf '%s\n' "$message"; exit 0 ;;
    error) fail "$message. Check 'path', or that the step before made them." ;;
    *) warn "$message"; exit 0 ;;
  esac
fi

root="$(sort -u "$work/roots" | common_folder)"
[ -d "$root" ] || root="$(dirname "$root")"
mkdir "$work/files"
while IFS= read -r file; do
  relative="${file#"${root%/}"/}"
  mkdir -p "$work/files/$(dirname "$relative")"
  cp -L --preserve=mode -- "$file" "$work/files/$relative"
done <"$work/list"
digest="$(cd "$work/files" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)"
rm -rf "$target"
mv -T "$work/files" "$target"
output artifact-id "$(find "$TAXIWAY_ARTIFACTS" -mindepth 1 -maxdepth 1 -type d ! -name '.*' | wc -l)"
output artifact-digest "$digest"
printf 'Artifact %s: %s file(s), sha256 %s\n' "$name" "$(wc -l <"$work/list")" "$digest"
