// SPDX-License-Identifier: Apache-2.0
//
// What is delivered: every sample once per epoch, the same bytes for any number of producers, every
// policy for the last batch.
#include "loader_testing.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <unistd.h>

TEST(LoaderStream, EverySampleOncePerEpochAndShuffledAnewInEach)
{
    Loader l(main_config("epochs: 3\n"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::vector<Delivered> all = l.read();
    ASSERT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(l.epochs_ended, 3);
    std::map<uint64_t, std::vector<uint64_t>> epochs;
    for (const Delivered &d : all)
        epochs[d.epoch].insert(epochs[d.epoch].end(), d.ids.begin(), d.ids.end());
    ASSERT_EQ(epochs.size(), 3u);
    for (auto &[epoch, ids] : epochs) {
        EXPECT_EQ(ids.size(), 60u);
        EXPECT_EQ(std::set<uint64_t>(ids.begin(), ids.end()).size(), 60u) << "epoch " << epoch;
    }
    EXPECT_NE(epochs[0], epochs[1]);
    EXPECT_EQ(all.size(), 3u * 8);
    EXPECT_EQ(all[7].rows, 4) << "last: short";
}

TEST(LoaderStream, SameBytesForAnyProducersThreadsAndSlots)
{
    Loader one(main_config("epochs: 2\n"), {"producers=1"});
    ASSERT_EQ(one.rc, MR_OK) << one.error;
    std::vector<Delivered> expected = one.read();
    ASSERT_EQ(expected.size(), 16u);
    for (const char *set : {"producers=2", "producers=7", "producers={count: 1, threads: 3}",
                            "slots=1", "slots=9", "context=fork"}) {
        Loader other(main_config("epochs: 2\n"), {set});
        ASSERT_EQ(other.rc, MR_OK) << other.error;
        EXPECT_EQ(other.read(), expected) << set;
    }
    Loader seed(main_config("epochs: 2\n"), {"seed=43"});
    EXPECT_NE(seed.read(), expected);
}

TEST(LoaderStream, LastBatchDropPadWrap)
{
    Loader drop(main_config("epochs: 1\nbatch: {size: 16, last: drop}\n"));
    std::vector<Delivered> d = drop.read();
    ASSERT_EQ(d.size(), 3u) << drop.error;

    Loader pad(main_config("epochs: 1\nbatch: {size: 16, last: pad}\n"));
    std::vector<Delivered> p = pad.read();
    ASSERT_EQ(p.size(), 4u) << pad.error;
    EXPECT_EQ(p[3].rows, 16);
    EXPECT_EQ(p[3].valid, 12);
    for (int i = 12; i < 16; i++) {
        EXPECT_EQ(p[3].ids[i], UINT64_MAX);
        EXPECT_EQ(p[3].flags[i], 0);
    }

    Loader wrap(main_config("epochs: 1\nbatch: {size: 16, last: wrap}\n"));
    std::vector<Delivered> w = wrap.read();
    ASSERT_EQ(w.size(), 4u) << wrap.error;
    EXPECT_EQ(w[3].valid, 16);
    EXPECT_TRUE(std::equal(w[3].ids.begin() + 12, w[3].ids.end(), w[0].ids.begin()));
    EXPECT_EQ(d[0], p[0]);
    EXPECT_EQ(d[0], w[0]);
}

TEST(LoaderStream, PaddedRowsAreZeroEvenWhereASlotWasUsedBefore)
{
    Loader l(main_config("epochs: 2\nslots: 1\nbatch: {size: 16, last: pad}\n"));
    mr_batch *b;
    int rc;
    while ((rc = mr_next(l.handle, &b, 30000)) >= 0 && rc != MR_END) {
        if (rc == MR_END_EPOCH)
            continue;
        const mr_tensor *x = mr_field(b, "image");
        for (int64_t row = 0; row < x->shape[0]; row++) {
            const float *pixels = (const float *)((const char *)x->data + row * x->strides[0]);
            bool zero =
                std::all_of(pixels, pixels + x->strides[0] / 4, [](float v) { return v == 0; });
            EXPECT_EQ(zero, !mr_valid(b)[row]);
        }
        mr_release(b);
    }
    EXPECT_EQ(rc, MR_END);
}

TEST(LoaderStream, RanksShareTheBatchesOfOneStream)
{
    Loader whole(main_config("epochs: 1\nbatch: {size: 8, last: wrap}\n"));
    std::vector<Delivered> all = whole.read();
    ASSERT_EQ(all.size(), 8u);
    std::vector<Delivered> dealt(8);
    for (int rank = 0; rank < 2; rank++) {
        Loader l(main_config("epochs: 1\nbatch: {size: 8, last: wrap}\n"),
                 {"world=2", "rank=" + std::to_string(rank)});
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        for (const Delivered &d : l.read())
            dealt.at(d.batch) = d;
    }
    EXPECT_EQ(dealt, all);
}

TEST(LoaderStream, FieldsHaveTheirOwnTypeLayoutAndAlignment)
{
    const char *config = "version: 1\nepochs: 1\nbatch: {size: 5}\n"
                         "source: {type: manifest, path: " MR_SAMPLE "/manifest.csv}\n"
                         "sampler: {type: sequential}\n"
                         "ops:\n  - resize: {size: [24, 40]}\n"
                         "fields:\n"
                         "  image: {dtype: uint8, layout: NHWC}\n"
                         "  mask: {dtype: int32}\n"
                         "  boxes: {dtype: float32, max: 6}\n"
                         "  label: {dtype: float64}\n";
    Loader l(config);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    mr_batch *b;
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK) << mr_error(l.handle);
    const mr_tensor *image = mr_field(b, "image"), *mask = mr_field(b, "mask"),
                    *boxes = mr_field(b, "boxes"), *label = mr_field(b, "label");
    ASSERT_TRUE(image && mask && boxes && label);
    EXPECT_EQ(image->dtype, MR_U8);
    ASSERT_EQ(image->ndim, 4);
    EXPECT_EQ(image->shape[1], 24);
    EXPECT_EQ(image->shape[2], 40);
    EXPECT_EQ(image->shape[3], 3);
    EXPECT_EQ(mask->dtype, MR_I32);
    EXPECT_EQ(label->dtype, MR_F64);
    ASSERT_EQ(boxes->ndim, 3);
    EXPECT_EQ(boxes->shape[1], 6);
    EXPECT_EQ(boxes->shape[2], 4);
    ASSERT_NE(boxes->counts, nullptr);
    for (const mr_tensor *t : {image, mask, boxes, label})
        EXPECT_EQ((uintptr_t)t->data % 64, 0u) << t->name;
    for (int row = 0; row < 5; row++) {
        ASSERT_GE(boxes->counts[row], 1u);
        const float *box = (const float *)((const char *)boxes->data + row * boxes->strides[0]);
        EXPECT_LT(box[0], box[2]);
        EXPECT_LE(box[2], 40.0f);
        EXPECT_LE(box[3], 24.0f);
        // The box is drawn around the mask's object: its middle row crosses it.
        const int32_t *m = (const int32_t *)((const char *)mask->data + row * mask->strides[0]);
        int inside = 0;
        for (int y = (int)box[1]; y < (int)box[3]; y++)
            for (int x = (int)box[0]; x < (int)box[2]; x++)
                inside += m[y * 40 + x] != 0;
        EXPECT_GT(inside, 0);
    }
    EXPECT_EQ(mr_field(b, "nothing"), nullptr);
    EXPECT_STREQ(mr_error(l.handle), "the config has no field 'nothing'");
    mr_release(b);
}

TEST(LoaderStream, EveryNumericTypeHoldsTheLabel)
{
    for (const char *type : {"uint8", "int16", "uint16", "int32", "int64", "float16", "bfloat16",
                             "float32", "float64"}) {
        Loader l("version: 1\nepochs: 1\nbatch: {size: 8}\n"
                 "source: {type: folder, path: " MR_SAMPLE "/images}\nsampler: {type: sequential}\n"
                 "ops:\n  - resize: {size: [16, 16]}\n"
                 "fields:\n  image: {dtype: " +
                 std::string(type) + "}\n  label: {dtype: " + type + "}\n");
        ASSERT_EQ(l.rc, MR_OK) << type << l.error;
        mr_batch *b;
        ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK) << mr_error(l.handle);
        const mr_tensor *y = mr_field(b, "label");
        EXPECT_STREQ(mr_dtype_name(y->dtype), type);
        EXPECT_STREQ(mr_dtype_name(mr_field(b, "image")->dtype), type);
        EXPECT_EQ(y->ndim, 1);
        EXPECT_EQ(y->strides[0], (int64_t)mr_dtype_size(y->dtype));
        mr_release(b);
    }
}

