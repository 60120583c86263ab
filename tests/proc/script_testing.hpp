// SPDX-License-Identifier: Apache-2.0
//
// script_testing.hpp: scripts in a folder of their own, and what their messages were.
#ifndef SCRIPT_TESTING_HPP
#define SCRIPT_TESTING_HPP

#include "../unit/temp_tree.hpp"
#include "loader_testing.hpp"

// A folder with sampler.lua, and configs that name it.
struct Script {
    TempTree tree;
    explicit Script(const std::string &text)
    {
        tree.file("sampler.lua", text);
    }
    // With the producer that writes its messages down. `more` goes into the commander's mapping.
    std::string echo(const std::string &more = "") const;
    // With the built-in producers over the sample data set.
    std::string pictures() const;
    // What mr_check says of echo(): "" when the script is good.
    std::string check(const std::string &more = "") const;
};

// The messages of the whole run, one a row; "--" where an epoch ends.
std::vector<std::string> messages(Loader &l, size_t rows = SIZE_MAX);

#endif
