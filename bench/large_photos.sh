#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# large_photos.sh [DIR]: the JPEG photographs of 4 to 18 megapixels out of two of Debian's packages
# of desktop backgrounds, into DIR/baseline and DIR/progressive (default out/large). Nothing is
# installed. They belong to their authors, under the packages' licences: for measuring here, not to
# be passed on.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-$here/../out/large}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
apt-get -q download plasma-workspace-wallpapers mate-backgrounds
for package in ./*.deb; do
    dpkg -x "$package" files
done
cd - >/dev/null
mkdir -p "$to"
python3 "$here/harness/jpeg_size.py" --from "$work/files" --to "$to" --least 4e6 --most 18.5e6
