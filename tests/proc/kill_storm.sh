#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# kill_storm.sh [FAULTS [SEED]]: random faults on producers and commanders (100,000), then half a
# thousandth as many trainers and wardens killed. MR_BUILD: another build folder than build/release.
# Of a killed trainer or warden nothing may be left after MR_GONE_WITHIN seconds (1).
set -eu
cd "$(dirname "$0")/../.."
program=${MR_BUILD:-build/release}/bin/kill_storm
[ -x "$program" ] || {
    echo "kill_storm.sh: there is no '$program': ./dev test builds it" >&2
    exit 2
}
faults=${1:-100000}
seed=${2:-$(date +%s)}
ends=$((faults / 2000))
if [ "$ends" -lt 50 ]; then ends=50; fi

git log -1 --format='kill_storm.sh: commit %h of %cs' 2>/dev/null || true
"$program" "$faults" "$seed"
export MR_GONE_WITHIN="${MR_GONE_WITHIN:-1}" # seconds
"$program" trainer "$ends" "$seed"
"$program" warden "$ends" "$seed"
