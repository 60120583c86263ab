// SPDX-License-Identifier: Apache-2.0
// A folder of files for one test, gone when the test ends.
#pragma once

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

struct TempTree {
    std::filesystem::path root;

    TempTree()
    {
        std::string name = std::filesystem::temp_directory_path() / "millrace-test-XXXXXX";
        if (!mkdtemp(name.data()))
            abort();
        root = std::filesystem::canonical(name);
    }
    ~TempTree()
    {
        std::error_code ignored;
        std::filesystem::remove_all(root, ignored);
    }
    TempTree(const TempTree &) = delete;
    TempTree &operator=(const TempTree &) = delete;

    std::string path(const std::string &name) const
    {
        return root.string() + "/" + name;
    }
    // Writes a file, with the folders that it lies in.
    void file(const std::string &name, const std::string &content = "x") const
    {
        std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
        std::ofstream(path(name), std::ios::binary) << content;
    }
    void folder(const std::string &name) const
    {
        std::filesystem::create_directories(path(name));
    }
    void link(const std::string &name, const std::string &target) const
    {
        std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
        if (symlink(target.c_str(), path(name).c_str()) < 0)
            abort();
    }
};
