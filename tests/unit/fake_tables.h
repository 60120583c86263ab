// SPDX-License-Identifier: Apache-2.0
// Plug-ins with one option of every type, so that tests of the config reader do not change with the
// real ones.
#ifndef MR_TESTS_FAKE_TABLES_H
#define MR_TESTS_FAKE_TABLES_H

extern "C" {
#include "base/config.h"
}

#include <cmath>
#include <cstddef>

namespace fake
{

struct CropParams {
    mr_size size;
    mr_range scale, ratio;
    int interpolation;
};
struct FlipParams {
    double p;
};
struct JitterParams {
    mr_range brightness;
    int64_t levels;
    bool keep;
    const char *note;
};
struct NormalizeParams {
    mr_floats mean, std;
};
struct FolderParams {
    const char *path;
    mr_strs extensions;
};

inline const char *const filters[] = {"nearest", "bilinear", "bicubic", nullptr};

inline const mr_opt crop_opts[] = {
    {"size", MR_OPT_SIZE, MR_OPT_STREAM, offsetof(CropParams, size), nullptr, 1, 65500, nullptr,
     "pixels", "size of the result"},
    {"scale", MR_OPT_RANGE, MR_OPT_STREAM, offsetof(CropParams, scale), "[0.08, 1.0]", 0, 1,
     nullptr, "of the area", "area of the crop"},
    {"ratio", MR_OPT_RANGE, MR_OPT_STREAM, offsetof(CropParams, ratio), "[0.75, 1.3333333]", 0.01,
     100, nullptr, nullptr, "width / height of the crop"},
    {"interpolation", MR_OPT_ENUM, MR_OPT_STREAM, offsetof(CropParams, interpolation), "bilinear",
     0, 0, filters, nullptr, "resampling filter"},
    {},
};
inline const mr_opt flip_opts[] = {
    {"p", MR_OPT_FLOAT, MR_OPT_STREAM, offsetof(FlipParams, p), "0.5", 0, 1, nullptr, nullptr,
     "how often"},
    {},
};
inline const mr_opt jitter_opts[] = {
    {"brightness", MR_OPT_SPREAD, MR_OPT_STREAM, offsetof(JitterParams, brightness), "", 0,
     INFINITY, nullptr, nullptr, "factors"},
    {"levels", MR_OPT_INT, MR_OPT_STREAM, offsetof(JitterParams, levels), "8", 2, 256, nullptr,
     "levels", "grey levels"},
    {"keep", MR_OPT_BOOL, MR_OPT_STREAM, offsetof(JitterParams, keep), "false", 0, 0, nullptr,
     nullptr, "keep them"},
    {"note", MR_OPT_STR, 0, offsetof(JitterParams, note), "", 0, 0, nullptr, nullptr, "a remark"},
    {},
};
inline const mr_opt normalize_opts[] = {
    {"mean", MR_OPT_FLOATS, MR_OPT_STREAM, offsetof(NormalizeParams, mean), nullptr, -INFINITY,
     INFINITY, nullptr, nullptr, "means"},
    {"std", MR_OPT_FLOATS, MR_OPT_STREAM, offsetof(NormalizeParams, std), nullptr, 1e-6, INFINITY,
     nullptr, nullptr, "deviations"},
    {},
};
inline const mr_opt folder_opts[] = {
    {"path", MR_OPT_PATH, 0, offsetof(FolderParams, path), nullptr, 0, 0, nullptr, nullptr,
     "folder of class folders"},
    {"extensions", MR_OPT_STRS, MR_OPT_STREAM, offsetof(FolderParams, extensions), "[jpg, png]", 0,
     0, nullptr, nullptr, "files with these endings"},
    {},
};

inline int normalize_check(const void *params, mr_errbuf *e)
{
    const auto *p = static_cast<const NormalizeParams *>(params);
    if (p->mean.n == p->std.n)
        return MR_OK;
    return mr__fail(e, MR_E_CONFIG, "'mean' has %d numbers and 'std' %d", p->mean.n, p->std.n);
}

inline mr_op make_op(const char *name, const char *help, size_t size, const mr_opt *opts,
                     int (*check)(const void *, mr_errbuf *) = nullptr)
{
    mr_op op = {};
    op.d = {name, help, size, opts, check};
    return op;
}

template <typename T> T make(const char *name, const char *help, size_t size, const mr_opt *opts)
{
    T t = {};
    t.d = {name, help, size, opts, nullptr};
    return t;
}

inline const mr_op op_jitter =
    make_op("color_jitter", "changes colours", sizeof(JitterParams), jitter_opts);
inline const mr_op op_normalize = make_op("normalize", "subtracts and divides",
                                          sizeof(NormalizeParams), normalize_opts, normalize_check);
inline const mr_op op_flip =
    make_op("random_horizontal_flip", "mirrors", sizeof(FlipParams), flip_opts);
inline const mr_op op_crop =
    make_op("random_resized_crop", "a part, resized", sizeof(CropParams), crop_opts);
inline const mr_op *const ops[] = {&op_jitter, &op_normalize, &op_flip, &op_crop, nullptr};

inline const mr_source source_folder =
    make<mr_source>("folder", "class folders", sizeof(FolderParams), folder_opts);
inline const mr_source *const sources[] = {&source_folder, nullptr};
inline const mr_sampler sampler_sequential = make<mr_sampler>("sequential", "in order", 0, nullptr);
inline const mr_sampler sampler_shuffle =
    make<mr_sampler>("shuffle", "in random order", 0, nullptr);
inline const mr_sampler *const samplers[] = {&sampler_sequential, &sampler_shuffle, nullptr};
inline const mr_codec *const codecs[] = {nullptr};

inline const mr_tables tables = {ops, sources, codecs, samplers};

} // namespace fake

#endif
