/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/exif.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int32_t orientation = mr__exif_orientation(data, n);
    if (orientation < 1 || orientation > 8)
        abort();
    return 0;
}
