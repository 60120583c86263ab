#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# soak.sh [MINUTES [JSON]]: one loader for a long time (30 minutes), ten random faults a second, and
# a look at every process's memory and descriptors each second. One line at the end, and the samples
# in JSON (build/soak.json). Exit status 1: something grew. MR_BUILD: another folder than
# build/release.
set -eu
cd "$(dirname "$0")/../.."
build=${MR_BUILD:-build/release}
[ -x "$build/bin/kill_storm" ] || {
    echo "soak.sh: there is no '$build/bin/kill_storm': ./dev test builds it" >&2
    exit 2
}
git log -1 --format='soak.sh: commit %h of %cs' 2>/dev/null || true
exec "$build/bin/kill_storm" soak "${1:-30}" "${2:-build/soak.json}"
