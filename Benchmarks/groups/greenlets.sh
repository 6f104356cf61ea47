# libc's functions behind their shims beside libc's own, off fibers, in nanoseconds of one processor's time: a shim may add 2 ns
# to a call, 4 to a pair. See Scripts/lib/bench.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with Scripts/lib/bench.sh

rows=(
    'recv on a bad descriptor, off fibers  | ns | recv-bad-descriptor    | libc:recv-bad-descriptor-libc  | -'
    'poll of nothing, off fibers           | ns | poll-nothing           | libc:poll-nothing-libc         | -'
    'mutex: lock + unlock, off fibers      | ns | mutex                  | libc:mutex-libc                | -'
    'condition: signal, off fibers         | ns | condition-signal       | libc:condition-signal-libc     | <= 5 ns'
)
rounds=${quick:+3}
rounds=${rounds:-5}

prepare() {
    require_swift
    build_benchmark shim-bench
}

run_program() {
    pinned "$program" --only "$2" ${quick:+"$quick"}
}

describe() {
    printf '%s\n' "$(getconf GNU_LIBC_VERSION)"
}
