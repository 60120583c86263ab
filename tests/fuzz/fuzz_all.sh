#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fuzz_all.sh LEDGER [NAME...]: runs every fuzz target (or these), one process at a time, until its
# executions in the ledger add up to RUNS. A line of the ledger is a chunk of them: date, commit,
# target, executions, findings, with tabs between. A target with a finding is left, the others go
# on, and the exit status is 1.
#
#   cmake --preset fuzz && cmake --build --preset fuzz
#   tests/fuzz/fuzz_all.sh build/fuzz-ledger.tsv
#
#   RUNS=10000000      executions of each target
#   CHUNK=500000       of them in one process
#   BIN=build/fuzz/bin   where the fuzz_NAME programs are
#   CORPUS=build/fuzz-corpus   inputs that were found go to CORPUS/NAME, findings to CORPUS/found
#   COMMIT             what the ledger says was run; asked of git by default
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 2
[ $# -ge 1 ] || { echo "usage: tests/fuzz/fuzz_all.sh LEDGER [NAME...]" >&2; exit 2; }
ledger=$1
shift
runs=${RUNS:-10000000} chunk=${CHUNK:-500000} bin=${BIN:-build/fuzz/bin}
corpus=${CORPUS:-build/fuzz-corpus}
commit=${COMMIT:-$(git describe --always --dirty 2>/dev/null || echo unknown)}
[ $# -gt 0 ] || set -- $(ls "$here" | sed -n 's/^fuzz_\(.*\)\.c$/\1/p')

# Small inputs are fast, and reach everything that large ones do.
max_len() {
    case $1 in
    exif | message) echo 256 ;;
    manifest | csv | badlist) echo 512 ;;
    shard) echo 4096 ;;
    *) echo 1536 ;;
    esac
}

executed() {
    [ -f "$ledger" ] || : >"$ledger"
    awk -F "\t" -v t="$1" '$3 == t { n += $4 } END { printf "%d\n", n }' "$ledger"
}

# One process. Its count of executions is the last thing that it says.
run_chunk() { # NAME EXECUTIONS
    dictionary=
    [ ! -f "$here/$1.dict" ] || dictionary=-dict=$here/$1.dict
    log=$corpus/$1.log
    "$bin/fuzz_$1" -runs="$2" -max_len="$(max_len "$1")" $dictionary -timeout=30 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$corpus/found/$1-" \
        "$corpus/$1" "$here/corpus/$1" >"$log" 2>&1
    status=$?
    n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    finding=$(sed -n 's/.*Test unit written to //p' "$log" | head -1)
    [ "$status" -eq 0 ] || [ -n "$finding" ] || finding="exit status $status"
    printf '%s\t%s\t%s\t%s\t%s\n' "$(date +%F)" "$commit" "$1" "${n:-0}" "${finding:-none}" \
        >>"$ledger"
    return "$status"
}

bad=0
mkdir -p "$corpus/found"
for name; do
    mkdir -p "$corpus/$name"
    while left=$((runs - $(executed "$name"))) && [ "$left" -gt 0 ]; do
        run_chunk "$name" $((left < chunk ? left : chunk)) && continue
        echo "fuzz_$name found something: $(tail -1 "$ledger" | cut -f 5), see $corpus/$name.log"
        bad=1
        break
    done
    echo "fuzz_$name: $(executed "$name") executions"
done
exit $bad
