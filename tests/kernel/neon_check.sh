#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# neon_check.sh BUILD_DIR [ROUNDS]: the kernels' NEON versions on a machine that has none: a cross
# compiler builds kernel_check with them, an emulator runs it. 77 (skipped) where these are missing;
# on Debian: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user (56 MB).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
rounds=${2:-400}
compiler=${MR_NEON_CC:-aarch64-linux-gnu-gcc}
emulator=${MR_NEON_RUN:-qemu-aarch64}

for tool in "$compiler" "$emulator"; do
    if ! command -v "$tool" >/dev/null; then
        echo "neon_check: skipped, there is no $tool (Debian: gcc-aarch64-linux-gnu" \
            "libc6-dev-arm64-cross qemu-user)"
        exit 77
    fi
done
# What the kernels and the harness need of the rest; no library of the target but libc and libm.
set -- "$root"/tests/kernel/check_*.c "$root"/augment/kernel/*.c
for name in cpu error printable types; do
    set -- "$@" "$root/core/base/$name.c"
done
for file in "$root"/loaders/codec/baseline/pixel_*.c "$root"/loaders/codec/baseline/colour_*.c \
    "$root"/loaders/codec/baseline/idct_*.c "$root"/loaders/codec/baseline/upsample_*.c \
    "$root"/loaders/codec/packed/coef_*.c "$root"/loaders/shard/sum_*.c; do
    set -- "$@" "$file"
done
"$compiler" -std=c17 -O2 -Wall -Wextra -Wpedantic -Werror -fno-math-errno -ffp-contract=off \
    -D_GNU_SOURCE -DXXH_INLINE_ALL -static -I"$root" -I"$root/core" -I"$root/core/include" \
    -idirafter /usr/include \
    -I"$root/tests/kernel" -o "$build/kernel_check_neon" "$@" -lm
for level in scalar neon; do
    "$emulator" "$build/kernel_check_neon" --level "$level" --rounds "$rounds"
done
