// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <millrace/millrace.hpp>

#include <cstring>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

// 60 images of 3 classes in batches of 7: 9 batches an epoch, the last of 4 rows.
millrace::options small(std::vector<std::string> set = {})
{
    millrace::options o;
    o.text =
        "version: 1\nseed: 5\nepochs: 2\nbatch: {size: 7, last: short}\nslots: 4\nproducers: 2\n"
        "source: {type: folder, path: " MR_SAMPLE "/images}\n"
        "ops:\n  - resize: {size: [8, 6]}\n"
        "fields:\n  image: {dtype: float32, layout: NCHW}\n  label: {dtype: int64}\n";
    o.set = std::move(set);
    return o;
}

int code_of(const std::function<void()> &call)
{
    try {
        call();
    } catch (const millrace::error &e) {
        EXPECT_STRNE(e.what(), "");
        return e.code();
    }
    return MR_OK;
}

} // namespace

static_assert(!std::is_copy_constructible<millrace::loader>::value, "a loader is moved");
static_assert(!std::is_copy_constructible<millrace::batch>::value, "a batch is moved");
static_assert(std::is_nothrow_move_constructible<millrace::batch>::value, "and fits containers");

TEST(Cpp, RangeForOverTheRun)
{
    millrace::loader loader("test", small());
    int batches = 0, rows = 0;
    std::multiset<std::uint64_t> ids;
    for (auto &batch : loader) {
        auto info = batch.info();
        EXPECT_EQ(info.epoch, (std::uint64_t)batches / 9);
        EXPECT_EQ(info.batch, (std::uint64_t)batches % 9);
        for (int i = 0; i < info.rows; i++) {
            EXPECT_EQ(batch.valid()[i], 1);
            ids.insert(batch.ids()[i]);
        }
        batches++;
        rows += info.rows;
    }
    EXPECT_EQ(batches, 18);
    EXPECT_EQ(rows, 120);
    for (std::uint64_t id = 0; id < 60; id++)
        EXPECT_EQ(ids.count(id), 2u);
    EXPECT_TRUE(loader.ended());
    EXPECT_EQ(loader.begin(), loader.end());
}

TEST(Cpp, EpochByEpoch)
{
    millrace::loader loader("test", small({"epochs=3"}));
    std::vector<int> epochs;
    while (!loader.ended()) {
        epochs.push_back(0);
        for (auto &batch : loader.epoch()) {
            EXPECT_EQ(batch.info().epoch, epochs.size() - 1);
            epochs.back()++;
        }
    }
    EXPECT_EQ(epochs, (std::vector<int>{9, 9, 9}));
}

TEST(Cpp, ViewsIndexTheField)
{
    millrace::loader loader("test", small());
    millrace::batch batch;
    ASSERT_EQ(loader.next(batch), MR_OK);
    EXPECT_EQ(batch.fields(), (std::vector<std::string>{"image", "label"}));
    auto x = batch.field<float>("image");
    EXPECT_EQ(x.shape(), (std::vector<std::int64_t>{7, 3, 8, 6}));
    EXPECT_EQ(x.size(), 7 * 3 * 8 * 6);
    EXPECT_EQ(x.stride(3), 4);
    EXPECT_EQ(x.element_strides()[3], 1);
    EXPECT_EQ(&x(0, 0, 0, 0), x.data());
    for (int c = 0; c < 3; c++) {
        const float *want = (const float *)((const char *)x.data() + 2 * x.stride(0) +
                                            c * x.stride(1) + 5 * x.stride(2)) +
                            4;
        EXPECT_EQ(&x(2, c, 5, 4), want);
        EXPECT_EQ(&x.at(2, c, 5, 4), want);
        EXPECT_EQ(&x[2][c](5, 4), want);
        EXPECT_EQ(&x[2][c][5](4), want);
    }
    EXPECT_EQ(x[2].ndim(), 3u);
    EXPECT_THROW(x.at(7, 0, 0, 0), std::out_of_range);
    EXPECT_THROW(x.at(0, 0, -1, 0), std::out_of_range);
    EXPECT_THROW(x.at(0, 0), std::out_of_range);
    x(0, 0, 0, 0) = 7.5f; // in place
    EXPECT_EQ(batch.field<const float>("image")(0, 0, 0, 0), 7.5f);
    auto y = batch.field<std::int64_t>("label");
    for (int i = 0; i < 7; i++) {
        EXPECT_TRUE(y(i) >= 0 && y(i) < 3);
        EXPECT_NE(loader.sample_path(batch.ids()[i]).find("/" + loader.class_name(y(i)) + "/"),
                  std::string::npos);
    }
    EXPECT_EQ(loader.class_name(3), "");
}

