// SPDX-License-Identifier: Apache-2.0
#include "crash_case.hpp"

#include "base/crash_point.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const scenario_names[Scenarios] = {
    "plain", "unordered", "cancel",   "twice", "hang",    "crashing",
    "user",  "sent",      "learning", "bad",   "all_bad", "no_data"};
constexpr uint64_t epochs = 2;
constexpr int wait_ms = 60000;
constexpr int limit_ms = 5000; // a busy machine; kill_storm.sh asks for a second
constexpr int most_tries = 40; // of a point that is reached by luck

std::ostream &operator<<(std::ostream &out, const CrashCase &c)
{
    return out << c.plan << " (" << scenario_names[c.scenario] << (c.spawn ? ", spawn" : ", fork")
               << ")";
}

// ---- the page of faults ----

// Made once; every process of every loader finds it by its name in the environment.
static mr_fault_page *fault_page()
{
    static mr_fault_page *page;
    if (page)
        return page;
    char path[64];
    int fd = memfd_create("mr-faults", MFD_CLOEXEC);
    void *map = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, sizeof *page) == 0)
        map = mmap(nullptr, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        give_up(nullptr, "no page for the faults can be made");
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
    setenv(MR_FAULT_PAGE, path, 1);
    return page = static_cast<mr_fault_page *>(map);
}

static void arm(const std::string &plan)
{
    mr_fault_page page;
    if (!mr__fault_parse(plan.c_str(), &page))
        give_up(nullptr, "'" + plan + "' is no plan of faults");
    *fault_page() = page;
}

// ---- what the trainer sees ----

struct Seen {
    std::vector<Piece> pieces;
    int rc = MR_OK;
    std::string error;
    double slowest = 0; // s, of all calls
    bool hung = false;
};

// Told of each batch.
struct Listener {
    virtual void got(mr_loader *loader, const Piece &piece) = 0;
    virtual ~Listener() = default;
};

static std::string data_folder;

void make_data(const std::string &folder)
{
    namespace fs = std::filesystem;
    data_folder = folder;
    int n = 0;
    fs::create_directories(folder + "/no_data/class");
    fs::create_directories(folder + "/lists");
    fs::copy(MR_TINY "/images", folder + "/bad", fs::copy_options::recursive);
    fs::copy(MR_TINY "/images", folder + "/all_bad", fs::copy_options::recursive);
    for (const auto &file : fs::recursive_directory_iterator(folder)) {
        bool all = file.path().string().find("/all_bad/") != std::string::npos;
        if (file.is_regular_file() && (all || n++ % 9 == 4))
            fs::resize_file(file.path(), 60);
    }
}

static Job job_of(Scenario s, bool spawn)
{
    Job job;
    job.fork = !spawn;
    job.epochs = epochs;
    job.in_order = s != Unordered;
    job.sample_timeout = s == Hang ? 0.3 : 30;
    if (s == Crashing)
        job.producers = 1; // so that the next one meets the same row first
    if (s == Learning)
        job.sampler = "adaptive, feedback_delay: 2, update: ema";
    if (s == Bad)
        job.more = "max_bad: 100\nbad_list: " + data_folder + "/lists/bad.csv\n";
    if (s >= Bad)
        job.folder = data_folder + (s == Bad ? "/bad" : s == AllBad ? "/all_bad" : "/no_data");
    return job;
}

// ---- a user's commander and producer ----

static int next_row(void *self, mr_message *m)
{
    auto *n = static_cast<int64_t *>(self);
    if (*n % 61 == 60) { // sixty rows, and the end of an epoch
        ++*n;
        return MR_END_EPOCH;
    }
    return mr_message_set_i64(m, "n", (*n)++);
}

static int save_place(void *self, void *state, size_t cap, size_t *bytes)
{
    *bytes = sizeof(int64_t);
    if (cap < *bytes)
        return MR_E_LIMIT;
    memcpy(state, self, *bytes);
    return MR_OK;
}

