#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# setup.sh [NAME...]: the peers, each in a virtual environment of its own below $MILLRACE_BENCH_VENV
# (default bench/.venv), from PyPI. About 10 GB, most of it torch. A peer that cannot be installed
# leaves NAME.failed with the reason; run.py then lists it with that. What needs Debian's packages:
# FFCV is compiled (libopencv-dev libturbojpeg0-dev g++ pkg-config), SPDL loads FFmpeg's libraries
# (libavdevice59 libavfilter8).
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=${MILLRACE_BENCH_VENV:-$here/.venv}
python=${PYTHON:-python3}

packages() {
    case $1 in
    torch) echo "torch torchvision opencv-python-headless albumentations webdataset" ;;
    ffcv) echo "numba tqdm terminaltables fastargs assertpy psutil packaging" ;;
    dali) echo "nvidia-dali-cuda120" ;;
    tf) echo "tensorflow-cpu" ;;
    grain) echo "grain opencv-python-headless albumentations" ;;
    spdl) echo "spdl numpy" ;;
    concurrentbuffer) echo "concurrentbuffer opencv-python-headless albumentations" ;;
    *) echo "setup.sh: no peer is called '$1'" >&2; return 1 ;;
    esac
}

# FFCV takes torch and OpenCV (the headless one does as well) from torch's environment, which must
# be there first.
extra() {
    [ "$1" = ffcv ] || return 0
    version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    below=lib/$version/site-packages
    echo "$root/torch/$below" > "$root/ffcv/$below/torch.pth"
    "$root/ffcv/bin/pip" install --no-deps ffcv pytorch_pfn_extras &&
        "$root/ffcv/bin/python" -c 'import ffcv'
}

install() {
    list=$(packages "$1") || return 1
    rm -f "$root/$1.failed"
    echo "== $1: $list"
    # shellcheck disable=SC2086
    if "$python" -m venv "$root/$1" && "$root/$1/bin/pip" install -q $list > "$root/$1.log" 2>&1 &&
        extra "$1" >> "$root/$1.log" 2>&1; then
        return 0
    fi
    { echo "see $root/$1.log"; grep -iE 'error|could not' "$root/$1.log" | tail -1; } \
        > "$root/$1.failed"
    echo "   failed: $(tail -1 "$root/$1.failed")"
}

mkdir -p "$root"
[ $# -gt 0 ] || set -- torch ffcv dali tf grain spdl concurrentbuffer
for name in "$@"; do
    install "$name"
done
