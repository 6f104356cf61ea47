# PostgreSQL through the pool beside pgbench, asyncpg, psycopg's pool and gevent with psycopg, all with the same statement on the
# same server: the server has one processor, the client another. See Scripts/lib/bench.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with Scripts/lib/bench.sh

rows=(
    # 64 greenlets share the connections.
    'point select, 16, .automatic          | queries/s | select-automatic             | pgbench:select-16  | >= 1.3 x'
    'point select, 16, .automatic          | queries/s | select-automatic             | gevent:select      | >= 3 x'
    'point select, 16, .automatic          | queries/s | select-automatic             | asyncpg:select     | >= 5 x'
    'point select, 16, .automatic          | queries/s | select-automatic             | psycopg:select     | -'
    'point select, 16, .exclusive          | queries/s | select-16-connections        | pgbench:select-16  | -'
    'the same in fibers                    | queries/s | select-16-connections-fibers | pgbench:select-16  | -'
    '64 greenlets, .multiplexed(4)         | queries/s | select-multiplexed           | pgbench:select-16  | >= 3 x'
    'one greenlet, one connection          | queries/s | select-1-connection          | pgbench:select-1   | >= 0.9 x'
    # 1,000,000 rows of four columns; C is a loop over single-row libpq that reads the same values.
    'rows streamed and decoded             | rows/s    | stream                       | C:stream           | >= 0.8 x'
    'the same, processor time a row        | ns        | stream-cpu                   | C:stream-cpu       | -'
    'COPY in                               | rows/s    | copy-in                      | psql:copy-in       | >= 0.9 x'
    'pool: acquire + release               | ns        | acquire-release              | -:-                | <= 1000 ns'
    'clone of a template database           | ms        | clone                        | -:-                | <= 50 ms'
    # Lateness is the loop's own only where nothing else takes its processor: whoever does keeps it for some 4 ms at a time.
    '10 ms ticker beside it all, p99.9     | ms        | ticker-lateness-undisturbed  | -:-                | <= 5 ms'
    'the same, with all that runs here     | ms        | ticker-lateness              | -:-                | -'
)
rounds=${quick:+1}
rounds=${rounds:-3}
seconds=${seconds:-${quick:+1}}
export BENCH_SECONDS=${seconds:-3}

prepare() {
    install_missing server python
    require_swift
    build_benchmark postgres-bench
    prepare_python
    export PYTHONDONTWRITEBYTECODE=1 # the peers' sources are in the checkout
    pgbench=$(pg_config --bindir)/pgbench
    ulimit -Sn "$(ulimit -Hn)" # for the thousand connections

    undisturbed=(chrt --fifo 10)
    if ! "${undisturbed[@]}" true 2>/dev/null; then
        say "no right to run before other programs (chrt --fifo): what they take is part of the ticker's lateness"
        undisturbed=()
    fi

    # The last processor is the client's; see pinned.
    coproc server { exec taskset -c 0 "$program" --serve; }
    trap finish EXIT
    read -r -t 60 DATABASE_URL <&"${server[0]}" || fail "the server did not start"
    export DATABASE_URL
    "$pgbench" -i -q -s 10 "$DATABASE_URL" >/dev/null 2>&1
    mkdir -p "$peers"
    # shellcheck disable=SC2046 # several words
    cc -O2 -o "$peers/postgres-stream" Benchmarks/peers/postgres_stream.c $(pkg-config --cflags --libs libpq)
    awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "%d\t%d\t%.15g\trow %d\n", i, i % 100, i / 3, i }' >"$work/rows"
}

finish() {
    eval "exec ${server[1]}>&-" || true
    wait "$server_PID" 2>/dev/null || true
    rm -rf "$work"
}

run_program() {
    case $1:$2 in
    -:-) echo '- 0' ;;
    ours:ticker-lateness-undisturbed)
        pinned "${undisturbed[@]}" "$program" --only ticker-lateness ${quick:+"$quick"} | sed 's/^ticker-lateness/&-undisturbed/'
        ;;
    ours:*) pinned "$program" --only "$2" ${quick:+"$quick"} ;;
    pgbench:select-*)
        pinned "$pgbench" -S -M prepared -c "${2#select-}" -j 1 -T "$BENCH_SECONDS" "$DATABASE_URL" 2>/dev/null |
            sed -n "s/^tps = \([0-9]*\).*/$2 \1/p"
        ;;
    C:*) pinned "$peers/postgres-stream" ;;
    psql:copy-in)
        psql -q -X "$DATABASE_URL" -c 'TRUNCATE bench_copy'
        TIMEFORMAT=%R
        { time pinned psql -q -X "$DATABASE_URL" -c "\\copy bench_copy from '$work/rows'"; } 2>&1 |
            awk '{ printf "copy-in %.0f\n", 1000000 / $1 }'
        ;;
    *) pinned "$python" "Benchmarks/peers/postgres_$1.py" ;;
    esac
}

describe() {
    "$pgbench" --version | tr '\n' ' '
    "$python" -c 'import asyncpg, gevent, platform, psycopg; print("Python", platform.python_version(), "with asyncpg", asyncpg.__version__, "psycopg", psycopg.__version__, "gevent", gevent.__version__)'
}
