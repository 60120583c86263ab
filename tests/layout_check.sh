#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# layout_check.sh [ROOT]: what core/README.md and CONTRIBUTING.md promise about the tree, checked by
# its text: who may include whom, line lengths, licence lines, file and function sizes, unique
# names. Prints each breach as file:line: sentence and exits with 1 when there is any.
set -u
cd "${1:-$(dirname "$0")/..}" || exit 1
found=$(mktemp)
trap 'rm -f "$found"' EXIT

broken() { echo "tests/layout_check.sh:1: awk failed, so nothing was checked"; }

files() { # every text file of ours, by name pattern
    find . \( -name .git -o -name build -o -name out -o -name third_party \) -prune -o \
        -type f \( "$@" \) -print | sed 's|^\./||' | sort
}
code() { files -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.hpp'; }
texts() {
    files -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.hpp' -o -name '*.lua' \
        -o -name '*.py' -o -name '*.sh' -o -name '*.pml' -o -path ./dev -o -path ./.ci/run
}

# includes FOLDER PATTERN WHO: every quoted #include under FOLDER must match PATTERN.
includes() {
    code | grep "^$1/" | while read -r file; do
        grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$file" |
            grep -vE "include[[:space:]]*\"($2)" |
            sed "s|^\([0-9]*\):.*\"\(.*\)\".*|$file:\1: $1 may not include '\2' ($3)|"
    done
}

dependencies() {
    own='[A-Za-z0-9_]+\.h"' # a file of the same folder
    public='millrace/'
    base='base/'
    includes core/include "$public" "public headers see each other only"
    includes core/base "$public|$base|$own" "base depends on nothing"
    includes core/shm "$public|$base|shm/|$own" "shm depends on base"
    includes core/proc "$public|$base|shm/|proc/|$own" "proc depends on shm and base"
    includes core/pipe "$public|$base|shm/|proc/|pipe/|augment/|loaders/|$own" "pipe sees all"
    includes core/pack "$public|$base|pipe/|pack/|augment/|loaders/|$own" "pack sees no processes"
    includes loaders "$public|$base|loaders/|$own" "loaders see base and the public headers"
    includes augment "$public|$base|augment/|$own" "augment sees base and the public headers"
    includes bindings "$public|$own|[a-z]+\.hpp\"" "bindings see the public headers only"
}

lines() {
    texts | while read -r file; do
        awk -v file="$file" '
            length($0) > 100 { print file ":" FNR ": " length($0) " columns, 100 at most" }
            /\t/             { print file ":" FNR ": a tab" }
            /[ \r]$/         { print file ":" FNR ": a blank at the end of the line" }' "$file" ||
            broken
    done
}

licences() {
    { texts; files -name CMakeLists.txt -o -name '*.cmake'; } | while read -r file; do
        head -2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
            echo "$file:1: no 'SPDX-License-Identifier: Apache-2.0' on its first line"
    done
}

# A C function, as it is laid out here, begins at a "{" in column 0 and ends at a "}" there. So does
# a C++ class or namespace.
sizes() {
    code | while read -r file; do
        awk -v file="$file" '
            /^\{/ && !open && before !~ /(^|[ >])(class|struct|namespace) / { open = FNR }
            { before = $0 }
            /^\}/ { if (open && FNR - open > 100)
                        print file ":" open ": " FNR - open " lines of one function, 100 at most"
                    open = 0 }
            END { if (FNR > 600) print file ":1: " FNR " lines, 600 at most" }' "$file" ||
            broken
    done
}

# An editor's "open registry.c" should have one answer; the two lists of plug-ins are the exception.
unique_names() {
    code | grep -v '/registry\.c$' | sed 's|.*/||' | sort | uniq -d | while read -r name; do
        code | grep "/$name\$" | sed "s|\$|:1: there is more than one file named '$name'|"
    done
}

{ dependencies; lines; licences; sizes; unique_names; } >"$found"
cat "$found"
if [ -s "$found" ]; then
    echo "layout_check: $(wc -l <"$found") breaches"
    exit 1
fi
echo "layout_check: $(code | wc -l) files of code keep the rules"
