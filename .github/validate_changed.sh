#!/usr/bin/env bash
# Validates the submissions that differ between two commits, and refuses other changes beside them.
#
#     validate_changed.sh CHECKOUT BASE HEAD REPORT
#
# Names of submissions that are in the branch of this script already are taken.
# CHECKOUT is read and never run. Names of files come from strangers: they are quoted, separated
# by zeros, and given to commands behind a folder, so that none is taken for an option.
set -euo pipefail
checkout=$1 base=$2 head=$3 report=$4
trusted=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
seeds=5 # of each task, as in the sweep of the methods that submissions are ranked with

list=$(mktemp)
trap 'rm -f "$list"' EXIT
git -C "$checkout" diff --no-renames --name-only -z "$base...$head" >"$list"
mapfile -d '' -t changed <"$list"
declare -A folders=()
others=()
for path in "${changed[@]}"; do
    if [[ "$path" == submissions/* && "$path" != submissions/README.md ]]; then
        inside=${path#submissions/}
        folders["${inside%%/*}"]=1
    else
        others+=("$path")
    fi
done
if [[ ${#folders[@]} -eq 0 ]]; then
    echo "There is no submission to validate."
    exit 0
fi
if [[ ${#others[@]} -gt 0 ]]; then
    echo "A pull request with a submission changes nothing but folders in submissions/, got:" >&2
    printf '  - %q\n' "${others[@]}" >&2
    exit 1
fi

submissions=()
for name in "${!folders[@]}"; do
    place="$checkout/submissions/$name"
    if [[ -e "$place" || -L "$place" ]]; then
        submissions+=("$place")
    else
        printf 'Removed: %q\n' "$name"
    fi
done
if [[ ${#submissions[@]} -gt 0 ]]; then
    glassbench validate --jobs "$(nproc)" --seeds "$seeds" --beside "$trusted/submissions" --output "$report" "${submissions[@]}"
fi
