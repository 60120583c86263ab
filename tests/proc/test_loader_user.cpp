// SPDX-License-Identifier: Apache-2.0
//
// User-defined commanders and producers: callbacks, plug-in, a program of its own; rows and whole
// batches; and what their failures say.
#include "loader_testing.hpp"

#include <cstring>

#include <unistd.h>

static std::string user_config(const std::string &commander, const std::string &producer)
{
    return "version: 1\nepochs: 2\nbatch: {size: 4, last: short}\nproducers: 2\n" + commander +
           producer +
           "fields:\n  image: {dtype: uint16, shape: [8, 8, 3]}\n  note: {dtype: float32, shape: "
           "[], max: 3}\n";
}

static const std::string plugin_commander =
    "commander: {plugin: " MR_EXAMPLE_PLUGIN ", params: {max_index: 10}}\n";
static const std::string plugin_producer = "producer: {plugin: " MR_EXAMPLE_PLUGIN "}\n";

static std::vector<uint16_t> values(Loader &l)
{
    std::vector<uint16_t> all;
    mr_batch *b;
    int rc;
    while ((rc = mr_next(l.handle, &b, 30000)) >= 0 && rc != MR_END) {
        if (rc == MR_END_EPOCH) {
            all.push_back(999);
            continue;
        }
        const mr_tensor *x = mr_field(b, "image");
        for (int64_t row = 0; row < x->shape[0]; row++) {
            const uint16_t *p = (const uint16_t *)((const char *)x->data + row * x->strides[0]);
            for (int64_t i = 1; i < x->strides[0] / 2; i++)
                EXPECT_EQ(p[i], p[0]);
            all.push_back(p[0]);
        }
        mr_release(b);
    }
    l.rc = rc;
    l.error = rc < 0 ? mr_error(l.handle) : "";
    return all;
}

static std::vector<uint16_t> two_epochs(uint16_t n)
{
    std::vector<uint16_t> all;
    for (int epoch = 0; epoch < 2; epoch++) {
        for (uint16_t i = 0; i < n; i++)
            all.push_back(i);
        all.push_back(999);
    }
    return all;
}

TEST(UserCode, PluginRowsPluginBatchesAndAnExecedProgramGiveTheSame)
{
    for (const char *set : {"producers=2", "producer.unit=batch", "producers=1", "slots=1"}) {
        Loader l(user_config(plugin_commander, plugin_producer), {set});
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        EXPECT_EQ(values(l), two_epochs(10)) << set << ": " << l.error;
    }
    Loader exec(user_config(plugin_commander, "producer: {exec: " MR_EXAMPLE_WORKER "}\n"));
    ASSERT_EQ(exec.rc, MR_OK) << exec.error;
    EXPECT_EQ(values(exec), two_epochs(10)) << exec.error;
}

TEST(UserCode, TheProfileOfUserRowsIsFillAndWait)
{
    Loader l(user_config(plugin_commander, plugin_producer), {"producers=2"});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    ASSERT_EQ(values(l), two_epochs(10)) << l.error;
    mr_profile p = {};
    EXPECT_EQ(mr_get_profile(l.handle, &p), MR_E_USAGE) << "without its size";
    EXPECT_NE(strstr(mr_error(l.handle), "mr_profile.size"), nullptr) << mr_error(l.handle);
    EXPECT_EQ(mr_get_profile(l.handle, nullptr), MR_E_USAGE);
    p.size = sizeof p;
    ASSERT_EQ(mr_get_profile(l.handle, &p), MR_OK) << mr_error(l.handle);
    ASSERT_EQ(p.nstages, 2);
    EXPECT_STREQ(p.stage[0].what, "fill");
    EXPECT_STREQ(p.stage[1].what, "wait");
    EXPECT_GT(p.rows, 0u);
    EXPECT_EQ(p.images, 0u);
}

TEST(UserCode, KilledProducersOfEveryKindAreReplaced)
{
    for (const char *producer : {"producer: {plugin: " MR_EXAMPLE_PLUGIN "}\n",
                                 "producer: {plugin: " MR_EXAMPLE_PLUGIN ", unit: batch}\n",
                                 "producer: {exec: " MR_EXAMPLE_WORKER "}\n"}) {
        std::string config = user_config(plugin_commander, producer);
        Loader calm(config, {"commander.params.max_index=400"});
        std::vector<Delivered> expected = calm.read();
        ASSERT_EQ(expected.size(), 200u) << calm.error;
        Loader l(config, {"commander.params.max_index=400"});
        std::vector<Delivered> got = l.read(SIZE_MAX, [](size_t done) {
            if (done % 40 == 5)
                for (const char *name : {"mr-producer-0", "example_worker"})
                    for (pid_t pid : processes(name))
                        kill(pid, SIGKILL);
        });
        EXPECT_EQ(l.rc, MR_END) << l.error;
        EXPECT_EQ(got, expected) << producer;
    }
}

