/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_codec.h"
#include "loaders/codec/pngchunk.h"

#include <zlib.h>

extern const struct mr_codec mr__codec_png;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed);
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return fuzz_codec(&mr__codec_png, data, n);
}

/* Every change breaks a checksum, and nothing behind the checksums would ever be reached: so most
 * inputs get theirs repaired. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
    if (!LLVMFuzzerMutate)
        return n;
    n = LLVMFuzzerMutate(data, n, max);
    size_t at = MR_PNGCHUNK_FIRST;
    struct mr_pngchunk c;
    while (seed % 8 && mr__pngchunk_next(data, n, &at, &c)) {
        size_t end = (size_t)(c.data - data) + c.n;
        if (!c.whole)
            break;
        uLong crc = crc32_z(0, c.data - 4, (size_t)c.n + 4);
        for (size_t i = 0; i < 4; i++)
            data[end + i] = (uint8_t)(crc >> (24 - 8 * i));
    }
    return n;
}
