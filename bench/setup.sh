#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# setup.sh [NAME...]: the peers, each in a virtual environment of its own below $MILLRACE_BENCH_VENV
# (default bench/.venv), from PyPI. About 10 GB, most of it torch. What is there and works is left
# alone (AGAIN=1 makes it anew). A peer that cannot be installed leaves NAME.failed with the reason;
# run.py then lists it with that. Debian's packages that two of them need are installed as root;
# else their names are the reason.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=${MILLRACE_BENCH_VENV:-$here/.venv}
python=${PYTHON:-python3}
all="torch ffcv dali tf grain spdl concurrentbuffer"

packages() {
    case $1 in
    torch) echo "torch torchvision opencv-python-headless albumentations webdataset" ;;
    ffcv) echo "numba tqdm terminaltables fastargs assertpy psutil packaging" ;;
    dali) echo "nvidia-dali-cuda120" ;;
    tf) echo "tensorflow-cpu" ;;
    grain) echo "grain opencv-python-headless albumentations" ;;
    spdl) echo "spdl numpy" ;;
    concurrentbuffer) echo "concurrentbuffer opencv-python-headless albumentations" ;;
    *) return 1 ;;
    esac
}

# What has to be importable when all went well.
modules() {
    case $1 in
    torch) echo "torch, torchvision, cv2, albumentations, webdataset" ;;
    ffcv) echo "cv2, torch, ffcv.loader" ;;
    dali) echo "nvidia.dali.fn" ;;
    tf) echo "tensorflow" ;;
    grain) echo "grain.python, cv2, albumentations" ;;
    spdl) echo "numpy, spdl.io, spdl.pipeline" ;;
    concurrentbuffer) echo "concurrentbuffer.iterator, cv2, albumentations" ;;
    esac
}

# FFCV is compiled against OpenCV and TurboJPEG, SPDL loads FFmpeg's libraries.
debian() {
    case $1 in
    ffcv) echo "g++ pkg-config libopencv-dev libturbojpeg0-dev" ;;
    spdl) echo "libavdevice59 libavfilter8" ;;
    esac
}

need_debian() {
    missing=
    for package in $(debian "$1"); do
        state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)
        [ "$state" = "install ok installed" ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "error: these Debian packages are missing:$missing"
        return 1
    fi
    # shellcheck disable=SC2086  # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing ||
        { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y \
            --no-install-recommends install $missing; } ||
        { echo "error: apt-get could not install$missing"; return 1; }
}

# Once more when the network had a bad moment.
pip_install() {
    into=$1
    shift
    "$root/$into/bin/pip" install --retries 5 --timeout 60 "$@" ||
        "$root/$into/bin/pip" install --retries 5 --timeout 60 "$@"
}

# FFCV takes torch and OpenCV (the headless one does as well) from torch's environment.
add_ffcv() {
    if ! works torch; then
        echo "error: ffcv needs the environment torch: setup.sh torch ffcv"
        return 1
    fi
    version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    below=lib/$version/site-packages
    echo "$root/torch/$below" > "$root/ffcv/$below/torch.pth"
    pip_install ffcv --no-deps ffcv pytorch_pfn_extras
}

works() {
    [ -x "$root/$1/bin/python" ] && [ ! -e "$root/$1.failed" ] &&
        NO_ALBUMENTATIONS_UPDATE=1 "$root/$1/bin/python" -c "import $(modules "$1")" 2>&1
}

make() {
    rm -rf "${root:?}/$1"
    need_debian "$1" && "$python" -m venv "$root/$1" || return 1
    # shellcheck disable=SC2046  # a list of words
    pip_install "$1" $(packages "$1") || return 1
    [ "$1" != ffcv ] || add_ffcv || return 1
    works "$1"
}

install() {
    log=$root/$1.log
    if [ -z "${AGAIN:-}" ] && works "$1" >/dev/null; then
        echo "== $1 is there"
        return 0
    fi
    echo "== $1: $(packages "$1")"
    rm -f "$root/$1.failed"
    if make "$1" >"$log" 2>&1; then
        "$root/$1/bin/pip" freeze >"$root/$1.versions" 2>/dev/null
        return 0
    fi
    { echo "see $log"; grep -iE 'error|could not' "$log" | tail -1; } >"$root/$1.failed"
    echo "   failed: $(tail -1 "$root/$1.failed")"
    failed="$failed $1"
}

# shellcheck disable=SC2086  # a list of words
[ $# -gt 0 ] || set -- $all
for name in "$@"; do
    packages "$name" >/dev/null || { echo "setup.sh: no peer is called '$name': $all" >&2; exit 2; }
done
mkdir -p "$root"
failed=
for name in "$@"; do
    install "$name"
done
[ -z "$failed" ] || { echo "setup.sh: not installed:$failed" >&2; exit 1; }
