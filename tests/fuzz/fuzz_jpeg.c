/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_codec.h"

extern const struct mr_codec mr__codec_jpeg;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return fuzz_codec(&mr__codec_jpeg, data, n);
}
