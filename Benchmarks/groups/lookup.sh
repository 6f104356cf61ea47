# The lookup service to clients with one line in flight each, beside pgbench -S -M prepared with as many clients on the
# same server. Server, service and load share all processors. See Scripts/lib/bench.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with Scripts/lib/bench.sh

rows=(
    'lookups, callback style | lookups/s | callback | pgbench:select | -'
    'lookups, async style    | lookups/s | async    | pgbench:select | -'
)
rounds=${quick:+1}
rounds=${rounds:-3}
seconds=${seconds:-${quick:+1}}
seconds=${seconds:-5}
clients=${clients:-64}

prepare() {
    install_missing server
    require_swift
    set_build_flags
    swift build "${build_flags[@]}" --configuration release --product service >&2
    service=$(swift build "${build_flags[@]}" --configuration release --show-bin-path)/service
    build_benchmark lookup-load
    pgbench=$(pg_config --bindir)/pgbench

    chmod 755 "$work" # the server's account must be able to enter it
    ln -s "$root/Migrations" "$work/Migrations"
    trap finish EXIT
    (cd "$work" && exec env -u DATABASE_URL "$service" --endpoint 127.0.0.1:0 --async-endpoint 127.0.0.1:0 \
        --pool-size 16 >"$work/log" 2>&1) &
    pid=$!
    for _ in {1..300}; do
        grep -q 'Scripts/migrate' "$work/log" && break
        kill -0 "$pid" 2>/dev/null || fail "the service did not start: $(cat "$work/log")"
        sleep 0.1
    done
    mapfile -t ports < <(sed -n 's/.* on  *127\.0\.0\.1:\([0-9]*\)$/\1/p' "$work/log")
    local account
    if [[ $(id -u) -eq 0 ]]; then account=postgres; else account=$(id -un); fi
    database=(-h "$work/.postgres/socket" -U "$account")
    "$pgbench" "${database[@]}" -i -q -s 10 postgres >/dev/null 2>&1
    rss=$(awk '/VmRSS/ {print $2}' "/proc/$pid/status")
}

finish() {
    if [[ -n ${pid:-} ]]; then
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" || true
    fi
    rm -rf "$work"
}

run_program() {
    case $2 in
    callback) load "$2" "${ports[0]}" ;;
    async) load "$2" "${ports[1]}" ;;
    select)
        "$pgbench" "${database[@]}" -S -M prepared -c "$clients" -j 1 -T "$seconds" postgres 2>/dev/null |
            sed -n 's/^tps = \([0-9]*\).*/select \1/p'
        ;;
    esac
}

# load NAME PORT
load() {
    local line
    line=$("$program" --port "$2" --clients "$clients" --seconds "$seconds")
    say "$1 style: $line"
    sed -n "s/^\([0-9][0-9]*\) requests.*/$1 \1/p" <<<"$line"
}

describe() {
    printf '%s clients for %s s; resident memory of the idle service: %s KiB' "$clients" "$seconds" "$rss"
}
