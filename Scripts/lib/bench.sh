# Rounds, medians and the table of Scripts/bench. Sourced after common.sh, packages.sh and swift.sh.
# shellcheck shell=bash
#
# A group, Benchmarks/groups/NAME.sh, is sourced in a subshell of its own and defines
#   rows          an array of "WHAT | UNIT | BENCHMARK | PEER:BENCHMARK | GOAL". Units that end in /s are better when
#                 larger, all others when smaller. A goal is "-", a ratio ("> 1 x") or a figure of ours ("<= 200 ns").
#   rounds        how many, unless --rounds said it
#   prepare       installs, builds and starts what is measured; it may leave a `trap ... EXIT` that undoes it
#   run_program PROGRAM BENCHMARK   prints lines "BENCHMARK NUMBER", in the row's unit; our own program is called `ours`
#   describe      prints one line: the peers' versions and where they ran
# and may read quick, rounds, seconds, clients, $work (a scratch directory) and call `pinned COMMAND...`.
: "${root:?}"
declare -a rows only

# Runs a command on one processor, the last that we may use: the first tends to serve the interrupts.
pinned() {
    local allowed
    allowed=$(taskset -cp $BASHPID)
    taskset -c "${allowed##*[!0-9]}" "$@"
}

# build_benchmark PRODUCT: builds a program of the package in Benchmarks; leaves its path in `program`.
build_benchmark() {
    local flags=(--package-path Benchmarks --scratch-path Benchmarks/.build --configuration release)
    # SwiftPM plans anew for new files of this package only, not for those of the package above: without a plan it must.
    rm -f Benchmarks/.build/release.yaml
    swift build "${flags[@]}" --product "$1" >&2
    # shellcheck disable=SC2034 # read by the groups
    program=$(swift build "${flags[@]}" --show-bin-path)/$1
}

# Makes the virtualenv of the peers in Python, once for every state of its list; leaves its interpreter in `python`.
prepare_python() {
    local list=Benchmarks/peers/requirements.txt directory=$peers/python
    python=$directory/bin/python
    if cmp -s "$list" "$directory/installed" && "$python" -c 'import asyncpg, gevent, psycopg, twisted' 2>/dev/null; then return 0; fi
    say "installing the peers of $list in $directory"
    rm -rf "$directory"
    python3 -m venv "$directory"
    "$python" -m pip install --quiet --disable-pip-version-check --requirement "$list" >&2
    cp "$list" "$directory/installed"
}

# Splits a row into what, unit, ours, peer, theirs, goal.
split_row() {
    local fields
    IFS='|' read -ra fields <<<"$1"
    read -r what <<<"${fields[0]}"
    read -r unit <<<"${fields[1]}"
    read -r ours <<<"${fields[2]}"
    IFS=': ' read -r peer theirs <<<"${fields[3]}"
    read -r goal <<<"${fields[4]}"
}

