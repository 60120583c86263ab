# SPDX-License-Identifier: Apache-2.0
# Run by the build (cmake -P): hashes the sources named in LIST into OUT, so that the warden can prove that it is of the
# same build as the library that started it.
file(STRINGS ${LIST} sources)
set(all "")
foreach(source ${sources})
  file(SHA1 ${source} one)
  string(APPEND all ${one})
endforeach()
string(SHA1 id "${all}${FLAGS}")
set(text "/* made by the build */\n#include \"shm/arena.h\"\n\nconst char *mr__build_id(void)\n{\n    return \"${id}\";\n}\n")
file(WRITE ${OUT} "${text}")
