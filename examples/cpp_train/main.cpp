// SPDX-License-Identifier: Apache-2.0
//
// The loop of a trainer in C++: cpp_train CONFIG [KEY=VALUE ...]
#include <cinttypes>
#include <cstdio>
#include <millrace/millrace.hpp>

static void train_step(millrace::view<float> images, millrace::view<std::int64_t> labels)
{
    std::printf("%lld x %lld x %lld x %lld, first pixel %g, first label %lld\n",
                (long long)images.shape(0), (long long)images.shape(1), (long long)images.shape(2),
                (long long)images.shape(3), (double)images(0, 0, 0, 0), (long long)labels(0));
}

int main(int argc, char **argv)
try {
    if (argc < 2)
        throw millrace::error(MR_E_USAGE, "usage: cpp_train CONFIG [KEY=VALUE ...]");
    millrace::options options;
    options.set.assign(argv + 2, argv + argc);
    millrace::loader loader(argv[1], options);
    loader.begin_hash();
    for (auto &batch : loader)
        train_step(batch.field<float>("image"), batch.field<std::int64_t>("label"));
    std::printf("hash %016" PRIx64 "\n", loader.hash());
} catch (const millrace::error &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.code() == MR_E_CONFIG || e.code() == MR_E_USAGE ? 2 : 1;
}