static int load_place(void *self, const void *state, size_t bytes)
{
    memcpy(self, state, bytes);
    return MR_OK;
}

static int go_to_epoch(void *self, uint64_t epoch)
{
    *static_cast<int64_t *>(self) = (int64_t)epoch * 61;
    return MR_OK;
}

static int fill_rows(void *, mr_rows *rows)
{
    const mr_tensor *x = mr_rows_field(rows, "x");
    for (int32_t row = 0; row < mr_rows_count(rows); row++) {
        mr_rng rng = mr_rows_rng(rows, row, "x");
        int64_t n;
        if (mr_message_get_i64(mr_rows_message(rows, row), "n", &n) < 0)
            return MR_E_DATA;
        for (int i = 0; i < 64; i++)
            static_cast<uint64_t *>(x->data)[row * 64 + i] = (uint64_t)n + mr_rng_u32(&rng);
    }
    return MR_OK;
}

static mr_loader *open_user_job(Scenario s)
{
    static int64_t place;
    mr_commander commander = {};
    mr_producer producer = {};
    mr_options options = {};
    mr_loader *loader = nullptr;
    commander.size = sizeof commander;
    producer.size = sizeof producer;
    commander.abi = producer.abi = MR_PLUGIN_ABI;
    commander.user = &place; // the trainer's stays 0: it is the forked commander's that counts
    commander.next = next_row;
    commander.save = save_place;
    commander.load = load_place;
    if (s == Sent)
        commander.set_epoch = go_to_epoch;
    producer.fill = fill_rows;
    options.size = sizeof options;
    options.config_text = "version: 1\ncontext: fork\nepochs: 2\nproducers: 2\nslots: 3\n"
                          "batch: {size: 4}\nproducer: {unit: batch}\n"
                          "fields:\n  x: {dtype: int64, shape: [64]}\n";
    options.commander = &commander;
    options.producer = &producer;
    mr_open(&loader, "user.yaml", &options);
    return loader;
}

// ---- the trainer ----

// Only where the sampler learns; the values are the stream's own, so each run says the same.
static void say(mr_batch *batch, const Piece &p)
{
    for (int32_t row = 0; row < p.rows; row++)
        if (mr_feedback(batch, row, (double)((p.hash >> row) & 15)) == MR_E_UNSUPPORTED)
            return;
}

static void read(mr_loader *loader, size_t batches, Seen *seen, Listener *listener)
{
    mr_batch *batch;
    while (seen->rc >= 0 && batches > 0) {
        double from = seconds();
        seen->rc = mr_next(loader, &batch, wait_ms);
        seen->slowest = std::max(seen->slowest, seconds() - from);
        if (seen->rc == MR_E_TIMEOUT) {
            char *dump = mr_dump(loader);
            fprintf(stderr, "%s\n", dump ? dump : "");
            mr_free(dump);
            seen->hung = true;
        }
        if (seen->rc == MR_END)
            return;
        if (seen->rc != MR_OK)
            continue;
        seen->pieces.push_back(look_at(batch));
        say(batch, seen->pieces.back());
        mr_release(batch);
        batches--;
        if (listener)
            listener->got(loader, seen->pieces.back());
    }
    if (seen->rc < 0)
        seen->error = mr_error(loader);
}

// Stops or continues all producers, so that a cancel meets slots that are not filled.
static void send_producers(mr_loader *loader, int signal)
{
    for (int lane = MR_LANE_PRODUCERS; lane < lanes_of(loader); lane++) {
        int fd = open_lane(loader, lane);
        if (fd < 0)
            continue;
        send(fd, signal);
        close(fd);
    }
}

static bool any_slot(mr_loader *loader, mr_slot_state state)
{
    const mr_arena *a = arena_of(loader);
    for (uint32_t i = 0; i < a->control->slots; i++)
        if (mr__slot_state(mr__word_load(&mr__slot(a, i)->word)) == state)
            return true;
    return false;
}

