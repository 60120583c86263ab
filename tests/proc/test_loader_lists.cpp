// SPDX-License-Identifier: Apache-2.0
//
// The samplers that make lists, in running loaders: sizes out of files' headers, copies that are
// augmented anew, and a state that belongs to another list.
#include "../unit/temp_tree.hpp"
#include "loader_testing.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace fs = std::filesystem;

namespace
{

struct Folder : TempTree {
    // A data set of `images` images of one size, in a sub-folder per size.
    void synth(const std::string &size, int images) const
    {
        std::string command = MR_BINARY_DIR "/bin/millrace synth " + (root / size).string() +
                              " --quiet --images " + std::to_string(images) + " --size " + size;
        EXPECT_EQ(std::system(command.c_str()), 0) << command;
    }
};

} // namespace

TEST(LoaderLists, BucketsGoByTheSizesInFilesHeaders)
{
    Folder data;
    const std::vector<std::string> sizes = {"64x48", "48x64", "80x40"};
    for (const std::string &size : sizes)
        data.synth(size, 8);
    std::ofstream(data.root / "64x48" / "broken.jpg") << "no image";
    std::string source = "source: {type: folder, path: " + data.root.string() + "}\n";
    for (const char *sampler : {"sampler={type: bucket, by: aspect}", "sampler={type: bucket}"}) {
        Loader l(main_config("epochs: 1\nbatch: {size: 4}\non_error: skip\n", source), {sampler});
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        std::vector<Delivered> all = l.read();
        ASSERT_EQ(l.rc, MR_END) << l.error;
        std::map<std::string, int> batches;
        std::set<uint64_t> ids;
        for (const Delivered &d : all) {
            std::set<std::string> in_batch;
            for (uint64_t id : d.ids) {
                char *path = id == UINT64_MAX ? nullptr : mr_sample_path(l.handle, id);
                for (const std::string &size : sizes)
                    if (path && strstr(path, size.c_str()))
                        in_batch.insert(size);
                mr_free(path);
                ids.insert(id);
            }
            for (const std::string &size : in_batch)
                batches[size] += in_batch.size() == 1;
        }
        EXPECT_EQ(ids.size(), 49u) << "24 images, their masks, and what stands for the broken one";
        for (const std::string &size : sizes)
            EXPECT_GE(batches[size], 3) << sampler << ", " << size;
    }
}

TEST(LoaderLists, CopiesAreAugmentedAnew)
{
    Loader l(main_config("epochs: 1\nbatch: {size: 4}\n"),
             {"sampler={type: repeat_augment, repeats: 4}", "fields={image: {dtype: float32}}"});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    mr_batch *b;
    int seen = 0;
    for (; seen < 5; seen++) {
        ASSERT_EQ(mr_next(l.handle, &b, 60000), MR_OK);
        const mr_tensor *x = mr_field(b, "image");
        const uint64_t *ids = mr_sample_ids(b);
        std::set<std::string> rows;
        for (int i = 0; i < 4; i++) {
            EXPECT_EQ(ids[i], ids[0]);
            rows.emplace(static_cast<const char *>(x->data) + i * x->strides[0], x->strides[0]);
        }
        EXPECT_EQ(rows.size(), 4u) << "four crops of one image";
        mr_release(b);
    }
}

TEST(LoaderLists, AStateOfAnotherListIsRefused)
{
    Folder data;
    std::string list = (data.root / "list.txt").string();
    std::vector<std::string> set = {"sampler={type: subset, file: " + list + "}"};
    std::ofstream(list) << "3\n5\n7\n11\n13\n17\n19\n23\n29\n";
    Loader one(main_config("epochs: 2\nbatch: {size: 3}\n"), set);
    ASSERT_EQ(one.rc, MR_OK) << one.error;
    one.read(2);
    std::string state = one.state();
    std::vector<Delivered> rest = one.read();
    EXPECT_EQ(rest.size(), 4u);

    std::ofstream(list) << "# the same, said otherwise\n3\n5\n7\n11\n13\n17\n\n19\n23\n29";
    Loader same(main_config("epochs: 2\nbatch: {size: 3}\n"), set, state.c_str());
    ASSERT_EQ(same.rc, MR_OK) << same.error;
    EXPECT_EQ(same.read(), rest);

    std::ofstream(list) << "3\n5\n7\n11\n13\n17\n19\n23\n31\n";
    Loader other(main_config("epochs: 2\nbatch: {size: 3}\n"), set, state.c_str());
    EXPECT_EQ(other.rc, MR_E_CONFIG);
    EXPECT_NE(other.error.find("the file that the sampler reads has changed"), std::string::npos)
        << other.error;
    std::ofstream(list) << "3\n60\n";
    Loader bad(main_config("epochs: 2\nbatch: {size: 3}\n"), set);
    EXPECT_EQ(bad.rc, MR_E_CONFIG);
    EXPECT_NE(bad.error.find("list.txt:2: error: there is no sample 60"), std::string::npos)
        << bad.error;
}
