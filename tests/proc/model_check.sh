#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# model_check.sh: runs spin over core/shm/slot.pml.
#   model_check.sh          each configuration that CI checks, to the last state, and each ablation:
#                           the model without one rule, which must be seen to fail
#   model_check.sh --more   larger ones, still to the last state (minutes each; 2.5 GB)
#   model_check.sh --large  bitstate runs of larger ones (MINUTES each, default 10; 1.1 GB)
#   model_check.sh NAME...  only these
# One line per configuration. Exits 0 if all went as expected, 1 if not, 2 if it cannot run.
set -u
here=$(cd "$(dirname "$0")" && pwd)
model=$here/../../core/shm/slot.pml
CC=${CC:-gcc}
MINUTES=${MINUTES:-10}

for tool in spin "$CC"; do
    command -v "$tool" >/dev/null && continue
    echo "model_check: '$tool' is missing: apt-get install spin gcc" >&2
    exit 2
done
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# producers x slots x rows x batches
size() { echo "-DPRODUCERS=$1 -DSLOTS=$2 -DROWS=$3 -DBATCHES=$4"; }
one=$(size 2 1 2 2)
one_of_each="-DDEATHS=1 -DCOMMANDER_DEATHS=1"
stuck="-DSTUCK=1 -DSPARES=1"
any="-DCOMPLETION -DANY_ORDER" # of the slots

# name | expected | flags
exhaustive="
producer_death     |holds|$one -DDEATHS=1
commander_death    |holds|$(size 2 2 1 3) -DCOMMANDER_DEATHS=1
marker             |holds|$(size 2 2 1 2) -DMARKER=2 -DCOMMANDER_DEATHS=1
completion_order   |holds|$(size 2 2 1 3) -DMARKER=3 -DLEASES=2 -DCOMPLETION
cancel             |holds|$(size 2 1 2 1) -DCANCELS=1 -DDEATHS=1
cancel_leases      |holds|$(size 2 2 1 1) -DCANCELS=1 -DLEASES=2 -DCOMMANDER_DEATHS=1
trainer_death      |holds|$one -DTRAINER_DEATHS=1 -DDEATHS=1
any_order          |holds|$(size 2 2 1 2) -DANY_ORDER -DDEATHS=1
quarantine         |holds|$(size 1 2 1 2) $stuck
quarantine_rows    |holds|$(size 1 2 2 1) $stuck
quarantine_commander|holds|$(size 1 2 1 1) $stuck -DCOMMANDER_DEATHS=1
quarantine_cancel  |holds|$(size 1 2 1 1) $stuck -DCANCELS=1
refill             |holds|$(size 2 1 1 2) -DCRASHES=1
refill_rows        |holds|$(size 2 1 2 1) -DCRASHES=1
refill_cancel      |holds|$(size 1 1 2 1) -DCRASHES=1 -DCANCELS=1
refill_commander   |holds|$(size 1 2 1 2) -DCRASHES=1 -DCOMMANDER_DEATHS=1
no_fence           |fails|$one -DDEATHS=1 -DNO_FENCE -DPIXELS_ONLY
no_rescan          |fails|$one -DDEATHS=1 -DNO_RESCAN
no_rewake_producer |fails|$one -DDEATHS=1 -DNO_REWAKE_PRODUCER
no_rewake_commander|fails|$one -DCOMMANDER_DEATHS=1 -DNO_REWAKE_COMMANDER
no_gen             |fails|$one -DDEATHS=1 -DNO_GEN
no_seq             |fails|$one -DDEATHS=1 -DNO_SEQ -DPIXELS_ONLY
no_commander_fence |fails|$one -DCOMMANDER_DEATHS=1 -DNO_COMMANDER_FENCE
no_recover_for_commander|fails|$one -DMARKER=1 -DCOMMANDER_DEATHS=1 -DNO_COMMANDER_RECOVER
no_record          |fails|$one -DCOMMANDER_DEATHS=1 -DNO_RECORD
no_rows_first      |fails|$(size 2 1 2 1) -DCANCELS=1 -DDEATHS=1 -DNO_ORDER
no_close           |fails|$one -DCANCELS=1 -DNO_CLOSE
no_drain           |fails|$one -DCANCELS=1 -DNO_DRAIN
no_stream          |fails|$one -DCANCELS=1 -DNO_STREAM
no_settle_in_quarantine|fails|$(size 1 2 1 1) $stuck -DNO_SETTLE_IN_QUARANTINE
no_rewake_quarantine|fails|$(size 1 2 1 2) $stuck -DNO_REWAKE_QUARANTINE
no_moved           |fails|$(size 1 2 1 2) $stuck -DNO_MOVED
no_wait            |fails|$(size 1 2 1 2) $stuck -DNO_WAIT
no_spare           |fails|$(size 1 2 1 2) $stuck -DNO_SPARE
no_close_quarantined|fails|$(size 1 2 2 1) $stuck -DNO_CLOSE_QUARANTINED
mark_first         |fails|$(size 1 2 1 2) $stuck -DCOMMANDER_DEATHS=1 -DMARK_FIRST
no_search          |fails|$(size 1 2 1 2) $stuck -DCOMMANDER_DEATHS=1 -DNO_SEARCH -DREVERSE
no_round           |fails|$(size 1 2 1 1) -DSTUCK=2 -DSPARES=1 -DNO_ROUND -DREVERSE
no_planned         |fails|$(size 1 3 1 2) $stuck $any -DCOMMANDER_DEATHS=1 -DNO_PLANNED -DT_REVERSE
no_fence_of_others |fails|$(size 2 1 1 2) -DCRASHES=1 -DNO_FENCE_OF_OTHERS
rows_first         |fails|$(size 1 1 1 1) -DCRASHES=1 -DCANCELS=1 -DROWS_FIRST
no_second_look     |fails|$(size 1 1 2 1) -DCRASHES=1 -DCANCELS=1 -DNO_SECOND_LOOK
no_taint           |fails|$(size 2 1 1 2) -DCRASHES=1 -DNO_TAINT
"
more="
quarantine_twice   |holds|$(size 1 2 1 1) -DSTUCK=2 -DSPARES=1
quarantine_two     |holds|$(size 2 2 1 1) $stuck
quarantine_long    |holds|$(size 1 2 1 2) $stuck -DCOMMANDER_DEATHS=1
refill_cancel_two  |holds|$(size 2 1 1 1) -DCRASHES=1 -DCANCELS=1
refill_quarantine  |holds|$(size 2 1 1 1) -DCRASHES=1 -DSTUCK=1 -DMAX_LEASE=5
"
large="
large_deaths       |holds|$(size 2 2 2 3) -DDEATHS=2 -DCOMMANDER_DEATHS=1 -DLEASES=2
large_quarantine   |holds|$(size 2 3 1 3) $stuck -DLEASES=2 -DANY_ORDER $one_of_each
large_quarantine_cancel|holds|$(size 2 2 2 2) $stuck -DCANCELS=1 $one_of_each
large_moves        |holds|$(size 2 3 1 3) -DSTUCK=2 -DSPARES=2 $any -DCOMMANDER_DEATHS=1
large_refill       |holds|$(size 2 2 2 2) -DCRASHES=1 -DCANCELS=1 -DMAX_LEASE=5 $one_of_each
large_refill_stuck |holds|$(size 2 2 2 2) -DCRASHES=1 $stuck -DMAX_LEASE=5 -DCOMMANDER_DEATHS=1
large_trainer      |holds|$(size 2 2 2 2) -DTRAINER_DEATHS=1 $stuck $one_of_each
large_cancel       |holds|$(size 2 2 2 3) -DMARKER=3 -DCANCELS=2 -DLEASES=2 $one_of_each
"

