/* SPDX-License-Identifier: Apache-2.0
 *
 * The store for NEON: eight pixels at a time, plane by plane (CHW) or as they lie (HWC), as in
 * store_avx2.c.
 */
#include "augment/kernel/store_versions.h"

#if defined(__aarch64__)
#include "augment/kernel/neon.h"

#include <string.h>

struct eight {
    float32x4_t low, high;
};

/* Eight floats to eight elements at `to`. */
typedef void write8(void *to, struct eight v);

NEON_INLINE void write_f32(void *to, struct eight v)
{
    vst1q_f32(to, v.low);
    vst1q_f32((float *)to + 4, v.high);
}

NEON_INLINE void write_f16(void *to, struct eight v)
{
    float16x8_t all = vcombine_f16(vcvt_f16_f32(v.low), vcvt_f16_f32(v.high));

    vst1q_u16(to, vreinterpretq_u16_f16(all));
}

NEON_INLINE uint16x4_t bf16(float32x4_t v)
{
    uint32x4_t bits = vreinterpretq_u32_f32(v);
    uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));

    return vaddhn_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
}

NEON_INLINE void write_bf16(void *to, struct eight v)
{
    vst1q_u16(to, vcombine_u16(bf16(v.low), bf16(v.high)));
}

NEON_INLINE uint16x4_t saturated(float32x4_t v)
{
    return vqmovun_s32(vcvtnq_s32_f32(v));
}

NEON_INLINE void write_u8(void *to, struct eight v)
{
    vst1_u8(to, vqmovn_u16(vcombine_u16(saturated(v.low), saturated(v.high))));
}

/* The last n < 8 elements. */
NEON_INLINE void write_some(write8 *write, size_t size, void *to, struct eight v, int n)
{
    _Alignas(16) char all[32];

    write(all, v);
    memcpy(to, all, (size_t)n * size);
}

NEON_INLINE struct eight scaled(uint8x8_t p, struct eight scale, struct eight bias)
{
    uint16x8_t wide = vmovl_u8(p);
    float32x4_t low = vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide)));
    float32x4_t high = vcvtq_f32_u32(vmovl_high_u16(wide));

    return (struct eight){vfmaq_f32(bias.low, low, scale.low),
                          vfmaq_f32(bias.high, high, scale.high)};
}

NEON_INLINE struct eight eight_times(float v)
{
    return (struct eight){vdupq_n_f32(v), vdupq_n_f32(v)};
}

NEON_INLINE void load_planes(const uint8_t *p, int c, uint8x8_t to[4])
{
    if (c == 3) {
        uint8x8x3_t three = vld3_u8(p);
        to[0] = three.val[0], to[1] = three.val[1], to[2] = three.val[2];
    } else {
        uint8x8x4_t four = vld4_u8(p);
        to[0] = four.val[0], to[1] = four.val[1], to[2] = four.val[2], to[3] = four.val[3];
    }
}

NEON_INLINE void planes(const struct mr_put *put, int c, const void *pixels, void *to, size_t size,
                        write8 *write)
{
    const uint8_t *p = pixels;
    int32_t n = put->n;

    for (int32_t i = 0; i < n; i += 8) {
        uint8x8_t plane[4];
        load_planes(p + (size_t)c * (size_t)i, c, plane);
        for (int ch = 0; ch < c; ch++) {
            char *out = (char *)to + ch * put->channel + (size_t)i * size;
            struct eight v =
                scaled(plane[ch], eight_times(put->scale[ch]), eight_times(put->bias[ch]));
            if (i + 8 <= n)
                write(out, v);
            else
                write_some(write, size, out, v, n - i);
        }
    }
}

NEON_INLINE struct eight load_eight(const float *p)
{
    return (struct eight){vld1q_f32(p), vld1q_f32(p + 4)};
}

/* As the pixels lie: scale and bias repeat after `phases` eights. */
NEON_INLINE void flat(const struct mr_put *put, int phases, const void *pixels, void *to,
                      size_t size, write8 *write)
{
    const uint8_t *p = pixels;
    int32_t n = put->n * put->c;
    float scale[24], bias[24];

    mr__put_repeat(put, 24, scale, bias);
    for (int32_t i = 0; i < n; i += 8 * phases) {
        for (int k = 0; k < phases && i + 8 * k < n; k++) {
            int32_t at = i + 8 * k;
            char *out = (char *)to + (size_t)at * size;
            struct eight v =
                scaled(vld1_u8(p + at), load_eight(scale + 8 * k), load_eight(bias + 8 * k));
            if (at + 8 <= n)
                write(out, v);
            else
                write_some(write, size, out, v, n - at);
        }
    }
}

MR_PUT(, f32, 4, write_f32)
MR_PUT(, f16, 2, write_f16)
MR_PUT(, bf16, 2, write_bf16)
MR_PUT(, u8, 1, write_u8)

MR_PUT_TABLE(all);

mr_put_row *mr__put_neon(const struct mr_put *put)
{
    return all[put->dtype][put->chw && put->c > 1];
}
#endif
