# The pushed commit is already in the workspace when a job starts; this runs only for another repository or ref.
source "$TAXIWAY_ACTIONS/lib.sh"
[ -z "$INPUT_REPOSITORY" ] || [ "$INPUT_REPOSITORY" = "$GITHUB_REPOSITORY" ] ||
  fail "actions/checkout of another repository ($INPUT_REPOSITORY) is not available on this runner; only the pushed repository is checked out. Remove 'repository' or run this job on GitHub."
case "$INPUT_REF" in
  "" | "$GITHUB_REF" | "$GITHUB_REF_NAME" | "$GITHUB_SHA") ;;
  *) fail "actions/checkout of ref '$INPUT_REF' is not available on this runner; the workspace holds $GITHUB_REF at $GITHUB_SHA. Remove 'ref' or run this job on GitHub." ;;
esac