TEST(Cpp, MistakesAreExceptions)
{
    EXPECT_EQ(code_of([] { millrace::loader("/nowhere.yaml"); }), MR_E_IO);
    EXPECT_EQ(code_of([] { millrace::loader("test", small({"bach.size=4"})); }), MR_E_CONFIG);
    EXPECT_EQ(code_of([] { millrace::check_config("test", small({"epochs=-1"})); }), MR_E_CONFIG);
    EXPECT_EQ(code_of([] { millrace::check_config("test", small()); }), MR_OK);
    EXPECT_NE(millrace::explain("test", small()).find("resize"), std::string::npos);
    millrace::loader loader("test", small());
    millrace::batch batch;
    loader.next(batch);
    EXPECT_EQ(code_of([&] { batch.field<double>("image"); }), MR_E_USAGE);
    EXPECT_EQ(code_of([&] { batch.field<float>("imgae"); }), MR_E_USAGE);
    EXPECT_EQ(code_of([&] { loader.load_state("{}"); }) < 0, true);
    batch.release();
    EXPECT_FALSE(batch);
    EXPECT_EQ(code_of([&] { batch.field<float>("image"); }), MR_E_STALE);
    EXPECT_EQ(code_of([&] { batch.info(); }), MR_E_STALE);
    EXPECT_EQ(batch.ids(), nullptr);
    loader.close();
    EXPECT_EQ(code_of([&] { loader.next(batch); }), MR_E_CLOSED);
}

TEST(Cpp, LeasesEndWithTheirBatch)
{
    millrace::loader loader("test", small());
    {
        std::vector<millrace::batch> held(4);
        for (auto &batch : held)
            ASSERT_EQ(loader.next(batch), MR_OK);
        millrace::batch more;
        EXPECT_EQ(code_of([&] { loader.next(more); }), MR_E_LEASED);
        std::swap(held[0], held[3]);
        held.pop_back();
        EXPECT_EQ(loader.next(more), MR_OK);
        more = std::move(held[1]);
        EXPECT_EQ(more.info().batch, 1u);
    }
    millrace::batch batch; // all are free again
    for (int i = 0; i < 4; i++)
        ASSERT_EQ(loader.next(batch), MR_OK);
}

