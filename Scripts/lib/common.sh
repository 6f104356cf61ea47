# Sourced by the scripts beside this directory, which have set -euo pipefail.
# shellcheck shell=bash

# The checkout, wherever the script was called from.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cd "$root" || exit

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# The usual 1024 descriptors are too few: the linter opens every source file, the tests have a thousand open at once, and a
# service has one for each client.
raise_descriptor_limit() {
    local wanted=65536 most
    most=$(ulimit -Hn)
    if [[ $most != unlimited ]] && ((most < wanted)); then wanted=$most; fi
    if [[ $(ulimit -Sn) != unlimited ]] && (($(ulimit -Sn) < wanted)); then ulimit -Sn "$wanted"; fi
}
raise_descriptor_limit