// ---- callbacks ----

static int count_to_six(void *self, mr_message *m)
{
    int64_t *n = (int64_t *)self;
    if (*n == 6) {
        *n = 0;
        return MR_END_EPOCH;
    }
    double pair[2] = {0.5 * (double)*n, 2.5};
    mr_message_set_f64s(m, "pair", pair, 2);
    mr_message_set_str(m, "name", *n % 2 ? "odd" : "even");
    return mr_message_set_i64(m, "n", (*n)++);
}

static int fill_from_message(void *, mr_rows *rows)
{
    const mr_message *m = mr_rows_message(rows, 0);
    int64_t n;
    const double *pair;
    size_t len;
    const char *name;
    if (mr_message_get_i64(m, "n", &n) < 0 || mr_message_get_f64s(m, "pair", &pair, &len) < 0 ||
        mr_message_get_str(m, "name", &name) < 0 || len != 2)
        return mr_rows_fail(rows, MR_E_CODE, "the message lost something");
    if (n == 3)
        return mr_rows_fail(rows, MR_E_DATA, "three is a bad number");
    const mr_tensor *image = mr_rows_field(rows, "image"), *note = mr_rows_field(rows, "note");
    EXPECT_EQ(mr_rows_field(rows, "nothing"), nullptr);
    *(uint16_t *)image->data = (uint16_t)(n + (strcmp(name, "odd") ? 100 : 200));
    ((float *)note->data)[0] = (float)pair[0];
    ((float *)note->data)[1] = (float)pair[1];
    mr_rng rng = mr_rows_rng(rows, 0, "noise");
    ((float *)note->data)[2] = (float)mr_rng_uniform(&rng, 0, 1);
    return mr_rows_set_count(rows, "note", 0, 2);
}

static mr_commander commander(int64_t *counter)
{
    mr_commander c = {};
    c.size = sizeof c;
    c.abi = MR_PLUGIN_ABI;
    c.user = counter;
    c.next = count_to_six;
    return c;
}

static mr_producer producer(int (*fill)(void *, mr_rows *))
{
    mr_producer p = {};
    p.size = sizeof p;
    p.abi = MR_PLUGIN_ABI;
    p.fill = fill;
    return p;
}

TEST(UserCode, CallbacksReadTypedMessagesInFork)
{
    int64_t n = 0;
    mr_commander c = commander(&n);
    mr_producer p = producer(fill_from_message);
    Loader l(user_config("context: fork\non_error: skip\n", ""), {"batch.size=6"}, nullptr, &c, &p);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    mr_batch *b;
    ASSERT_EQ(mr_next(l.handle, &b, 30000), MR_OK) << mr_error(l.handle);
    const mr_tensor *image = mr_field(b, "image"), *note = mr_field(b, "note");
    for (int row = 0; row < 6; row++) {
        const uint16_t *pixels =
            (const uint16_t *)((const char *)image->data + row * image->strides[0]);
        const float *f = (const float *)((const char *)note->data + row * note->strides[0]);
        EXPECT_EQ(mr_valid(b)[row], row != 3);
        EXPECT_EQ(pixels[0], row == 3 ? 0 : row + (row % 2 ? 200 : 100));
        EXPECT_EQ(pixels[1], 0) << "bytes that fill left out are zero";
        EXPECT_EQ(note->counts[row], row == 3 ? 0u : 2u);
        EXPECT_FLOAT_EQ(f[0], row == 3 ? 0.0f : 0.5f * (float)row);
    }
    Delivered first = describe(b);
    mr_release(b);
    EXPECT_EQ(n, 0) << "the commander counts in its own process";
    Loader again(user_config("context: fork\non_error: skip\n", ""),
                 {"batch.size=6", "producers=1"}, nullptr, &c, &p);
    EXPECT_EQ(again.read(1)[0], first) << "random numbers belong to the row";
}

