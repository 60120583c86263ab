// SPDX-License-Identifier: Apache-2.0
//
// kth_scenarios.cpp: what a sweep runs. Small, so that a thousand runs are a minute; whole, so that
// every allocation and system call of the library is among them.
#include "kth_sweep.hpp"

#include "millrace/millrace.h"

#include <cstring>

namespace
{

const char folder_config[] = "version: 1\nseed: 3\nepochs: 2\nbatch: {size: 2}\nslots: 2\n"
                             "producers: 1\non_error: fail\n"
                             "source: {type: folder, path: " MR_KTH_SAMPLE "/images}\n"
                             "sampler: {type: shuffle}\n"
                             "ops:\n  - random_resized_crop: {size: 8}\n"
                             "  - random_horizontal_flip\n"
                             "  - normalize: {mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]}\n";
const char manifest_config[] = "version: 1\nseed: 3\nepochs: 1\nbatch: {size: 2}\nslots: 2\n"
                               "producers: 1\non_error: fail\n"
                               "source: {type: manifest, path: " MR_KTH_SAMPLE "/manifest.csv}\n"
                               "ops:\n  - resize: {size: [8, 8]}\n"
                               "fields:\n  image: {dtype: uint8}\n  mask: {dtype: uint8}\n"
                               "  label: {dtype: int64}\n  boxes: {dtype: float32, max: 6}\n";
const char shards_config[] = "version: 1\nseed: 3\nepochs: 1\nbatch: {size: 2}\nslots: 2\n"
                             "producers: 1\non_error: fail\n"
                             "source: {type: shards, path: " MR_KTH_SAMPLE "_packed}\n"
                             "ops:\n  - random_resized_crop: {size: 8}\n"
                             "fields:\n  image: {dtype: uint8}\n  mask: {dtype: uint8}\n"
                             "  label: {dtype: int64}\n";
const char script_config[] =
    "version: 1\nseed: 3\nepochs: 2\nbatch: {size: 2}\nslots: 2\n"
    "producers: 1\non_error: fail\n"
    "source: {type: folder, path: " MR_KTH_SAMPLE "/images}\n"
    "commander: {script: " MR_SOURCE_DIR "/configs/class_turns.lua}\n"
    "ops:\n  - random_resized_crop: {size: 8}\n";
const char wrong_config[] = "version: 1\nbatch: {sise: 8}\nsource: {type: foldr, path: x}\n";
const char *const overrides[] = {"seed=4", "batch.last=pad", nullptr};

const char *const nowhere[] = {"source.path=" MR_KTH_SAMPLE "/nowhere", nullptr};

mr_options options_of(const char *text)
{
    mr_options o = {};
    o.size = sizeof o;
    o.config_text = text;
    o.set = overrides;
    return o;
}

// Notes the first call that failed; true: go on.
bool good(Outcome &o, int rc, const char *what, const mr_loader *l = nullptr)
{
    if (rc >= 0 || o.rc < 0)
        return rc >= 0;
    o.rc = rc;
    o.what = what;
    strncpy(o.sentence, mr_error(l), sizeof o.sentence - 1);
    return false;
}

void add(Outcome &o, const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        o.hash = (o.hash ^ static_cast<const unsigned char *>(data)[i]) * 0x100000001b3u;
}

// ---- without processes ----

void describe(Outcome &o, const char *format)
{
    char *text = nullptr;
    if (good(o, mr_describe(nullptr, nullptr, format, &text), "mr_describe"))
        add(o, text, strlen(text));
    mr_free(text);
}

Outcome check()
{
    Outcome o;
    char *text = nullptr;
    for (const char *config : {folder_config, manifest_config}) {
        mr_options options = options_of(config);
        good(o, mr_check("kth.yaml", &options), "mr_check");
        if (good(o, mr_explain("kth.yaml", &options, &text), "mr_explain"))
            add(o, text, strlen(text));
        mr_free(text);
        text = nullptr;
    }
    mr_options astray = options_of(nullptr);
    astray.set = nowhere; // its own data may be there or not: `./dev run` makes them
    good(o, mr_check(MR_SOURCE_DIR "/configs/imagenet.yaml", &astray) == MR_E_CONFIG ? 0 : -1,
         "mr_check of a config whose data are not there");
    mr_options wrong = options_of(wrong_config);
    int rc = mr_check("wrong.yaml", &wrong);
    if (rc >= 0 || !mr_error(nullptr)[0]) {
        o.rc = 1; // a wrong config was taken
        o.what = "mr_check of a wrong config";
    }
    return o;
}

Outcome describe_all()
{
    Outcome o;
    for (const char *format : {"text", "json", "schema", "markdown"})
        describe(o, format);
    return o;
}

// ---- a whole run ----

// Reads to the end, or `batches` of them.
bool read(Outcome &o, mr_loader *l, int batches)
{
    mr_batch *b;
    int rc = MR_OK;
    while (batches && (rc = mr_next(l, &b, 60000)) >= 0 && rc != MR_END) {
        uint64_t hash = 0;
        if (rc == MR_END_EPOCH)
            continue;
        batches--;
        good(o, mr_batch_hash(b, &hash), "mr_batch_hash", l);
        add(o, &hash, sizeof hash);
        good(o, mr_release(b), "mr_release", l);
    }
    return good(o, rc, "mr_next", l);
}

void look_around(mr_loader *l)
{
    mr_stats stats = {};
    stats.size = sizeof stats;
    mr_get_stats(l, &stats);
    mr_free(mr_dump(l));
    mr_free(mr_sample_path(l, 0));
    mr_class_name(l, 0);
    mr_fd(l);
}

void use(Outcome &o, mr_loader *l)
{
    char state[1024];
    size_t bytes;
    if (!good(o, mr_stream_hash_begin(l), "mr_stream_hash_begin", l) || !read(o, l, 1))
        return;
    look_around(l);
    if (!good(o, mr_save_state(l, state, sizeof state, &bytes), "mr_save_state", l) ||
        !read(o, l, 1) || !good(o, mr_load_state(l, state), "mr_load_state", l) || !read(o, l, 1) ||
        !good(o, mr_end_epoch(l), "mr_end_epoch", l))
        return;
    read(o, l, -1);
}

void log_line(void *, mr_log_level, const char *)
{
}

Outcome run(const char *config)
{
    Outcome o;
    mr_loader *l;
    mr_options options = options_of(config);
    options.log = log_line;
    if (!good(o, mr_open(&l, "kth.yaml", &options), "mr_open"))
        return o;
    use(o, l);
    mr_close(&l);
    return o;
}

Outcome run_folder()
{
    return run(folder_config);
}

Outcome run_manifest()
{
    return run(manifest_config);
}

Outcome run_shards()
{
    return run(shards_config);
}

Outcome run_script()
{
    return run(script_config);
}

// ---- callbacks: the warden is forked from the trainer ----

int count_up(void *self, mr_message *m)
{
    int64_t *n = static_cast<int64_t *>(self);
    return *n == 6 ? static_cast<int>(MR_END_EPOCH) : mr_message_set_i64(m, "n", (*n)++);
}

int fill(void *, mr_rows *rows)
{
    int64_t n;
    int rc = mr_message_get_i64(mr_rows_message(rows, 0), "n", &n);
    if (rc >= 0)
        *static_cast<uint16_t *>(mr_rows_field(rows, "x")->data) = static_cast<uint16_t>(n);
    return rc;
}

Outcome run_callbacks()
{
    Outcome o;
    int64_t n = 0;
    mr_loader *l;
    mr_commander c = {};
    c.size = sizeof c;
    c.abi = MR_PLUGIN_ABI;
    c.user = &n;
    c.next = count_up;
    mr_producer p = {};
    p.size = sizeof p;
    p.abi = MR_PLUGIN_ABI;
    p.fill = fill;
    mr_options options = {};
    options.size = sizeof options;
    options.config_text = "version: 1\ncontext: fork\nepochs: 1\nbatch: {size: 2}\nslots: 2\n"
                          "producers: 1\nfields: {x: {dtype: uint16, shape: []}}\n";
    options.commander = &c;
    options.producer = &p;
    if (!good(o, mr_open(&l, "kth.yaml", &options), "mr_open"))
        return o;
    read(o, l, 3);
    mr_close(&l);
    return o;
}

} // namespace

Scenario find_scenario(const std::string &name)
{
    static const struct {
        const char *name;
        Scenario run;
    } all[] = {{"check", check},
               {"describe", describe_all},
               {"folder", run_folder},
               {"manifest", run_manifest},
               {"shards", run_shards},
               {"script", run_script},
               {"callbacks", run_callbacks}};
    for (const auto &s : all)
        if (name == s.name)
            return s.run;
    return nullptr;
}
