#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# install_test.sh BUILD CC: installs BUILD into a new prefix, moves the prefix, and builds a program
# against it with CMake and with pkg-config; both read a batch of a synthetic data set through the
# installed library and warden.
set -eu
build=$1
cc=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MILLRACE_WARDEN LD_LIBRARY_PATH 2>/dev/null || true

cmake --install "$build" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/prefix"
library=$(dirname "$(find "$work/prefix" -name 'libmillrace.so')")

echo "-- exported symbols"
strange=$(nm -D --defined-only "$library/libmillrace.so" | awk '{ print $3 }' |
    grep -vE '^mr_[a-z]|^mr__warden_main$' || true) # the warden is the library under another name
[ -z "$strange" ] || { echo "symbols without the mr_ prefix are exported: $strange"; exit 1; }

echo "-- a data set by the installed program"
"$work/prefix/bin/millrace" synth "$work/data" --images 20 --size 64x48 --quiet
cat >"$work/outside.yaml" <<YAML
version: 1
batch: {size: 4}
producers: 1
source: {type: folder, path: $work/data/images}
ops:
  - center_crop: {size: 32}
fields:
  image: {dtype: uint8, layout: NHWC}
YAML

echo "-- CMake"
cmake -G Ninja -S "$here/outside" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="${OUTSIDE_CFLAGS:-}" >"$work/cmake.log"
cmake --build "$work/cmake" >>"$work/cmake.log" || { cat "$work/cmake.log"; exit 1; }
"$work/cmake/outside" "$work/outside.yaml"

echo "-- pkg-config"
PKG_CONFIG_PATH="$library/pkgconfig"
export PKG_CONFIG_PATH
# shellcheck disable=SC2046,SC2086  # lists of flags
"$cc" -std=c11 -Wall -Wextra -Werror ${OUTSIDE_CFLAGS:-} "$here/outside/outside.c" \
    $(pkg-config --cflags --libs millrace) -Wl,-rpath,"$library" -o "$work/outside"
"$work/outside" "$work/outside.yaml"

module="$library/millrace/millrace-lua.so"
[ -e "$build/lib/millrace-lua.so" ] || exit 0
echo "-- a Lua commander, by the module beside the moved library"
[ -e "$module" ] || { echo "millrace-lua.so was built and is not installed"; exit 1; }
cat >"$work/turns.lua" <<'LUA'
return {next = function(message)
    if message.position >= dataset.samples then return millrace.END_EPOCH end
    message.sample = dataset.samples - 1 - message.position
end}
LUA
{ cat "$work/outside.yaml"; echo "commander: {script: turns.lua}"; } >"$work/script.yaml"
env -u MILLRACE_LUA "$work/prefix/bin/millrace" check "$work/script.yaml"
env -u MILLRACE_LUA "$work/prefix/bin/millrace" run "$work/script.yaml" --json >"$work/run.json"
grep -q '"rows": *20[,}]' "$work/run.json" || { cat "$work/run.json"; exit 1; }
