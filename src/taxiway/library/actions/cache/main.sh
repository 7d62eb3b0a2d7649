# Restores and saves paths under $TAXIWAY_CACHE/entries: one folder per key and list of paths, never overwritten, with
# <n>.tar for the n-th path where it is a folder and <n>.file where it is a file.
#
# A composite action cannot run at the end of a job, and the workspace is gone by then. So "both" leaves a note in
# $TAXIWAY_PENDING, keeps folders of the workspace in that note behind a link, and the runner calls this script with
# "commit" for each note whose job succeeded.
source "$TAXIWAY_ACTIONS/lib.sh"
store="$TAXIWAY_CACHE/entries"

save() { # $1 entry, $2 key; stdin "<n> <path>"
  [ ! -e "$store/$1" ] || { printf "Cache '%s' is there already\n" "$2"; return 0; }
  local part number path count=0
  part="$(mktemp -d "$store/.part-XXXXXX")"
  while read -r number path; do
    if [ -d "$path" ]; then
      [ -n "$(ls -A "$path")" ] || continue
      tar -C "$path" -cf "$part/$number.tar" .
    elif [ -f "$path" ]; then
      cp -- "$path" "$part/$number.file"
    else
      continue
    fi
    count=$((count + 1))
  done
  if [ "$count" = 0 ]; then
    rm -rf "$part"
    warn "Cache '$2' is not saved: none of its paths holds anything."
    return 0
  fi
  printf '%s\n' "$2" >"$part/key"
  mv -T "$part" "$store/$1" 2>/dev/null || rm -rf "$part"
  printf "Cache '%s' saved\n" "$2"
}

restore() { # $1 entry
  local number=0 path
  if [ "$INPUT_LOOKUP_ONLY" != true ]; then
    while IFS= read -r path; do
      if [ -f "$store/$1/$number.tar" ]; then
        mkdir -p "$path"
        tar -C "$path" -xf "$store/$1/$number.tar"
      elif [ -f "$store/$1/$number.file" ]; then
        mkdir -p "$(dirname "$path")"
        cp -- "$store/$1/$number.file" "$path"
      fi
      number=$((number + 1))
    done <<<"$paths"
  fi
  touch "$store/$1"
}

entry_of() { printf '%s\n%s\n' "$version" "$1" | sha256sum | cut -d' ' -f1; }

newest_with_prefix() { # entry of this list of paths whose key starts with $1
  local entry key
  while IFS= read -r entry; do
    key="$(cat "$store/$entry/key")"
    [[ "$key" == "$1"* ]] && [ "$(entry_of "$key")" = "$entry" ] || continue
    printf '%s\n' "$entry"
    return 0
  done < <(ls -1t "$store")
}

leave_note() { # for the end of the job; folders of the workspace move into the note, for the workspace does not last
  local note number=0 path
  note="$(mktemp -d "$TAXIWAY_PENDING/note-XXXXXX")"
  while IFS= read -r path; do
    if [[ "$path" == "$GITHUB_WORKSPACE"/* ]] && [ ! -L "$path" ] && { [ -d "$path" ] || [ ! -e "$path" ]; }; then
      mkdir -p "$(dirname "$path")"
      if [ -d "$path" ]; then mv -T "$path" "$note/$number"; else mkdir "$note/$number"; fi
      ln -s "$note/$number" "$path"
      path="$note/$number"
    fi
    printf '%s %s\n' "$number" "$path" >>"$note/paths"
    number=$((number + 1))
  done <<<"$paths"
  printf '%s' "$GITHUB_JOB" >"$note/job"
  printf '%s' "$entry" >"$note/entry"
  printf '%s' "$INPUT_KEY" >"$note/key"
}

mkdir -p "$store"
if [ "$1" = commit ]; then
  save "$(cat "$2/entry")" "$(cat "$2/key")" <"$2/paths"
  exit 0
fi

case "$INPUT_PATH" in
  *[*?[!]*) fail "cache: this runner keeps whole folders and files; 'path' must not hold wildcards or '!' ($(lines "$INPUT_PATH" | paste -sd' ' -))." ;;
esac
paths="$(while IFS= read -r line; do absolute "$line"; done < <(lines "$INPUT_PATH"))"
version="$(lines "$INPUT_PATH" | sha256sum | cut -d' ' -f1)"
entry="$(entry_of "$INPUT_KEY")"
if [ "$1" = save ]; then
  awk '{ print NR - 1, $0 }' <<<"$paths" | save "$entry" "$INPUT_KEY"
  exit 0
fi

output cache-primary-key "$INPUT_KEY"
if [ -e "$store/$entry" ]; then
  restore "$entry"
  output cache-hit true
  output cache-matched-key "$INPUT_KEY"
  printf "Cache '%s' restored\n" "$INPUT_KEY"
  exit 0
fi
match=""
while IFS= read -r prefix; do
  [ -n "$match" ] || match="$(newest_with_prefix "$prefix")"
done < <(lines "$INPUT_RESTORE_KEYS")
if [ -n "$match" ]; then
  restore "$match"
  output cache-hit false
  output cache-matched-key "$(cat "$store/$match/key")"
  printf "Cache '%s' restored for '%s'\n" "$(cat "$store/$match/key")" "$INPUT_KEY"
elif [ "$INPUT_FAIL_ON_CACHE_MISS" = true ]; then
  fail "No cache for '$INPUT_KEY', and fail-on-cache-miss is set."
else
  output cache-hit ""
  printf "No cache for '%s'\n" "$INPUT_KEY"
fi
[ "$1" != both ] || [ "$INPUT_LOOKUP_ONLY" = true ] || leave_note
