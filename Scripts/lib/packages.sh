# Installs what the build and the tests need and the system lacks. Sourced after common.sh.
# shellcheck shell=bash
: "${root:?}"

has_server() {
    local directory
    for directory in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin; do
        if [[ -x $directory/initdb && -x $directory/postgres ]]; then return 0; fi
    done
    return 1
}

# Libraries that the tests of BlockingShims look into and call, and that no header is needed of: the beginning of the
# file's name, and a pattern for the package, whose name changes with the releases (apt-get takes patterns).
client_libraries=(
    'libcurl.so.4 ^libcurl4(t64)?$'
    'libhiredis.so. ^libhiredis[0-9.]+$'
    'libldap ^libldap(-2\.[0-9]+-0|2)$'
    'libmariadb.so.3 ^libmariadb3$'
    'libssh2.so.1 ^libssh2-1(t64)?$'
    'libmemcached.so.11 ^libmemcached11(t64)?$'
    'librabbitmq.so.4 ^librabbitmq4$'
)

# Prints the Debian packages for what is missing: what every build needs, and what the arguments name.
# `server`: PostgreSQL's server. `clients`: client_libraries. `pooler`: PgBouncer. `go`, `python`: what the benchmarks' peers are written in.
missing_packages() {
    local wanted known library
    command -v git >/dev/null || echo git
    command -v pkg-config >/dev/null || echo pkg-config
    # Asked of the compiler's search path rather than of dpkg: a hand-made installation is as good.
    pkg-config --exists libpq 2>/dev/null || echo libpq-dev
    pkg-config --exists openssl 2>/dev/null || echo libssl-dev
    for wanted in "$@"; do
        case $wanted in
        server) has_server || echo postgresql ;;
        clients)
            known=$(PATH=$PATH:/sbin ldconfig -p)
            for library in "${client_libraries[@]}"; do
                [[ $known == *"${library%% *}"* ]] || echo "${library##* }"
            done
            ;;
        pooler) [[ -x /usr/sbin/pgbouncer ]] || command -v pgbouncer >/dev/null || echo pgbouncer ;;
        go) command -v go >/dev/null || echo golang-go ;;
        python) python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv ;;
        *) fail "missing_packages: $wanted is not known" ;;
        esac
    done
}

# install_missing [server] [clients] [pooler] [go] [python]: does nothing, and needs no network and no rights, when all is there.
install_missing() {
    local packages as_root=()
    mapfile -t packages < <(missing_packages "$@")
    [[ ${#packages[@]} -gt 0 ]] || return 0

    command -v apt-get >/dev/null ||
        fail "missing: ${packages[*]} (names of Debian packages). There is no apt-get here: install them by hand."
    if [[ $EUID -ne 0 ]]; then
        # sudo may ask for a password where someone can type it.
        if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
            fail "missing: ${packages[*]}. Ask an administrator for: apt-get install ${packages[*]}"
        fi
        as_root=(sudo)
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive)

    say "installing ${packages[*]}"
    # Another apt may hold the lock on a machine that has just booted.
    local options=(-qq -o DPkg::Lock::Timeout=300)
    "${as_root[@]}" apt-get "${options[@]}" update >&2 || fail "apt-get update failed; see above"
    "${as_root[@]}" apt-get "${options[@]}" install --yes --no-install-recommends "${packages[@]}" >&2 ||
        fail "apt-get install ${packages[*]} failed; see above"
    mapfile -t packages < <(missing_packages "$@")
    [[ ${#packages[@]} -eq 0 ]] || fail "still missing after the installation: ${packages[*]}"
}

# What a program needs that starts a private cluster unless DATABASE_URL says where a database is.
install_for_database() {
    if [[ -n ${DATABASE_URL:-} ]]; then install_missing; else install_missing server; fi
}
