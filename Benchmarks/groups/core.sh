# The core beside Go, gevent and Twisted: each on one thread of one processor, in nanoseconds of its time. See
# Scripts/lib/bench.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with Scripts/lib/bench.sh

rows=(
    # A value there and one back between two greenlets.
    'ping-pong over a channel, async       | ns | ping-pong              | Go:ping-pong                   | > 1 x'
    'ping-pong over a channel, async       | ns | ping-pong              | gevent:ping-pong               | >= 10 x'
    'ping-pong over a channel, sync        | ns | ping-pong-sync         | Go:ping-pong                   | -'
    'ping-pong over a channel, sync        | ns | ping-pong-sync         | gevent:ping-pong               | >= 10 x'
    'spawn + join, async                   | ns | spawn-join             | Go:spawn-join                  | > 1 x'
    'spawn + join, async                   | ns | spawn-join             | gevent:spawn-join              | >= 20 x'
    'spawn + join, sync                    | ns | spawn-join-sync        | Go:spawn-join                  | -'
    'spawn + join, sync                    | ns | spawn-join-sync        | gevent:spawn-join              | >= 20 x'
    'spawn, a thousand at once, async      | ns | spawn                  | Go:spawn                       | -'
    'spawn, a thousand at once, async      | ns | spawn                  | gevent:spawn                   | -'
    'spawn, a thousand at once, sync       | ns | spawn-sync             | gevent:spawn                   | -'
    'yield, async                          | ns | yield                  | Go:yield                       | <= 200 ns'
    'yield, async                          | ns | yield                  | gevent:yield                   | -'
    'yield, sync                           | ns | yield-sync             | gevent:yield                   | -'
    'sleep(0), async                       | ns | sleep-zero             | gevent:sleep-zero              | -'
    'sleep(0), async                       | ns | sleep-zero             | Twisted:sleep-zero             | -'
    'sleep(0), sync                        | ns | sleep-zero-sync        | gevent:sleep-zero              | -'
    # A thousand sleepers; what it costs to wake one.
    'wake by a timer, async                | ns | timer-wake             | Go:timer-wake                  | -'
    'wake by a timer, async                | ns | timer-wake             | gevent:timer-wake              | -'
    'wake by a timer, async                | ns | timer-wake             | Twisted:timer-wake             | -'
    'wake by a timer, sync                 | ns | timer-wake-sync        | gevent:timer-wake              | -'
    'Deferred: create, 3 callbacks, fire   | ns | deferred               | Twisted:deferred               | >= 20 x'
    'deferToGreenlet to and fro, async     | ns | defer-to-greenlet      | Twisted:defer-to-thread        | -'
    'deferToGreenlet to and fro, sync      | ns | defer-to-greenlet-sync | Twisted:defer-to-thread        | -'
    # Beside 100,000 that are pending.
    'callLater + cancel at once            | ns | call-later-cancel      | Twisted:call-later-cancel      | >= 10 x'
    'callLater + cancel at once            | ns | call-later-cancel      | Go:call-later-cancel           | -'
    'callLater + cancel a turn later       | ns | call-later-turn-cancel | Twisted:call-later-turn-cancel | >= 10 x'
    'callLater + cancel a turn later       | ns | call-later-turn-cancel | Go:call-later-turn-cancel      | -'
    'idle loop with a far timer: CPU       | %  | idle-cpu               | Go:idle-cpu                    | = 0 %'
    'idle loop with a far timer: CPU       | %  | idle-cpu               | gevent:idle-cpu                | = 0 %'
    'idle loop with a far timer: CPU       | %  | idle-cpu               | Twisted:idle-cpu               | = 0 %'
    'idle loop with a far timer: wake-ups  | a second | idle-wakes       | Go:idle-wakes                  | = 0'
    'idle loop with a far timer: wake-ups  | a second | idle-wakes       | gevent:idle-wakes              | = 0'
    'idle loop with a far timer: wake-ups  | a second | idle-wakes       | Twisted:idle-wakes             | = 0'
)
rounds=${quick:+3}
rounds=${rounds:-5}

prepare() {
    install_missing go python
    require_swift
    build_benchmark core-bench
    prepare_python
    go build -o "$peers/core-go" Benchmarks/peers/core.go Benchmarks/peers/measure.go
    export PYTHONDONTWRITEBYTECODE=1 # the peers' sources are in the checkout
}

run_program() {
    local command
    case $1 in
    ours) command=("$program") ;;
    Go) command=("$peers/core-go") ;;
    gevent) command=("$python" Benchmarks/peers/core_gevent.py) ;;
    Twisted) command=("$python" Benchmarks/peers/core_twisted.py) ;;
    esac
    case $2 in
    idle-*) idle "${command[@]}" --idle ;;
    *) pinned "${command[@]}" --only "$2" ${quick:+"$quick"} ;;
    esac
}

# Looks at a process that has nothing to do: nanoseconds on a processor and voluntary switches, of all its threads.
idle() {
    local length=${quick:+3} pid before after
    length=${length:-10}
    "$@" &
    pid=$!
    sleep 2 # until it has started
    before=$(spent "$pid") || return
    sleep "$length"
    after=$(spent "$pid") || return
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    awk -v seconds="$length" '
        NR == 1 { cpu = $1; switches = $2 }
        NR == 2 {
            print "idle-cpu", ($1 - cpu) / 1e7 / seconds
            print "idle-wakes", ($2 - switches) / seconds
        }' <<<"$before"$'\n'"$after"
}

spent() {
    kill -0 "$1" 2>/dev/null || fail "the idle program has ended"
    cat "/proc/$1"/task/*/schedstat "/proc/$1"/task/*/status |
        awk '
            NF == 3 && /^[0-9]/ { cpu += $1 }
            /^voluntary_ctxt_switches/ { switches += $2 }
            END { print cpu, switches }'
}

describe() {
    printf '%s; ' "$(go version)"
    "$python" -c '
import gevent, platform, twisted
print("Python", platform.python_version(), "with gevent", gevent.__version__, "and Twisted", twisted.__version__)'
}
