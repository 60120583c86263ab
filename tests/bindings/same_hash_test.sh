#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# same_hash_test.sh BUILD SAMPLE [LUA]: the command line, the C example, the C++ example (built
# outside the tree against an installed Millrace) and the Lua example (through the installed module)
# read the same config and must report the same stream hash.
set -eu
build=$1
sample=$2
lua=${3:-}
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MILLRACE_WARDEN LD_LIBRARY_PATH LUA_PATH LUA_CPATH 2>/dev/null || true

cat >"$work/train.yaml" <<YAML
version: 1
seed: 11
epochs: 2
batch: {size: 7, last: short}
producers: 2
source: {type: manifest, path: $sample/manifest.csv}
ops:
  - random_resized_crop: {size: 32}
  - random_horizontal_flip: {p: 0.5}
  - normalize: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
fields:
  image: {dtype: float32, layout: NCHW}
  mask: {dtype: uint8}
  label: {dtype: int64}
  boxes: {dtype: float32, max: 16}
YAML
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
cmake -G Ninja -S "$source/examples/cpp_train" -B "$work/cpp" \
    -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_FLAGS="${OUTSIDE_CXXFLAGS:-}" >"$work/cmake.log"
cmake --build "$work/cpp" >>"$work/cmake.log" || { cat "$work/cmake.log"; exit 1; }

failed=0
c=$("$build/bin/example_train" "$work/train.yaml" | sed -n 's/^hash //p')
hash_of() { # PROGRAM ...: the hash it reports
    "$@" | sed -n 's/^hash //p'
}
for seed in 11 12; do
    cli=$("$build/bin/millrace" run "$work/train.yaml" --hash --seed $seed --quiet)
    cpp=$(hash_of "$work/cpp/cpp_train" "$work/train.yaml" seed=$seed)
    echo "seed $seed: command line $cli, C++ $cpp"
    [ ${#cli} = 16 ] && [ "$cpp" = "$cli" ] || failed=1
    if [ $seed = 11 ]; then
        echo "seed $seed: C $c"
        [ "$c" = "$cli" ] || failed=1
    fi
    if [ "$lua" ]; then
        share=$work/prefix/share/lua/5.4/?.lua
        module=$(dirname "$(dirname "$(find "$work/prefix" -path '*lua/5.4/millrace/core.so')")")
        out=$(LUA_PATH=$share LUA_CPATH="$module/?.so" \
            hash_of "$lua" "$source/examples/lua/train.lua" "$work/train.yaml" seed=$seed)
        echo "seed $seed: Lua $out"
        [ "$out" = "$cli" ] || failed=1
    fi
    [ "${before:-}" != "$cli" ] || { echo "another seed gave the same hash"; failed=1; }
    before=$cli
done

echo "-- mistakes end with the sentence and 2"
rc=0
"$work/cpp/cpp_train" "$work/train.yaml" sede=1 2>"$work/stderr" || rc=$?
grep -q "'seed'" "$work/stderr" && [ $rc = 2 ] || { cat "$work/stderr"; failed=1; }
exit $failed