# Whether --only asks for a benchmark of ours.
is_wanted() {
    local name
    [[ ${#only[@]} -gt 0 ]] || return 0
    for name in "${only[@]}"; do
        if [[ $name == "$1" ]]; then return 0; fi
    done
    return 1
}

# sample ROUND PROGRAM BENCHMARK: runs it, unless a row above has done so in this round.
sample() {
    local name value lines
    if grep -q "^$1 $2 $3 " "$samples"; then return 0; fi
    lines=$(run_program "$2" "$3") || fail "$2 failed at $3"
    while read -r name value; do
        [[ $value =~ ^[0-9.e+-]+$ ]] || fail "$2 printed \"$name $value\" for $3: a name and a number are wanted"
        printf '%s %s %s %s\n' "$1" "$2" "$name" "$value" >>"$samples"
    done <<<"$lines"
    grep -q "^$1 $2 $3 " "$samples" || fail "$2 printed no line for $3"
}

# One object a line, from "ROW WHAT UNIT OURS PEER THEIRS GOAL" lines and the samples.
objects() {
    awk -v group="$1" -F '\t' '
        function figures(program, name, into,    count, i, j, value, sorted) {
            count = split(values[program " " name], sorted, " ")
            for (i = 2; i <= count; i++) {
                value = sorted[i] + 0
                for (j = i - 1; j >= 1 && sorted[j] + 0 > value; j--) sorted[j + 1] = sorted[j]
                sorted[j + 1] = value
            }
            into["min"] = sorted[1] + 0
            into["max"] = sorted[count] + 0
            into["median"] = (sorted[int((count + 1) / 2)] + sorted[int(count / 2) + 1]) / 2
        }
        function number(value) { return sprintf("%.6g", value) }
        function met(goal, ratio, value,    part, left) {
            if (goal == "-") return "null"
            split(goal, part, " ")
            if (part[3] == "x" && ratio == "null") return "null"
            left = (part[3] == "x" ? ratio : value) + 0
            if (part[1] == ">") return left > part[2] + 0 ? "true" : "false"
            if (part[1] == ">=") return left >= part[2] + 0 ? "true" : "false"
            if (part[1] == "<=") return left <= part[2] + 0 ? "true" : "false"
            if (part[1] == "=") return left == part[2] + 0 ? "true" : "false"
            return "null"
        }
        FILENAME == ARGV[1] {
            split($0, part, " ")
            values[part[2] " " part[3]] = values[part[2] " " part[3]] part[4] " "
            next
        }
        {
            figures("ours", $3, a)
            figures($4, $5, b)
            better = $2 ~ /\/s$/ ? a["median"] : b["median"]
            worse = $2 ~ /\/s$/ ? b["median"] : a["median"]
            ratio = worse == 0 || better == 0 ? "null" : number(better / worse)
            printf "{\"group\":\"%s\",\"benchmark\":\"%s\",\"what\":\"%s\",\"unit\":\"%s\",", group, $3, $1, $2
            printf "\"ours\":%s,\"ours_min\":%s,\"ours_max\":%s,", \
                number(a["median"]), number(a["min"]), number(a["max"])
            printf "\"peer_name\":\"%s\",\"peer\":%s,\"peer_min\":%s,\"peer_max\":%s,", \
                $4, number(b["median"]), number(b["min"]), number(b["max"])
            printf "\"ratio\":%s,\"goal\":%s,\"met\":%s}\n", \
                ratio, $6 == "-" ? "null" : "\"" $6 "\"", met($6, ratio, a["median"])
        }' "$samples" -
}

# The objects of one group as a table.
table() {
    awk '
        function value(key) {
            if (!match($0, "\"" key "\":(\"[^\"]*\"|[^,}]*)")) return ""
            return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
        }
        function text(key,    found) {
            found = value(key)
            gsub("\"", "", found)
            return found == "null" ? "-" : found
        }
        function short(figure) {
            if (figure == "null") return "-"
            figure += 0
            if (figure == 0) return "0"
            return sprintf(figure >= 100 ? "%.0f" : figure >= 10 ? "%.1f" : "%.2f", figure)
        }
        BEGIN { printf "%-42s %16s %25s %7s  %-10s %s\n", "what", "ours", "peer", "ratio", "goal", "met" }
        {
            met = value("met")
            unit = text("unit")
            printf "%-42s %16s %25s %7s  %-10s %s\n", text("what"), short(value("ours")) " " unit, \
                text("peer_name") " " short(value("peer")) " " unit, short(value("ratio")), text("goal"), \
                met == "true" ? "yes" : met == "false" ? "NO" : "-"
        }'
}

# Measures a group and prints its table; appends its objects to the file of --json.
run_group() (
    group=$1
    work=$(mktemp -d /tmp/green-bench.XXXXXX)
    samples=$work/samples
    peers=$root/Benchmarks/.build-peers
    if [[ -e $peers && ! -O $peers ]]; then peers+=-$(id -un); fi # root and plain users may share a checkout
    trap 'rm -rf "$work"' EXIT
    : >"$samples"
    requested_rounds=$rounds
    # shellcheck source=/dev/null
    . "Benchmarks/groups/$group.sh"
    rounds=${requested_rounds:-$rounds}

    wanted=()
    for row in "${rows[@]}"; do
        split_row "$row"
        if is_wanted "$ours"; then wanted+=("$row"); fi
    done
    [[ ${#wanted[@]} -gt 0 ]] || fail "the group $group has none of ${only[*]}; see Benchmarks/groups/$group.sh"
    prepare
    for ((round = 1; round <= rounds; round++)); do
        say "$group: round $round of $rounds"
        for row in "${wanted[@]}"; do
            split_row "$row"
            sample "$round" ours "$ours"
            sample "$round" "$peer" "$theirs"
        done
    done
    for row in "${wanted[@]}"; do
        split_row "$row"
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$what" "$unit" "$ours" "$peer" "$theirs" "$goal"
    done | objects "$group" >"$work/objects"
    table <"$work/objects"
    printf 'medians over rounds: %s; %s\n' "$rounds" "$(describe)"
    if [[ -n $json ]]; then cat "$work/objects" >>"$json"; fi
)