TEST(Cpp, AForkedChildGetsErrorsAndDisturbsNothing)
{
    millrace::loader loader("test", small());
    millrace::batch batch;
    ASSERT_EQ(loader.next(batch), MR_OK);
    std::uint64_t hash = batch.hash();
    pid_t pid = fork();
    if (pid == 0) {
        millrace::batch other;
        bool right = code_of([&] { loader.next(other); }) == MR_E_FORKED &&
                     code_of([&] { loader.dump(); }) == MR_E_FORKED &&
                     code_of([&] { loader.save_state(); }) == MR_E_FORKED &&
                     code_of([&] { batch.tensor("image"); }) == MR_E_FORKED &&
                     code_of([&] { batch.fields(); }) == MR_E_FORKED &&
                     code_of([&] { batch.hash(); }) == MR_E_FORKED &&
                     code_of([&] { batch.release(); }) == MR_E_FORKED;
        loader.close();
        _exit(right ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(batch.hash(), hash);
    batch.release();
    EXPECT_EQ(code_of([&] { batch.tensor("image"); }), MR_E_STALE);
    EXPECT_EQ(loader.next(batch), MR_OK);
}

TEST(Cpp, ABatchMayOutliveItsLoader)
{
    millrace::batch kept;
    float first;
    {
        millrace::loader loader("test", small());
        for (auto &batch : loader) {
            first = batch.field<float>("image")(0, 0, 0, 0);
            kept = std::move(batch);
            break;
        }
        millrace::loader moved(std::move(loader));
        EXPECT_EQ(code_of([&] { loader.stats(); }), MR_E_CLOSED);
        EXPECT_EQ(moved.stats().slots, 4);
    }
    EXPECT_EQ(kept.field<float>("image")(0, 0, 0, 0), first);
}

TEST(Cpp, StatesGoOnWhereTheyWereSaved)
{
    std::vector<std::uint64_t> hashes;
    std::string state, between;
    {
        millrace::loader loader("test", small());
        for (auto &batch : loader.epoch()) {
            hashes.push_back(batch.hash());
            if (hashes.size() == 4)
                state = loader.save_state();
        }
        EXPECT_FALSE(loader.ended()); // looks ahead, which the state must not count
        between = loader.save_state();
        for (auto &batch : loader)
            hashes.push_back(batch.hash());
    }
    auto rest_from = [&](const std::string &from) {
        auto o = small();
        o.state = from;
        millrace::loader loader("test", o);
        std::vector<std::uint64_t> rest;
        for (auto &batch : loader)
            rest.push_back(batch.hash());
        return rest;
    };
    EXPECT_EQ(rest_from(state), std::vector<std::uint64_t>(hashes.begin() + 4, hashes.end()));
    EXPECT_EQ(rest_from(between), std::vector<std::uint64_t>(hashes.begin() + 9, hashes.end()));
    millrace::loader loader("test", small());
    loader.load_state(between);
    EXPECT_EQ((*loader.begin()).hash(), hashes[9]);
}

TEST(Cpp, FeedbackSteersAndIsSaved)
{
    const std::string file = testing::TempDir() + "millrace-cpp-" + std::to_string(getpid());
    auto learning = small();
    learning.text += "sampler: {type: adaptive, feedback_delay: 2, floor: 0}\n";
    std::vector<std::uint64_t> hashes;
    std::string state;
    auto read = [&](millrace::loader &loader, std::vector<std::uint64_t> &into) {
        for (auto &batch : loader) {
            for (int row = 0; row < batch.info().rows; row++)
                batch.feedback(row, row % 3);
            into.push_back(batch.hash());
            if (into.size() == 4 && state.empty()) {
                batch.release();
                loader.save_weights(file);
                state = loader.save_state();
            }
        }
    };
    {
        millrace::loader loader("test", learning);
        read(loader, hashes);
        EXPECT_EQ(hashes.size(), 18u);
    }
    learning.state = state;
    EXPECT_EQ(code_of([&] { millrace::loader without("test", learning); }), MR_E_USAGE);
    learning.weights = file;
    std::vector<std::uint64_t> rest, again;
    millrace::loader loader("test", learning);
    read(loader, rest);
    EXPECT_EQ(rest, std::vector<std::uint64_t>(hashes.begin() + 4, hashes.end()));
    loader.load_weights(file);
    loader.load_state(state);
    read(loader, again);
    EXPECT_EQ(again, rest);
    EXPECT_EQ(code_of([&] { millrace::batch().feedback(0, 1); }), MR_E_STALE);
    unlink(file.c_str());
}

TEST(Cpp, AnEpochMayEndEarly)
{
    millrace::loader loader("test", small());
    int batches = 0;
    for (auto &batch : loader.epoch()) {
        EXPECT_EQ(batch.info().epoch, 0u);
        if (++batches == 3)
            loader.end_epoch();
    }
    EXPECT_EQ(batches, 3);
    for (auto &batch : loader.epoch())
        EXPECT_EQ(batch.info().epoch, 1u);
    EXPECT_TRUE(loader.ended());
}

TEST(Cpp, SetEpochGoesToItsFirstBatch)
{
    millrace::loader loader("test", small());
    std::vector<std::uint64_t> second;
    loader.set_epoch(1);
    for (auto &batch : loader.epoch())
        second.push_back(batch.hash());
    EXPECT_EQ(second.size(), 9u);
    loader.set_epoch(0);
    for (auto &batch : loader.epoch())
        EXPECT_EQ(batch.info().epoch, 0u);
    EXPECT_FALSE(loader.ended()); // has taken the next epoch's first batch
    loader.set_epoch(1);
    for (auto &batch : loader.epoch())
        EXPECT_EQ(batch.hash(), second.at(batch.info().batch));
    EXPECT_TRUE(loader.ended());
    loader.set_epoch(1);
    EXPECT_EQ((*loader.begin()).hash(), second[0]);
    EXPECT_EQ(code_of([&] { loader.set_epoch(2); }), MR_E_USAGE);
}

TEST(Cpp, LogLinesArriveAndExceptionsInThemDoNotEscape)
{
    int lines = 0;
    auto o = small({"on_error=skip"});
    o.text.replace(o.text.find(MR_SAMPLE "/images}"), strlen(MR_SAMPLE "/images}"),
                   MR_BAD_SAMPLE ", extensions: ['*']}");
    o.log = [&](mr_log_level, std::string_view line) {
        lines += line.find("bad sample") != std::string_view::npos;
        throw std::runtime_error("from the callback");
    };
    millrace::loader loader("test", o);
    for (auto &batch : loader)
        (void)batch;
    EXPECT_GT(lines, 0);
    EXPECT_EQ(loader.stats().bad_samples, (std::uint64_t)lines);
}