// For as long as it helps: a dead process may keep it from coming true.
static void wait_for_slots(mr_loader *loader, mr_slot_state state, bool there)
{
    for (int i = 0; i < 300 && any_slot(loader, state) != there; i++)
        sleep_us(1000);
}

// Else the trainer frees finished slots itself.
static void wait_for_cancel(mr_loader *loader)
{
    const volatile mr_control *c = arena_of(loader)->control;
    for (int i = 0; i < 300 && c->request_done != c->request_id; i++)
        sleep_us(1000);
}

// The batch is released when no producer can fill its slot again, so the cancel finds it planned.
static void end_epoch_over_planned(mr_loader *loader, Seen *seen, Listener *listener)
{
    mr_batch *batch = nullptr;
    seen->rc = mr_next(loader, &batch, wait_ms);
    if (seen->rc != MR_OK)
        return;
    seen->pieces.push_back(look_at(batch));
    if (listener)
        listener->got(loader, seen->pieces.back());
    send_producers(loader, SIGSTOP);
    mr_release(batch);
    wait_for_slots(loader, MR_SLOT_RESERVED, true);
    seen->rc = mr_end_epoch(loader);
    wait_for_cancel(loader);
    send_producers(loader, SIGCONT);
}

static void read_and_go_back(mr_loader *loader, Seen *seen, Listener *listener)
{
    std::string beginning = state_of(loader);
    read(loader, 2, seen, listener);
    if (seen->rc >= 0)
        end_epoch_over_planned(loader, seen, listener);
    if (seen->rc >= 0)
        read(loader, 3, seen, listener);
    wait_for_slots(loader, MR_SLOT_AVAILABLE, true);
    wait_for_slots(loader, MR_SLOT_RESERVED, false); // all that are ahead are filled
    if (seen->rc >= 0)
        seen->rc = mr_load_state(loader, beginning.c_str());
    wait_for_cancel(loader);
    if (seen->rc >= 0)
        read(loader, SIZE_MAX, seen, listener);
    if (seen->rc < 0)
        seen->error = mr_error(loader);
}

// mr_end_epoch leads to the epoch behind the last one.
static void read_and_send(mr_loader *loader, Seen *seen, Listener *listener)
{
    read(loader, 2, seen, listener);
    if (seen->rc >= 0)
        seen->rc = mr_set_epoch(loader, 1);
    if (seen->rc >= 0)
        read(loader, 3, seen, listener);
    if (seen->rc >= 0)
        seen->rc = mr_end_epoch(loader);
    if (seen->rc >= 0)
        read(loader, SIZE_MAX, seen, listener);
    if (seen->rc >= 0)
        seen->rc = mr_set_epoch(loader, 0);
    if (seen->rc >= 0)
        read(loader, SIZE_MAX, seen, listener);
    if (seen->rc < 0)
        seen->error = mr_error(loader);
}

static void learn_and_go_back(mr_loader *loader, Seen *seen, Listener *listener)
{
    std::string path = data_folder + "/weights", state;
    read(loader, 4, seen, listener);
    if (seen->rc >= 0)
        seen->rc = mr_save_weights(loader, path.c_str());
    if (seen->rc >= 0)
        state = state_of(loader);
    read(loader, 3, seen, listener);
    if (seen->rc >= 0)
        seen->rc = mr_end_epoch(loader);
    if (seen->rc >= 0)
        read(loader, 3, seen, listener);
    if (seen->rc >= 0)
        seen->rc = mr_load_weights(loader, path.c_str());
    if (seen->rc >= 0)
        seen->rc = mr_load_state(loader, state.c_str());
    if (seen->rc >= 0)
        read(loader, SIZE_MAX, seen, listener);
    if (seen->rc < 0)
        seen->error = mr_error(loader);
}

