// SPDX-License-Identifier: Apache-2.0
//
// `index_cache`: the same stream with and without, the index of last time when nothing has changed,
// a new one when anything has; whatever becomes of the file is a line in the log.
#include "loader_testing.hpp"
#include "../unit/temp_tree.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace fs = std::filesystem;

namespace
{

struct Ran {
    uint64_t hash = 0;
    int rc = 0;
    std::string error, log, state;
    bool taken() const
    {
        return has("the index is taken from");
    }
    bool has(const char *text) const
    {
        return log.find(text) != std::string::npos;
    }
};

Ran run(const std::string &config, std::vector<std::string> set = {})
{
    Ran r;
    Loader l(config, set);
    r.rc = l.rc;
    r.error = l.error;
    if (l.rc == MR_OK) {
        EXPECT_EQ(mr_stream_hash_begin(l.handle), MR_OK);
        l.read(3);
        r.state = l.state();
        l.read();
        r.rc = l.rc;
        r.error = l.error;
        r.hash = l.stream_hash();
    }
    for (const std::string &line : l.log)
        r.log += line + "\n";
    return r;
}

std::string plain(const std::string &config)
{
    size_t at = config.find("index_cache:"), end = config.find('\n', at);
    return config.substr(0, at) + config.substr(end + 1);
}

// A change that is to show must come after the kernel's clock of files has ticked.
void settle()
{
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
}

class LoaderIndex : public ::testing::Test
{
  protected:
    TempTree tree;
    std::string cache = tree.path("x.mrindex"), manifest = tree.path("m.csv");
    std::string config, folder_config;

    void SetUp() override
    {
        fs::copy_file(MR_SAMPLE "/manifest.csv", manifest);
        fs::copy(MR_SAMPLE "/images", tree.path("images"), fs::copy_options::recursive);
        config = main_config("producers: 2\nindex_cache: " + cache + "\n",
                             "source: {type: manifest, path: " + manifest +
                                 ", root: " + MR_SAMPLE "}\n");
        folder_config = main_config("producers: 2\nindex_cache: " + cache + "\n",
                                    "source: {type: folder, path: " + tree.path("images") + "}\n");
        settle();
    }
    // Builds, and then takes, the index.
    uint64_t make(const std::string &c)
    {
        Ran first = run(c), second = run(c);
        EXPECT_EQ(first.rc, MR_END) << first.error;
        EXPECT_FALSE(first.taken()) << first.log;
        EXPECT_TRUE(second.taken()) << second.log << first.log;
        EXPECT_EQ(first.hash, second.hash);
        EXPECT_EQ(first.state, second.state);
        return first.hash;
    }
    // Not taken, for this reason; the next one takes what this one has left.
    void expect_anew(const std::string &c, const char *why, uint64_t hash = 0)
    {
        Ran r = run(c), next = run(c);
        EXPECT_EQ(r.rc, MR_END) << r.error;
        EXPECT_FALSE(r.taken()) << why;
        EXPECT_TRUE(r.has(why)) << why << ":\n" << r.log;
        EXPECT_TRUE(next.taken()) << why << ":\n" << r.log << next.log;
        EXPECT_EQ(next.hash, r.hash);
        if (hash) {
            EXPECT_EQ(r.hash, hash);
        }
    }
    std::string bytes()
    {
        std::ifstream f(cache, std::ios::binary);
        return {std::istreambuf_iterator<char>(f), {}};
    }
    void put(const std::string &b)
    {
        fs::remove(cache);
        std::ofstream(cache, std::ios::binary) << b;
        fs::permissions(cache, fs::perms(0644));
    }
    size_t files()
    {
        size_t n = 0;
        for (const auto &entry : fs::directory_iterator(tree.root))
            n += entry.is_regular_file();
        return n;
    }
};

} // namespace

TEST_F(LoaderIndex, TheStreamIsTheSameWithAndWithout)
{
    for (const std::string &c : {config, folder_config}) {
        fs::remove(cache);
        uint64_t hash = make(c);
        Ran without = run(plain(c)), forked = run(c, {"context=fork"});
        EXPECT_EQ(without.hash, hash);
        EXPECT_EQ(forked.hash, hash);
        EXPECT_TRUE(forked.taken()) << forked.log;
        EXPECT_EQ(without.log.find("index"), std::string::npos) << without.log;
        Loader resumed(plain(c), {}, forked.state.c_str()); // it is the same data set
        EXPECT_EQ(resumed.rc, MR_OK) << resumed.error;
        EXPECT_EQ(fs::status(cache).permissions() & fs::perms(0222), fs::perms::none);
        EXPECT_EQ(files(), 2u); // it and the manifest
    }
}

