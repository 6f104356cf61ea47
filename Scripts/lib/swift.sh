# The toolchain and the way every script calls it. Sourced after common.sh.
# shellcheck shell=bash
: "${root:?}"

# Puts a Swift toolchain of at least 6.2 on PATH, looking where installers put one that no shell has set up.
require_swift() {
    local directory version
    if ! command -v swift >/dev/null; then
        for directory in "${SWIFTLY_BIN_DIR:-${HOME:-/nonexistent}/.local/share/swiftly/bin}" \
            /opt/swift/usr/bin /opt/swift/bin /usr/local/swift/usr/bin /usr/libexec/swift/bin; do
            if [[ -x $directory/swift ]]; then
                PATH=$directory:$PATH
                break
            fi
        done
    fi
    local advice="Install Swift 6.2 or newer: https://www.swift.org/install/linux/"
    command -v swift >/dev/null || fail "no Swift toolchain found. $advice"
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [[ $version =~ ^([0-9]+)\.([0-9]+)$ ]] || fail "cannot tell the version of $(command -v swift). $advice"
    ((BASH_REMATCH[1] > 6 || (BASH_REMATCH[1] == 6 && BASH_REMATCH[2] >= 2))) ||
        fail "$(command -v swift) is Swift $version. $advice"
}

# Whether $1 is a build directory of ours, or can become one.
is_usable_scratch() {
    if [[ -e $1 ]]; then [[ -O $1 && -w $1 ]]; else [[ -w ${1%/*} ]]; fi
}

# Sets build_flags, one set for every build and test, so that nothing is built twice. With scratch_suffix set it
# is another kind of build, which gets directories of its own.
#
# Root and plain users may share a checkout. Each builds in a directory of its own: one cannot overwrite the other's
# files, and files of root in somebody's .build break their next build.
set_build_flags() {
    local scratch cache=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/green-reactor
    for scratch in "$root/.build${scratch_suffix:-}" "$root/.build-$(id -un)${scratch_suffix:-}" \
        "$cache/build-$(cksum <<<"$root" | tr -dc '0-9')${scratch_suffix:-}"; do
        if [[ $scratch == "$cache"/* ]]; then mkdir -p "$cache"; fi
        if is_usable_scratch "$scratch"; then break; fi
    done
    is_usable_scratch "$scratch" || fail "no directory to build in: neither $root nor $cache is writable"

    # Precompiled modules refuse to be used under another path, with errors that do not say so: what was built before
    # the checkout was copied or moved is useless. Sources of dependencies are kept.
    local manifest
    for manifest in "$scratch"/debug.yaml "$scratch"/release.yaml; do
        if [[ -f $manifest ]] && ! grep -qF "\"$scratch/" "$manifest"; then
            say "$scratch was built elsewhere: building anew"
            rm -rf "$scratch"/*-linux-* "$scratch"/build.db "$scratch"/debug.yaml "$scratch"/release.yaml
        fi
    done
    build_flags=(--scratch-path "$scratch" --explicit-target-dependency-import-check error)
}

# run_product NAME ARGUMENTS...: builds the executable and becomes it.
run_product() {
    local product=$1 configuration=${SERVE_CONFIGURATION:-release} binaries
    shift
    build_flags+=(--configuration "$configuration")
    # The program's own output is all that appears on the standard output.
    swift build "${build_flags[@]}" --product "$product" >&2
    binaries=$(swift build "${build_flags[@]}" --show-bin-path)
    exec "$binaries/$product" "$@"
}