# Builds and runs one configuration in $work/NAME; leaves pan's words in `out` there, the
# processor's seconds in `seconds`.
check() {
    local name=$1 flags=$2 optimise=-O2 order
    [ "$3" = holds ] || optimise=-O1 # they are over sooner than -O2 is
    order=$(grep -o -e '-DT_REVERSE' -e '-DREVERSE' <<<"$flags") # where to look first: pan's own
    mkdir -p "$work/$name" && cd "$work/$name" || return
    # shellcheck disable=SC2086
    spin -a $flags "$model" >out 2>&1 &&
        "$CC" $optimise $order -w -DSAFETY -DNOCLAIM $store -o pan pan.c >>out 2>&1 || return
    # shellcheck disable=SC2086
    ./pan -m100000 $run >out 2>&1
    times >cpu # of this subshell, then of its children: spin, the compiler and pan
    awk 'END { split($1, t, /[ms]/); printf "%.0f", t[1] * 60 + t[2] }' cpu >seconds
    rm -f pan pan.[a-z]
}

# One line; counts a surprise.
report() {
    local name=$1 expected=$2 out=$work/$1/out found why states seconds
    local unfinished='max search depth too small|out of memory|memory exceeded|not completed'
    seconds=$(cat "$work/$name/seconds" 2>/dev/null)
    states=$(awk '/states, stored/ {print $1}' "$out")
    why=$(sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' "$out" | head -1)
    if [ -n "$why" ]; then
        found=fails
    elif grep -q 'errors: 0' "$out" && ! grep -Eq "$unfinished" "$out"; then
        found=holds
    elif grep -q 'errors: 0' "$out" && [ -n "$run" ]; then
        found=holds why="as far as it got"
    else
        found="no verdict" why=$(tail -3 "$out" | tr '\n' ' ')
    fi
    local verdict=ok
    [ "$found" = "$expected" ] || { verdict=SURPRISE; surprises=$((surprises + 1)); }
    printf '%-25s expected %s  states %10s  %4s s cpu  %s: %s%s\n' "$name" "$expected" \
        "${states:-?}" "${seconds:-?}" "$verdict" "$found" "${why:+, $why}"
}

table=$exhaustive
store="-DCOLLAPSE -DMEMLIM=1100" run=
if [ "${1:-}" = --more ]; then
    table=$more store="-DCOLLAPSE -DMEMLIM=2500"
    shift
fi
if [ "${1:-}" = --large ]; then
    table=$large store="-DBITSTATE" run="-w33 -k3 -Q$MINUTES"
    shift
fi

surprises=0 known=0
while IFS='|' read -r name expected flags; do
    name=${name// /}
    [ -n "$name" ] || continue
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    known=$((known + 1))
    (check "$name" "$flags" "$expected")
    report "$name" "$expected"
done <<<"$table"
[ "$known" -gt 0 ] || { echo "model_check: no configuration is called '$*'" >&2; exit 2; }
echo "model_check: $known configurations, $surprises surprises, $SECONDS s"
[ "$surprises" -eq 0 ]