TEST(LoaderStream, StatsCountWhatHappened)
{
    Loader l(main_config("epochs: 1\n"));
    l.read();
    mr_stats s = {};
    s.size = sizeof s;
    ASSERT_EQ(mr_get_stats(l.handle, &s), MR_OK);
    EXPECT_EQ(s.samples, 60u);
    EXPECT_EQ(s.batches_per_epoch, 8u);
    EXPECT_EQ(s.batches, 8u);
    EXPECT_EQ(s.rows, 60u);
    EXPECT_EQ(s.bad_samples, 0u);
    EXPECT_EQ(s.respawns, 0u);
    EXPECT_GT(s.decode_ns, 0u);
    EXPECT_GT(s.bytes_read, 60u * 100);
    char *dump = mr_dump(l.handle);
    ASSERT_NE(dump, nullptr);
    EXPECT_NE(std::string(dump).find("producer 0"), std::string::npos);
    mr_free(dump);
    EXPECT_STREQ(mr_class_name(l.handle, 3), nullptr);
    EXPECT_NE(mr_class_name(l.handle, 2), nullptr);
    char *path = mr_sample_path(l.handle, 59);
    ASSERT_NE(path, nullptr);
    EXPECT_EQ(access(path, R_OK), 0);
    mr_free(path);
    EXPECT_EQ(mr_sample_path(l.handle, 60), nullptr);
}