TEST_F(LoaderIndex, AFolderHasAFileForEachDataSet)
{
    fs::create_directory(tree.path("cache"));
    std::string set = "index_cache=" + tree.path("cache");
    for (int round = 0; round < 2; round++)
        for (const std::string &c : {config, folder_config})
            EXPECT_EQ(run(c, {set}).taken(), round > 0);
    EXPECT_TRUE(run(config, {set, "seed=7", "batch.size=4", "producers=1"}).taken());
    EXPECT_FALSE(run(config, {set, "source.root=" + tree.root.string()}).taken());
    EXPECT_EQ(std::distance(fs::directory_iterator(tree.path("cache")), {}), 3);
}

TEST_F(LoaderIndex, AManifestThatChangedIsReadAgain)
{
    uint64_t hash = make(config);
    std::ifstream f(manifest);
    std::string text{std::istreambuf_iterator<char>(f), {}};
    std::ofstream(manifest, std::ios::app) << text.substr(text.find('\n') + 1);
    settle();
    expect_anew(config, "m.csv' has changed");
    struct stat st; // as long, and its time set back
    ASSERT_EQ(stat(manifest.c_str(), &st), 0);
    std::fstream(manifest, std::ios::in | std::ios::out).seekp(-14, std::ios::end) << "1";
    timespec times[2] = {st.st_atim, st.st_mtim};
    ASSERT_EQ(utimensat(AT_FDCWD, manifest.c_str(), times, 0), 0);
    settle();
    expect_anew(config, "m.csv' has changed");
    fs::remove(manifest); // another file of that name
    std::ofstream(manifest) << text;
    settle();
    expect_anew(config, "m.csv' has changed", hash);
    fs::remove(manifest);
    EXPECT_EQ(run(config).rc, MR_E_CONFIG);
}

TEST_F(LoaderIndex, AFolderThatChangedIsListedAgain)
{
    make(folder_config);
    std::string images = tree.path("images"), some = fs::directory_iterator(images)->path();
    std::string first = fs::directory_iterator(some)->path();
    fs::copy_file(first, some + "/zz.jpg");
    settle();
    expect_anew(folder_config, "has changed");
    fs::rename(some + "/zz.jpg", some + "/yy.jpg");
    settle();
    expect_anew(folder_config, "has changed");
    fs::create_directory(images + "/new_class");
    settle();
    expect_anew(folder_config, "has changed");
    fs::create_directories(images + "/new_class/deep/er");
    settle();
    expect_anew(folder_config, "has changed");
    fs::copy_file(first, images + "/new_class/deep/er/a.jpg");
    settle();
    expect_anew(folder_config, "has changed");
    fs::copy_file(first, some + "/yy.jpg", fs::copy_options::overwrite_existing);
    EXPECT_TRUE(run(folder_config).taken()) << "names are all that is in the index";
}

TEST_F(LoaderIndex, OtherOptionsMakeAnotherIndex)
{
    make(config);
    expect_anew(folder_config, "by other options");
    std::string all = folder_config;
    all.replace(all.find("images}"), 7, "images, extensions: ['*']}");
    expect_anew(all, "by other options");
    std::string bucket = folder_config;
    bucket.replace(bucket.find("type: shuffle"), 13, "type: bucket");
    bucket.replace(bucket.find("size: 8, last: short"), 20, "size: 8");
    expect_anew(bucket, "by other options");
}

// A sampler has looked into the files: then they count, not their names alone.
TEST_F(LoaderIndex, FilesWhoseSizesAreKeptAreLookedAt)
{
    std::string bucket = folder_config;
    bucket.replace(bucket.find("type: shuffle"), 13, "type: bucket");
    uint64_t hash = make(bucket);
    EXPECT_EQ(run(plain(bucket)).hash, hash);
    std::string some = fs::directory_iterator(tree.path("images"))->path();
    std::string file = fs::directory_iterator(some)->path();
    fs::last_write_time(file, fs::last_write_time(file) - std::chrono::hours(1));
    settle();
    expect_anew(bucket, "files of the data set have changed", hash);
}

