# Fibers beside gevent's greenlets and Go's goroutines; libc's functions behind their shims beside libc's own. Each on one
# thread of one processor, in nanoseconds of its time. See Scripts/lib/bench.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with Scripts/lib/bench.sh

rows=(
    'spawn + join of a fiber               | ns | fiber-spawn-join       | gevent:spawn-join              | >= 10 x'
    'spawn + join of a fiber               | ns | fiber-spawn-join       | Go:spawn-join                  | <= 1000 ns'
    'park + wake of a fiber                | ns | fiber-park-wake        | gevent:park-wake               | -'
    'park + wake of a fiber                | ns | fiber-park-wake        | Go:park-wake                   | <= 250 ns'
    # 10,000 of them, each doing 100 round trips with another.
    'socket round trip of a fiber          | ns | sockets                | gevent:sockets                 | >= 5 x'
    'socket round trip of a fiber          | ns | sockets                | Go:sockets                     | >= 0.667 x'
    # Between two: libc's recv in fibers, and the reactor's own wait in async greenlets.
    'recv that blocks, in a fiber          | ns | recv-in-fiber          | async:async-wait               | >= 0.667 x'
    '100,000 parked fibers                 | MiB | parked-fibers         | gevent:parked                  | <= 1229 MiB'
    '100,000 parked async greenlets        | MiB | parked-async          | gevent:parked                  | <= 150 MiB'
    # What a shim adds to a call off fibers, beside the call itself.
    'recv, its shim off fibers             | ns | recv-shim              | libc:recv-libc                 | <= 2 ns'
    'send, its shim off fibers             | ns | send-shim              | libc:send-libc                 | <= 2 ns'
    'read, its shim off fibers             | ns | read-shim              | libc:read-libc                 | <= 2 ns'
    'poll, its shim off fibers             | ns | poll-shim              | libc:poll-libc                 | <= 2 ns'
    'mutex, its shims off fibers           | ns | mutex-shim             | libc:mutex-libc                | <= 2 ns'
    'condition signal, its shim off fibers | ns | condition-shim         | libc:condition-libc            | <= 2 ns'
)
rounds=${quick:+3}
rounds=${rounds:-5}

prepare() {
    install_missing go python
    require_swift
    build_benchmark shim-bench
    shim_program=$program
    build_benchmark greenlet-bench
    prepare_python
    go build -o "$peers/greenlets-go" Benchmarks/peers/greenlets.go Benchmarks/peers/measure.go
    export PYTHONDONTWRITEBYTECODE=1 # the peers' sources are in the checkout
    ulimit -Sn "$(ulimit -Hn)"       # for the socket pairs
}

run_program() {
    local command
    case $1:$2 in
    libc:* | ours:*-shim)
        command=("$shim_program") ;;
    ours:* | async:*) command=("$program") ;;
    Go:*) command=("$peers/greenlets-go") ;;
    gevent:*) command=("$python" Benchmarks/peers/greenlets_gevent.py) ;;
    esac
    pinned "${command[@]}" --only "$2" ${quick:+"$quick"}
}

describe() {
    printf '%s; %s; ' "$(getconf GNU_LIBC_VERSION)" "$(go version)"
    "$python" -c 'import gevent, platform; print("Python", platform.python_version(), "with gevent", gevent.__version__)'
}
