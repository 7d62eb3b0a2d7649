# Picks a Terraform of the host: the wanted minor, else the next newer one with a warning.
source "$TAXIWAY_ACTIONS/lib.sh"

candidates() {
  local path
  { printf '%s\n' "${TAXIWAY_TERRAFORMS:-}" | tr ':' '\n'; which -a terraform; } 2>/dev/null | sed '/^$/d' | awk '!seen[$0]++' |
    while read -r path; do
      printf '%s %s\n' "$(CHECKPOINT_DISABLE=1 "$path" version 2>/dev/null | sed -n '1s/^Terraform v//p')" "$path"
    done | grep '^[0-9]' || true
}

[ -z "$INPUT_TOKEN" ] || fail "cli_config_credentials_token: this runner signs in to no registry of modules. Leave it out."
wanted="$INPUT_VERSION"
case "$wanted" in "" | latest) wanted=1.x ;; esac
found="$(candidates)"
choice="$(printf '%s\n' "$found" | sed '/^$/d' | pick_version "$wanted" 2)"
[ -n "$choice" ] || fail "No Terraform for '$wanted' on this host (found: $(printf '%s\n' "$found" | cut -d' ' -f1 | paste -sd' ' -)). Install one where every user can run it, for example /usr/local/bin."
version="${choice%% *}" binary="${choice#* }"
case "$wanted" in
  [0-9]*.[0-9]*)
    minor="$(printf '%s' "$wanted" | grep -oE '^[0-9]+\.[0-9]+')"
    case "$version" in "$minor" | "$minor".*) ;; *) warn "Terraform $minor is not on this host; the job uses $version, the next newer one." ;; esac
    ;;
esac

# The wrapper of the original makes outputs of what a step prints; steps that need that say so.
[ "$INPUT_WRAPPER" = false ] || warn "Steps get Terraform itself: stdout, stderr and exitcode are no outputs here. Set terraform_wrapper: false."
add_path "$(dirname "$binary")"
export_env CHECKPOINT_DISABLE 1
export_env TF_IN_AUTOMATION 1
printf 'Terraform %s (%s)\n' "$version" "$binary"
