// SPDX-License-Identifier: Apache-2.0
// Every file of configs/ is a good config. Its data need not be there: the path is replaced.
#include <gtest/gtest.h>

extern "C" {
#include "base/config.h"
}

#include <filesystem>
#include <string>

TEST(ConfigFiles, EveryExampleIsRead)
{
    int files = 0;
    for (const auto &entry : std::filesystem::directory_iterator(MR_SOURCE_DIR "/configs")) {
        if (entry.path().extension() != ".yaml")
            continue;
        const char *one[] = {"source.path=/", nullptr};
        const char *two[] = {"mixture.of.0.source.path=/", "mixture.of.1.source.path=/", nullptr};
        const char **set = entry.path().filename() == "mixture.yaml" ? two : one;
        mr_config *config = nullptr;
        mr_errbuf e = {};
        EXPECT_EQ(mr__config_read(&config, entry.path().c_str(), nullptr, set, &e), MR_OK)
            << e.text;
        mr__config_free(config);
        files++;
    }
    EXPECT_GE(files, 2);
}
