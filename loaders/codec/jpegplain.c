/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/jpegplain.h"

static bool plain_scan(const struct jpeg_decompress_struct *cinfo)
{
    return !cinfo->progressive_mode && !cinfo->arith_code && cinfo->data_precision == 8 &&
           !cinfo->CCIR601_sampling && cinfo->comps_in_scan == cinfo->num_components &&
           cinfo->Ss == 0 && cinfo->Se == DCTSIZE2 - 1 && cinfo->Ah == 0 && cinfo->Al == 0;
}

static bool plain_colour(const struct jpeg_decompress_struct *cinfo)
{
    return (cinfo->num_components == 1 && cinfo->jpeg_color_space == JCS_GRAYSCALE) ||
           (cinfo->num_components == 3 && cinfo->jpeg_color_space == JCS_YCbCr);
}

static struct mr_plain_codes codes_of(JHUFF_TBL *const tables[NUM_HUFF_TBLS], int number)
{
    const JHUFF_TBL *t = number >= 0 && number < NUM_HUFF_TBLS ? tables[number] : NULL;
    return t ? (struct mr_plain_codes){t->bits, t->huffval} : (struct mr_plain_codes){0};
}

static struct mr_plain_component component_of(const struct jpeg_decompress_struct *cinfo,
                                              const jpeg_component_info *c)
{
    const JQUANT_TBL *quant = NULL;
    if (c->quant_tbl_no >= 0 && c->quant_tbl_no < NUM_QUANT_TBLS)
        quant = cinfo->quant_tbl_ptrs[c->quant_tbl_no];
    return (struct mr_plain_component){
        .h = c->h_samp_factor,
        .v = c->v_samp_factor,
        .quant = quant ? quant->quantval : NULL,
        .dc = codes_of(cinfo->dc_huff_tbl_ptrs, c->dc_tbl_no),
        .ac = codes_of(cinfo->ac_huff_tbl_ptrs, c->ac_tbl_no),
    };
}

bool mr__jpegplain(const struct jpeg_decompress_struct *cinfo, struct mr_plain_jpeg *plain)
{
    if (!plain_scan(cinfo) || !plain_colour(cinfo))
        return false;
    *plain = (struct mr_plain_jpeg){
        .w = (int32_t)cinfo->image_width,
        .h = (int32_t)cinfo->image_height,
        .components = cinfo->num_components,
        .restart = cinfo->restart_interval,
        .data = cinfo->src->next_input_byte,
        .n = cinfo->src->bytes_in_buffer,
    };
    for (int i = 0; i < cinfo->num_components; i++) {
        if (cinfo->cur_comp_info[i] != &cinfo->comp_info[i]) /* another order */
            return false;
        plain->component[i] = component_of(cinfo, &cinfo->comp_info[i]);
    }
    return true;
}
