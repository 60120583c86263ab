# SPDX-License-Identifier: Apache-2.0
"""The jobs. A job's rows do the same thing to the same files, and are so compared."""
import os
from dataclasses import replace

from harness.candidates import (FAST, FFCV_JPG, FFCV_RAW, LIBJPEG, OWN, PEERS, Goal, Job,
                                millrace, peers_named)

MAIN = "random_resized_crop 224 + flip + normalize -> float32 NCHW"
AVX2 = (("MILLRACE_CPU", "avx2"),)
AVX512 = (("MILLRACE_CPU", "avx512"),)


def large(side):
    """A crop out of large photographs: FFCV raw has none (it stores shrunken copies)."""
    ours = tuple(replace(row, config="large_f32.yaml",
                         settings=(*row.settings, f"ops.0.random_crop.size={side}"))
                 for row in (OWN, LIBJPEG))
    return Job("JPEG photographs of 4 to 18 megapixels -> "
               f"random_crop {side} + flip + normalize -> float32 NCHW", crop=side,
               batch=16, close=0.4,
               goals=tuple(Goal("millrace", 2, over=who) for who in ("dali", "ffcv")),
               candidates=ours + tuple(row for row in PEERS if row.name != "ffcv-raw"))


def scaling():
    """As many producers as cores, for every number of cores that there is."""
    most = len(os.sched_getaffinity(0))
    return Job("the main job with n producers on n cores, L with n processes on the same",
               tuple(replace(OWN, name=f"millrace-{n}", title=f"Millrace, {n} "
                             f"producer{'s' if n > 1 else ''}", workers=n)
                     for n in range(1, most + 1)))


# ---- packed copies of the data -----------------------------------------------------------------

PACKED_JPEG = millrace("packed-jpeg", "Millrace, packed jpeg", "shards of JPEG in segments with an "
                       "index, lossless; its own decoder", packed="jpeg")
PACKED_LIBJPEG = millrace("packed-jpeg-libjpeg", "Millrace, packed jpeg (libjpeg-turbo)",
                          "the same shards, decoded by libjpeg-turbo", packed="jpeg",
                          settings=LIBJPEG.settings)
PACKED_COEF = millrace("packed-coef", "Millrace, packed coef (AVX-512)", "shards of coefficients "
                       "in Millrace's own coding, lossless", packed="coef", environment=AVX512)
PACKED_AVX2 = replace(PACKED_COEF, name="packed-coef-avx2", title="Millrace, packed coef (AVX2)",
                      note="the same shards without AVX-512, in every step", environment=AVX2)
SHRUNKEN = (
    millrace("resized-256", "Millrace, shards resized to 256, jpeg", "shrunken data set: JPEGs of "
             "at most 256 x 256, quality 90", packed="jpeg-256"),
    millrace("resized-256-coef", "Millrace, shards resized to 256, coef", "the same JPEGs, in "
             "Millrace's own coding", packed="coef-256"),
    millrace("raw-256", "Millrace, shards of raw 256", "shrunken data set: pixels of at most "
             "256 x 256, nothing to decode", packed="raw-256"),
)


def packed():
    """The main job over what `millrace pack` made of the files, whole and shrunken."""
    return Job("JPEG files, packed -> " + MAIN,
               (OWN, PACKED_LIBJPEG, PACKED_JPEG, PACKED_AVX2, PACKED_COEF, *SHRUNKEN, FFCV_JPG,
                FFCV_RAW), stages=True,
               goals=(Goal("packed-jpeg-libjpeg", 1.4), Goal("packed-jpeg", 2.0),
                      Goal("packed-coef-avx2", 3.6), Goal("packed-coef", 4.0),
                      Goal("packed-coef", 1.25, what="size"),
                      Goal("resized-256", 2, over="ffcv-jpg-256"),
                      Goal("raw-256", 2, over="ffcv-raw")))


def packed_large(side):
    """The same crops as large(side): who decodes the whole photograph, who the crop, and who has
    stored all pixels."""
    rows = tuple(replace(row, config="large_f32.yaml",
                         settings=(*row.settings, f"ops.0.random_crop.size={side}"))
                 for row in (OWN, PACKED_JPEG, PACKED_COEF))
    all_pixels = replace(FFCV_RAW, name="ffcv-raw-all", title="FFCV raw (all pixels)",
                         note="all pixels in a .beton file, nothing to decode",
                         environment=(("BENCH_LONGEST", "0"),))
    return Job(f"JPEG photographs of 4 to 18 megapixels, packed -> random_crop {side} + flip + "
               "normalize -> float32 NCHW", rows + peers_named("ffcv", "dali") + (all_pixels,),
               crop=side, batch=16, close=0.4, stages=True,
               goals=tuple(Goal(row, 20, over=who) for row in ("packed-jpeg", "packed-coef")
                           for who in ("ffcv", "dali")))


def packing():
    """`millrace pack` itself."""
    rows = tuple(millrace(f"pack-{kind}", f"millrace pack, {kind}", "", config="", packed=kind)
                 for kind in ("jpeg", "coef", "jpeg-256", "raw-256"))
    return Job("packing JPEG files, from the start of the program to its end", rows,
               goals=(Goal("pack-jpeg", 0.7), Goal("pack-coef", 0.7)))


def array():
    """Rows of 1 MiB: nothing to do but to move them."""
    rows = (millrace("npy", "Millrace, .npy file", "the file that was packed",
                     config="array_f32.yaml"),
            millrace("packed-array", "Millrace, array shards", "every row's checksums are verified",
                     config="array_f32.yaml", packed="array"))
    return Job("float32 rows of 1 MiB -> batches of them", rows, rows=2048, batch=32,
               references=("memcpy",), goals=(Goal("packed-array", 0.8),))


JOBS = {
    "jpeg_f32": Job("JPEG files -> " + MAIN,
                    (OWN, LIBJPEG, FAST) + PEERS, parts=True,
                    goals=(Goal("millrace", 1.6), Goal("millrace-libjpeg", 1.15))),
    "jpeg_u8": Job("JPEG files -> random_resized_crop 224 + flip -> uint8 NHWC",
                   (replace(OWN, config="jpeg_u8.yaml", against="codec"),
                    replace(LIBJPEG, config="jpeg_u8.yaml", against="crop")),
                   dtype="uint8", close=7, references=("full", "crop", "codec"),
                   goals=tuple(Goal(name, 1.15, what="reference_time")
                               for name in ("millrace", "millrace-libjpeg"))),
    "large_224": large(224),
    "large_512": large(512),
    "scaling": scaling(),
    "packed": packed(),
    "packed_large_224": packed_large(224),
    "packed_large_512": packed_large(512),
    "packing": packing(),
    "array": array(),
}
