// SPDX-License-Identifier: Apache-2.0
//
// png_testing.h: a picture becomes a PNG.
#ifndef MR_TESTS_PNG_TESTING_H
#define MR_TESTS_PNG_TESTING_H

#include "codec_testing.h"

#include <png.h>

// 1, 3 or 4 channels of 8 bits. `late_exif`: a TIFF block that is put behind the pixels.
inline Bytes encode_png(const Picture &p, const Bytes &late_exif = {}, int level = 1,
                        bool interlaced = false)
{
    Bytes out;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(
        png, &out,
        [](png_structp w, png_bytep data, size_t n) {
            Bytes *to = static_cast<Bytes *>(png_get_io_ptr(w));
            to->insert(to->end(), data, data + n);
        },
        nullptr);
    png_set_compression_level(png, level);
    int type = p.c == 1   ? PNG_COLOR_TYPE_GRAY
               : p.c == 3 ? PNG_COLOR_TYPE_RGB
                          : PNG_COLOR_TYPE_RGB_ALPHA;
    png_set_IHDR(png, info, png_uint_32(p.w), png_uint_32(p.h), 8, type,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_write_info(png, info);
    int passes = png_set_interlace_handling(png);
    for (int y = 0; y < passes * p.h; y++)
        png_write_row(png, &p.pixels[size_t(y % p.h) * p.w * p.c]);
    if (!late_exif.empty())
        png_write_chunk(png, reinterpret_cast<png_const_bytep>("eXIf"), late_exif.data(),
                        late_exif.size());
    png_write_end(png, nullptr);
    png_destroy_write_struct(&png, &info);
    return out;
}

#endif