static Seen run(const CrashCase &c, Listener *listener, const char *state = nullptr)
{
    Seen seen;
    for (int i = 0; i < (c.scenario == Twice ? 2 : 1) && seen.rc >= 0; i++) {
        mr_loader *loader = c.scenario == User || c.scenario == Sent
                                ? open_user_job(c.scenario)
                                : open_job(job_of(c.scenario, c.spawn), state);
        if (!loader) {
            seen.rc = MR_E_DIED;
            seen.error = mr_error(nullptr);
            break;
        }
        if (c.scenario == Cancel && !state)
            read_and_go_back(loader, &seen, listener);
        else if (c.scenario == Sent)
            read_and_send(loader, &seen, listener);
        else if (c.scenario == Learning)
            learn_and_go_back(loader, &seen, listener);
        else
            read(loader, SIZE_MAX, &seen, listener);
        mr_close(&loader);
    }
    return seen;
}

// Crashes that belong to the scenario.
static std::string prefix_of(Scenario s)
{
    return s == Crashing ? "producer.read:1:segv>producer.read:1:segv" : "";
}

// The stream of a scenario that nothing disturbs; made once each.
static const std::vector<Piece> &undisturbed(Scenario s)
{
    static std::map<Scenario, std::vector<Piece>> all;
    auto known = all.find(s);
    if (known != all.end())
        return known->second;
    arm(prefix_of(s));
    Seen seen = run({"", s, Same, false}, nullptr);
    if ((seen.rc == MR_END) != (s != AllBad && s != NoData))
        give_up(nullptr, std::string("the undisturbed run, ") + scenario_names[s] + ": " +
                             (seen.rc == MR_END ? "it should fail" : seen.error));
    return all[s] = seen.pieces;
}

// ---- what must be true ----

static bool by_number(const Piece &a, const Piece &b)
{
    return a.epoch != b.epoch ? a.epoch < b.epoch : a.batch < b.batch;
}

static std::string compare(const std::vector<Piece> &got, const std::vector<Piece> &want, bool all)
{
    for (size_t i = 0; i < got.size(); i++)
        if (i >= want.size() || !(got[i] == want[i]))
            return "batch " + std::to_string(i) + " is " + to_text(got[i]) + " instead of " +
                   (i < want.size() ? to_text(want[i]) : "none; ");
    if (all && got.size() < want.size())
        return std::to_string(want.size() - got.size()) + " batches are missing; ";
    return "";
}

static std::string check_stream(const CrashCase &c, Seen seen)
{
    std::vector<Piece> want = undisturbed(c.scenario);
    bool all = c.outcome == Same || seen.rc == MR_END;
    if (c.scenario == Unordered) { // the same batches, each once; a beginning has any of them
        std::sort(seen.pieces.begin(), seen.pieces.end(), by_number);
        std::sort(want.begin(), want.end(), by_number);
        if (!all) {
            std::vector<Piece> of;
            std::set_intersection(want.begin(), want.end(), seen.pieces.begin(), seen.pieces.end(),
                                  std::back_inserter(of), by_number);
            want = of;
        }
    }
    return compare(seen.pieces, want, all);
}

static std::string check_end(const CrashCase &c, const Seen &seen)
{
    if (seen.hung)
        return "it hangs; ";
    if (c.outcome == Same && seen.rc != MR_END)
        return "it should go on, and it ends: " + seen.error + "; ";
    if (seen.rc < 0 && seen.error.size() < 20)
        return "the error is not clear: '" + seen.error + "'; ";
    if (c.outcome == Ends && seen.slowest > limit_ms / 1e3)
        return "the error came after " + std::to_string(seen.slowest) + " s; ";
    return "";
}

static std::string check_nothing_left()
{
    if (nothing_left(limit_ms))
        return "";
    kill_descendants();
    return "processes are left after " + std::to_string(limit_ms) + " ms; ";
}

static std::string check_struck(const CrashCase &c)
{
    const mr_fault_page *page = fault_page();
    if (page->armed == page->faults)
        return "";
    return std::string("'") + page->fault[page->armed].point + "' of " + c.plan +
           " was not reached so often; ";
}

// ---- a trainer that dies ----

struct Record {
    Piece piece;
    char state[2048];
};