TEST(UserCode, FailuresAreSentences)
{
    int64_t n = 0;
    mr_commander c = commander(&n);
    mr_producer p = producer(fill_from_message);
    Loader data(user_config("context: fork\non_error: fail\n", ""), {}, nullptr, &c, &p);
    data.read();
    EXPECT_EQ(data.rc, MR_E_DATA);
    EXPECT_NE(data.error.find("three is a bad number"), std::string::npos) << data.error;

    mr_producer broken = producer([](void *, mr_rows *rows) {
        return mr_rows_fail(rows, MR_E_MEMORY, "the model does not fit");
    });
    Loader code(user_config("context: fork\n", ""), {}, nullptr, &c, &broken);
    code.read();
    EXPECT_EQ(code.rc, MR_E_CODE);
    EXPECT_NE(code.error.find("the model does not fit"), std::string::npos) << code.error;

    mr_producer unbuilt = producer(fill_from_message);
    unbuilt.build = [](void **, const mr_message *) { return (int)MR_E_IO; };
    Loader build(user_config("context: fork\n", ""), {}, nullptr, &c, &unbuilt);
    build.read();
    EXPECT_EQ(build.rc, MR_E_CODE);
    EXPECT_NE(build.error.find("build returned"), std::string::npos) << build.error;

    mr_producer crashing = producer([](void *, mr_rows *) -> int { abort(); });
    Loader crash(user_config("context: fork\n", ""), {}, nullptr, &c, &crashing);
    crash.read();
    EXPECT_EQ(crash.rc, MR_E_DIED);
    EXPECT_NE(crash.error.find("signal 6"), std::string::npos) << crash.error;

    Loader spawn(user_config("context: spawn\n", ""), {}, nullptr, &c, &p);
    EXPECT_EQ(spawn.rc, MR_E_CONFIG);
    EXPECT_NE(spawn.error.find("context: fork"), std::string::npos) << spawn.error;
}

TEST(UserCode, PluginsThatAreNoneAreRefused)
{
    Loader missing(user_config("commander: {plugin: /nowhere/x.so}\n", plugin_producer));
    EXPECT_EQ(missing.rc, MR_E_CONFIG);
    EXPECT_NE(missing.error.find("/nowhere/x.so"), std::string::npos) << missing.error;

    Loader text(user_config(plugin_commander, "producer: {plugin: " MR_SOURCE_DIR "/README.md}\n"));
    text.read();
    EXPECT_EQ(text.rc, MR_E_CODE) << text.error;

    Loader lonely(user_config(plugin_commander, ""));
    EXPECT_EQ(lonely.rc, MR_E_CONFIG) << lonely.error;
}

TEST(UserCode, AProgramStartedByHandSaysWhatItIs)
{
    EXPECT_EQ(mr_worker_run(nullptr), MR_E_USAGE);
    EXPECT_NE(std::string(mr_error(nullptr)).find("producer: {exec: ...}"), std::string::npos);
}

// ---- a commander that can be replaced ----

static int save_count(void *self, void *state, size_t cap, size_t *bytes)
{
    if (cap < sizeof(int64_t))
        return MR_E_LIMIT;
    memcpy(state, self, sizeof(int64_t));
    *bytes = sizeof(int64_t);
    return MR_OK;
}

static int load_count(void *self, const void *state, size_t bytes)
{
    if (bytes != sizeof(int64_t))
        return MR_E_CONFIG;
    memcpy(self, state, bytes);
    return MR_OK;
}

static int count_to_a_hundred(void *self, mr_message *m)
{
    int64_t *n = (int64_t *)self;
    if (*n % 102 == 101) { // an epoch ends in the middle of a batch
        (*n)++;
        return MR_END_EPOCH;
    }
    return mr_message_set_i64(m, "n", (*n)++);
}

TEST(UserCode, ACommanderWithSaveAndLoadIsReplacedOneWithoutEndsTheRun)
{
    int64_t n = 0;
    mr_commander c = commander(&n);
    c.next = count_to_a_hundred;
    c.save = save_count;
    c.load = load_count;
    mr_producer p = producer([](void *, mr_rows *rows) {
        int64_t value;
        int rc = mr_message_get_i64(mr_rows_message(rows, 0), "n", &value);
        *(uint16_t *)mr_rows_field(rows, "image")->data = (uint16_t)value;
        return rc;
    });
    std::string config = user_config("context: fork\n", "");
    Loader calm(config, {"epochs=3"}, nullptr, &c, &p);
    std::vector<Delivered> expected = calm.read();
    ASSERT_EQ(calm.rc, MR_END) << calm.error;
    auto kill_commander = [](size_t done) {
        if (done % 10 == 3)
            for (pid_t pid : processes("mr-commander"))
                kill(pid, SIGKILL);
    };
    Loader l(config, {"epochs=3"}, nullptr, &c, &p);
    EXPECT_EQ(l.read(SIZE_MAX, kill_commander), expected) << l.error;
    EXPECT_EQ(l.rc, MR_END) << l.error;

    c.save = nullptr;
    Loader mortal(config, {"epochs=0"}, nullptr, &c, &p);
    mortal.read(SIZE_MAX, kill_commander);
    EXPECT_EQ(mortal.rc, MR_E_DIED);
    EXPECT_NE(mortal.error.find("save and load"), std::string::npos) << mortal.error;
}
