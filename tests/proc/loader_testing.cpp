// SPDX-License-Identifier: Apache-2.0
#include "loader_testing.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

std::string main_config(const std::string &more, const std::string &source)
{
    return "version: 1\n"
           "seed: 42\n" +
           more +
           (more.find("batch:") == std::string::npos ? "batch: {size: 8, last: short}\n" : "") +
           (source.empty() ? "source: {type: folder, path: " MR_SAMPLE "/images}\n" : source) +
           "sampler: {type: shuffle}\n"
           "ops:\n"
           "  - random_resized_crop: {size: 32}\n"
           "  - random_horizontal_flip\n"
           "  - normalize: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}\n";
}

std::ostream &operator<<(std::ostream &out, const Delivered &d)
{
    out << "epoch " << d.epoch << " batch " << d.batch << " rows " << d.rows << " valid " << d.valid
        << " hash " << std::hex << d.hash << std::dec << " ids";
    for (uint64_t id : d.ids)
        out << ' ' << (int64_t)id;
    return out;
}

static void keep_line(void *user, mr_log_level, const char *line)
{
    static_cast<std::vector<std::string> *>(user)->push_back(line);
}

Loader::Loader(const std::string &config, std::vector<std::string> set, const char *state,
               const mr_commander *commander, const mr_producer *producer, const char *weights)
{
    std::vector<const char *> texts;
    for (const std::string &s : set)
        texts.push_back(s.c_str());
    texts.push_back(nullptr);
    mr_options options = {};
    options.size = sizeof options;
    options.config_text = config.c_str();
    options.set = texts.data();
    options.state = state;
    options.weights = weights;
    options.commander = commander;
    options.producer = producer;
    options.log = keep_line;
    options.log_user = &log;
    rc = mr_open(&handle, "test.yaml", &options);
    if (rc < 0)
        error = mr_error(nullptr);
}

Loader::~Loader()
{
    mr_close(&handle);
}

Delivered describe(mr_batch *batch)
{
    mr_batch_info info;
    Delivered d = {};
    EXPECT_EQ(mr_batch_get_info(batch, &info), MR_OK);
    d.epoch = info.epoch;
    d.batch = info.batch;
    d.rows = info.rows;
    d.valid = info.valid;
    EXPECT_EQ(mr_batch_hash(batch, &d.hash), MR_OK);
    d.ids.assign(mr_sample_ids(batch), mr_sample_ids(batch) + info.rows);
    d.flags.assign(mr_valid(batch), mr_valid(batch) + info.rows);
    return d;
}

std::vector<Delivered> Loader::read(size_t batches, const std::function<void(size_t)> &before)
{
    std::vector<Delivered> all;
    mr_batch *batch;
    if (!handle) // mr_open has failed, and says why
        return all;
    while (all.size() < batches) {
        if (before)
            before(all.size());
        rc = mr_next(handle, &batch, 30000);
        if (rc < 0)
            error = mr_error(handle);
        if (rc < 0 || rc == MR_END)
            break;
        if (rc == MR_END_EPOCH) {
            epochs_ended++;
            continue;
        }
        all.push_back(describe(batch));
        EXPECT_EQ(mr_release(batch), MR_OK);
    }
    return all;
}

uint64_t Loader::stream_hash()
{
    uint64_t hash = 0;
    EXPECT_EQ(mr_stream_hash(handle, &hash), MR_OK);
    return hash;
}

std::string Loader::state()
{
    char text[1024];
    size_t bytes = 0;
    EXPECT_EQ(mr_save_state(handle, text, sizeof text, &bytes), MR_OK) << mr_error(handle);
    return bytes ? std::string(text, bytes - 1) : "";
}

// What stands behind the name in /proc/PID/stat: "S 123 ..." (state, parent).
static std::string stat_of(const std::string &proc)
{
    std::ifstream f(proc + "/stat");
    std::string line;
    std::getline(f, line);
    size_t close = line.rfind(')');
    return close == std::string::npos ? "Z 0" : line.substr(close + 2);
}

static pid_t parent_of(const std::string &proc)
{
    return (pid_t)std::atoi(stat_of(proc).c_str() + 2);
}

static bool is_ours(pid_t pid)
{
    for (int depth = 0; depth < 4 && pid > 1; depth++) {
        if (pid == getpid())
            return true;
        pid = parent_of("/proc/" + std::to_string(pid));
    }
    return false;
}

std::vector<pid_t> processes(const std::string &name_prefix)
{
    std::vector<pid_t> found;
    for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
        std::string name = entry.path().filename();
        if (!isdigit(name[0]))
            continue;
        std::ifstream f(entry.path() / "comm");
        std::string comm;
        std::getline(f, comm);
        if (comm.rfind(name_prefix, 0) == 0 && stat_of(entry.path())[0] != 'Z' &&
            is_ours((pid_t)std::stoi(name)))
            found.push_back((pid_t)std::stoi(name));
    }
    return found;
}

bool eventually(const std::function<bool()> &what, int timeout_ms)
{
    auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (!what()) {
        if (std::chrono::steady_clock::now() > until)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}