struct Sender : Listener {
    int fd;
    bool save; // in completion order there is no state in the middle of an epoch, and so on
    Sender(int to, bool with_state) : fd(to), save(with_state)
    {
    }
    void got(mr_loader *loader, const Piece &piece) override
    {
        Record r = {};
        r.piece = piece;
        snprintf(r.state, sizeof r.state, "%s", save ? state_of(loader).c_str() : "");
        if (write(fd, &r, sizeof r) != (ssize_t)sizeof r)
            _exit(3);
    }
};

// A batch that the trainer had when it died, and had not told of, comes again.
static std::string run_dying(const CrashCase &c, std::string *missed)
{
    int ends[2], status = 0;
    Seen seen;
    Record r, last = {};
    if (pipe2(ends, O_CLOEXEC) < 0)
        give_up(nullptr, "no pipe can be made");
    pid_t trainer = fork();
    if (trainer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        Sender sender(ends[1],
                      c.scenario != Unordered && c.scenario != User && c.scenario != Learning);
        Seen all = run(c, &sender);
        _exit(all.rc < 0 ? 2 : 0);
    }
    close(ends[1]);
    while (read(ends[0], &r, sizeof r) == (ssize_t)sizeof r) {
        seen.pieces.push_back(r.piece);
        last = r;
    }
    close(ends[0]);
    waitpid(trainer, &status, 0);
    std::string wrong = check_nothing_left();
    *missed = check_struck(c);
    if (!WIFSIGNALED(status) && (missed->empty() || WEXITSTATUS(status)))
        wrong +=
            "the trainer did not die, it exited with " + std::to_string(WEXITSTATUS(status)) + "; ";
    wrong += check_stream(c, seen);
    if (!*last.state || c.scenario != Plain)
        return wrong;
    arm("");
    Seen rest = run(c, nullptr, last.state);
    seen.pieces.insert(seen.pieces.end(), rest.pieces.begin(), rest.pieces.end());
    if (rest.rc != MR_END)
        wrong += "its last state cannot be gone on from: " + rest.error + "; ";
    return wrong + compare(seen.pieces, undisturbed(c.scenario), true);
}

// ---- files ----

// Nothing in the working folder; of the list of bad samples nothing, or all of one.
static std::string check_files()
{
    namespace fs = std::filesystem;
    std::string wrong;
    if (!fs::is_empty(fs::current_path()))
        wrong += "a file is left; ";
    for (const auto &entry : fs::directory_iterator(data_folder + "/lists")) {
        std::ifstream f(entry.path());
        std::string text((std::istreambuf_iterator<char>(f)), std::istreambuf_iterator<char>());
        if (entry.path().filename() != "bad.csv")
            wrong += "a temporary file is left; ";
        else if (text.rfind("sample,path,", 0) != 0 || text.back() != '\n')
            wrong += "half a list is left; ";
        fs::remove(entry.path());
    }
    return wrong;
}

// ---- the case ----

static size_t open_files()
{
    size_t n = 0;
    for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd"))
        n += entry.is_symlink() || true;
    return n;
}

std::string run_case(const CrashCase &c, std::string *unlucky)
{
    undisturbed(c.scenario);
    prctl(PR_SET_CHILD_SUBREAPER, 1); // orphans become ours, and are seen
    size_t files = open_files();
    std::string wrong, missed;
    auto again = [&] { return wrong.empty() && !missed.empty(); };
    for (int tries = 0; tries == 0 || (tries < most_tries && again()); tries++) {
        std::string prefix = prefix_of(c.scenario);
        arm(prefix + (prefix.empty() ? "" : ">") + c.plan);
        if (c.outcome == Dies) {
            wrong = run_dying(c, &missed);
        } else {
            Seen seen = run(c, nullptr);
            missed = check_struck(c);
            wrong = check_end(c, seen) + check_stream(c, seen) + check_nothing_left();
        }
        arm("");
        wrong += check_files();
    }
    *unlucky = missed;
    if (open_files() != files)
        wrong += "file descriptors are left open; ";
    return wrong;
}
