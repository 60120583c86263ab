// SPDX-License-Identifier: Apache-2.0
#include "script_testing.hpp"

static std::string with_script(const Script &s, const std::string &more)
{
    return "commander: {script: " + s.tree.path("sampler.lua") + more + "}\n";
}

std::string Script::echo(const std::string &more) const
{
    return "version: 1\nseed: 7\nepochs: 2\nbatch: {size: 4, last: short}\nproducers: 1\n"
           "producer: {plugin: " MR_ECHO_PLUGIN "}\n"
           "fields: {text: {dtype: uint8, shape: [512]}}\n" +
           with_script(*this, more);
}

std::string Script::pictures() const
{
    return "version: 1\nseed: 7\nepochs: 2\nbatch: {size: 8, last: short}\nproducers: 2\n"
           "source: {type: folder, path: " MR_SAMPLE "/images}\n"
           "ops:\n  - random_resized_crop: {size: 32}\n" +
           with_script(*this, "");
}

std::string Script::check(const std::string &more) const
{
    mr_options options = {};
    options.size = sizeof options;
    std::string text = echo(more);
    options.config_text = text.c_str();
    return mr_check("test.yaml", &options) < 0 ? mr_error(nullptr) : "";
}

std::vector<std::string> messages(Loader &l, size_t rows)
{
    std::vector<std::string> all;
    mr_batch *b;
    while (l.handle && all.size() < rows) {
        l.rc = mr_next(l.handle, &b, 30000);
        if (l.rc < 0)
            l.error = mr_error(l.handle);
        if (l.rc < 0 || l.rc == MR_END)
            break;
        if (l.rc == MR_END_EPOCH) {
            all.push_back("--");
            continue;
        }
        const mr_tensor *t = mr_field(b, "text");
        for (int64_t row = 0; row < t->shape[0]; row++)
            all.push_back((const char *)t->data + row * t->strides[0]);
        mr_release(b);
    }
    return all;
}
