// SPDX-License-Identifier: Apache-2.0
//
// engines_testing.h: the same JPEG given to both engines.
#ifndef MR_TESTS_ENGINES_TESTING_H
#define MR_TESTS_ENGINES_TESTING_H

#include "codec_testing.h"

#include <gtest/gtest.h>

extern "C" {
#include "base/cpu.h"
#include "loaders/codec/baseline/baseline.h"
extern const struct mr_codec mr__codec_jpeg;
}

inline mr_limits limits_of(mr_decode_engine engine)
{
    // Where there is plain C only, our own engine waits until it is asked for.
    mr_cpu cpu = {};
    if (mr__cpu_choose(&cpu, nullptr) == MR_OK && !mr__baseline_pays(&cpu, nullptr))
        setenv("MILLRACE_CPU", "scalar", 1);
    mr_limits l = wide_limits();
    l.engine = engine;
    return l;
}

// What they answer has to be equal.
class Engines
{
  public:
    // True when our own decoder has made the pixels.
    bool equal(const Bytes &bytes, const mr_rect &roi, int c = 3)
    {
        Picture a, b;
        int rc = own_.decode(bytes, roi, c, 8, a), other = theirs_.decode(bytes, roi, c, 8, b);
        EXPECT_EQ(rc, other) << own_.error.text << " / " << theirs_.error.text;
        if (rc < 0 || other < 0) {
            EXPECT_STREQ(own_.error.text, theirs_.error.text);
            return false;
        }
        EXPECT_TRUE(a.pixels == b.pixels) << roi.x << "," << roi.y << " " << roi.w << "x" << roi.h;
        EXPECT_TRUE(own_.guard_kept);
        return own_.cost().engine == MR_ENGINE_BASELINE;
    }

    mr_rect whole(const Bytes &bytes)
    {
        EXPECT_EQ(own_.header(bytes), MR_OK) << own_.error.text;
        return {0, 0, own_.info.w, own_.info.h};
    }

  private:
    Decoder own_{mr__codec_jpeg, limits_of(MR_DECODE_AUTO)};
    Decoder theirs_{mr__codec_jpeg, limits_of(MR_DECODE_LIBJPEG)};
};

#endif
