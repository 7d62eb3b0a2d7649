# Copies artifacts of this run from $TAXIWAY_ARTIFACTS: one by name, else those that match, each in a folder of its name
# unless they are merged.
source "$TAXIWAY_ACTIONS/lib.sh"

[ -z "$INPUT_ARTIFACT_IDS" ] || fail "'artifact-ids' is not available on this runner; use 'name' or 'pattern'."
[ -z "$INPUT_REPOSITORY" ] || [ "$INPUT_REPOSITORY" = "$GITHUB_REPOSITORY" ] || fail "Artifacts of another repository ($INPUT_REPOSITORY) are not available on this runner."
[ -z "$INPUT_RUN_ID" ] || [ "$INPUT_RUN_ID" = "$GITHUB_RUN_ID" ] || fail "Artifacts of another run ($INPUT_RUN_ID) are not available on this runner."

target="$(absolute "${INPUT_PATH:-.}")"
mkdir -p "$target"
have="$(find "$TAXIWAY_ARTIFACTS" -mindepth 1 -maxdepth 1 -type d ! -name '.*' -printf '%f\n' | sort)"
if [ -n "$INPUT_NAME" ]; then
  printf '%s\n' "$have" | grep -qxF -- "$INPUT_NAME" ||
    fail "This run has no artifact named '$INPUT_NAME' (it has: $(printf '%s' "$have" | paste -sd' ' -)). The job that uploads it must be in 'needs'."
  cp -a -- "$TAXIWAY_ARTIFACTS/$INPUT_NAME/." "$target/"
  printf 'Artifact %s: copied to %s\n' "$INPUT_NAME" "$target"
else
  count=0
  while IFS= read -r name; do
    # shellcheck disable=SC2053  # the pattern is a glob
    [ -n "$name" ] && [[ "$name" == ${INPUT_PATTERN:-*} ]] || continue
    folder="$target/$name"
    [ "$INPUT_MERGE_MULTIPLE" != true ] || folder="$target"
    mkdir -p "$folder"
    cp -a -- "$TAXIWAY_ARTIFACTS/$name/." "$folder/"
    count=$((count + 1))
  done <<<"$have"
  printf '%s artifact(s) copied to %s\n' "$count" "$target"
fi
output download-path "$target"