TEST_F(LoaderIndex, DamagedFilesAreMadeAnew)
{
    uint64_t hash = make(config);
    const std::string whole = bytes();
    auto damage = [&](size_t at, char with) {
        std::string b = whole;
        b[at] = (char)(b[at] ^ with);
        return b;
    };
    std::string turned = whole;
    for (int i = 0; i < 8; i++)
        turned[i] = whole[7 - i];
    const struct {
        std::string bytes;
        const char *why;
    } cases[] = {
        {"", "it is cut"},
        {"x", "it is cut"},
        {whole.substr(0, 4096), "bytes in place of"},
        {whole.substr(0, whole.size() - 1), "bytes in place of"},
        {whole + "x", "bytes in place of"},
        {std::string(whole.size(), 'x'), "does not begin like an index"},
        {turned, "another byte order"},
        {damage(8, 1), "another version"},
        {damage(60, 1), "its head is damaged"},
        {damage(4096 + 100, 1), "it is damaged between"},
        {damage(whole.size() / 2, 16), "it is damaged between"},
        {damage(whole.size() - 3, 1), "it is damaged behind the index"},
    };
    for (const auto &c : cases) {
        put(c.bytes);
        Ran r = run(config);
        EXPECT_TRUE(r.has(c.why)) << c.why << ":\n" << r.log;
        EXPECT_FALSE(r.taken());
        EXPECT_EQ(r.hash, hash) << c.why;
        EXPECT_EQ(bytes(), whole) << "it is not the one of before";
    }
    put(whole);
    fs::permissions(cache, fs::perms(0666));
    expect_anew(config, "can be written by others", hash);
    EXPECT_EQ(files(), 2u);
}

TEST_F(LoaderIndex, WhereNothingCanBeWrittenItIsAWarning)
{
    uint64_t hash = run(plain(config)).hash;
    for (const char *where : {"/proc/index", "/no/such/folder/index"}) {
        Ran r = run(config, {std::string("index_cache=") + where});
        EXPECT_EQ(r.rc, MR_END) << r.error;
        EXPECT_TRUE(r.has("the index is not kept in")) << r.log;
        EXPECT_EQ(r.hash, hash);
    }
}

// It would change the folder whose names are in it, and be out of date when it is written.
TEST_F(LoaderIndex, NotAmongTheData)
{
    std::string images = tree.path("images"), some = fs::directory_iterator(images)->path();
    for (const std::string &folder : {images, some}) {
        Ran r = run(folder_config, {"index_cache=" + folder + "/x.mrindex"});
        EXPECT_EQ(r.rc, MR_END) << r.error;
        EXPECT_TRUE(r.has("choose another place")) << r.log;
        EXPECT_FALSE(fs::exists(folder + "/x.mrindex"));
    }
    make(config); // beside a manifest there is nothing wrong with it
}

TEST_F(LoaderIndex, ManyAtOnce)
{
    uint64_t hash = run(plain(config)).hash;
    for (int round = 0; round < 3; round++) {
        std::vector<std::thread> threads;
        std::vector<Ran> runs(5);
        if (round == 1) // while it is replaced
            put("damaged");
        if (round == 2)
            fs::remove(cache);
        for (Ran &r : runs)
            threads.emplace_back([&r, this] { r = run(config); });
        for (std::thread &t : threads)
            t.join();
        for (const Ran &r : runs) {
            EXPECT_EQ(r.rc, MR_END) << r.error;
            EXPECT_EQ(r.hash, hash);
        }
        EXPECT_TRUE(run(config).taken());
        EXPECT_EQ(files(), 2u);
    }
}

// Whenever the helper dies, there is no file, or a whole one, and nothing else.
TEST_F(LoaderIndex, ADeathInTheMiddleLeavesNothing)
{
    std::ofstream rows(manifest, std::ios::app);
    for (int i = 0; i < 100000; i++)
        rows << "images/red_circle/000002.jpg,," << i % 3 << ",\n";
    rows.close();
    settle();
    for (int delay_ms : {0, 10, 30, 60, 90, 120}) {
        bool done = false;
        std::thread killer([&] {
            while (!done)
                for (pid_t pid : processes("mr-index")) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
                    kill(pid, SIGKILL);
                    return;
                }
        });
        {
            Loader l(config);
            done = true;
        }
        killer.join();
        EXPECT_LE(files(), 2u);
        for (const auto &entry : fs::directory_iterator(tree.root))
            EXPECT_TRUE(entry.path() == manifest || entry.path() == cache || entry.is_directory())
                << entry.path();
        fs::remove(cache);
    }
    Loader l(config);
    EXPECT_EQ(l.rc, MR_OK) << l.error;
}

// Somebody writes over the file that processes have mapped. They are ours, and say what it was; in
// the trainer, which is not, nothing happens.
TEST_F(LoaderIndex, AFileThatIsCutInUseEndsTheRun)
{
    std::string endless = config;
    endless.replace(endless.find("producers: 2"), 12, "producers: 2\nepochs: 0");
    for (const char *context : {"context=spawn", "context=fork"}) {
        fs::remove(cache);
        run(config);
        Loader l(endless, {context});
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        EXPECT_EQ(l.read(2).size(), 2u);
        fs::permissions(cache, fs::perms(0644));
        ASSERT_EQ(truncate(cache.c_str(), 0), 0);
        l.read(100000);
        EXPECT_EQ(l.rc, MR_E_IO) << l.error;
        EXPECT_NE(l.error.find("was cut while it was in use"), std::string::npos) << l.error;
        free(mr_sample_path(l.handle, 5)); // whatever it says
        mr_class_name(l.handle, 1);
    }
}

// Where the files lie is kept, too, and looked at again when a folder has changed.
TEST_F(LoaderIndex, ALinkThatLeadsElsewhereIsFollowed)
{
    tree.folder("a");
    tree.folder("b");
    tree.folder("links");
    std::string file = MR_SAMPLE "/images/red_circle/000002.jpg";
    fs::copy_file(file, tree.path("a/x.jpg"));
    fs::copy_file(file, tree.path("b/x.jpg"));
    fs::create_symlink(tree.path("a/x.jpg"), tree.path("links/x.jpg"));
    std::ofstream(manifest) << "image,label\nlinks/x.jpg,0\n";
    std::string own = config;
    own.replace(own.find(MR_SAMPLE), strlen(MR_SAMPLE), tree.root.string());
    settle();
    make(own);
    fs::remove(tree.path("links/x.jpg"));
    fs::create_symlink(tree.path("b/x.jpg"), tree.path("links/x.jpg"));
    Ran r = run(own);
    EXPECT_TRUE(r.taken()) << r.log;
    EXPECT_EQ(r.rc, MR_END) << r.error; // its producers may read what it leads to now
    EXPECT_FALSE(r.has("bad")) << r.log;
}

// What the trainer says of bad samples it asks a copy of the index, and a sampler that it opens
// then.
TEST_F(LoaderIndex, BadSamplesHaveTheirNames)
{
    for (const auto &entry : fs::recursive_directory_iterator(tree.path("images")))
        if (entry.is_regular_file() && entry.path().filename().string()[5] == '2')
            std::ofstream(entry.path()) << "no image";
    std::string balanced = folder_config;
    balanced.replace(balanced.find("type: shuffle"), 13, "type: class_balanced");
    balanced.replace(balanced.find("producers: 2"), 12, "producers: 2\nmax_bad: 100%");
    settle();
    auto list = [&](const std::string &c) {
        std::string path = tree.path("bad.csv");
        fs::remove(path);
        Ran r = run(c, {"bad_list=" + path});
        EXPECT_EQ(r.rc, MR_END) << r.error;
        std::ifstream f(path);
        return std::to_string(r.hash) + std::string{std::istreambuf_iterator<char>(f), {}};
    };
    std::string without = list(plain(balanced));
    EXPECT_GT(std::count(without.begin(), without.end(), '\n'), 3);
    EXPECT_NE(without.find("2.jpg"), std::string::npos) << without;
    EXPECT_EQ(list(balanced), without);
    EXPECT_EQ(list(balanced), without);
    EXPECT_TRUE(run(balanced).taken());
}
