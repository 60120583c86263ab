# SPDX-License-Identifier: Apache-2.0
"""SPDL: threads in one process, FFmpeg's decoder. Its only image ops are FFmpeg filters, so crop
and flip are filter texts with this sample's random numbers; the batch is normalised as a whole."""
import math
import random

import numpy as np
import spdl.io
from spdl.pipeline import PipelineBuilder

import common

TABLE_SCALE = (1 / (255 * np.array(common.STD))).astype(np.float32).reshape(1, 3, 1, 1)
TABLE_SHIFT = (np.array(common.MEAN) / np.array(common.STD)).astype(np.float32).reshape(1, 3, 1, 1)


def shuffled(job):
    while True:
        yield from random.sample(job.files, len(job.files))


def cut():
    """One sample's crop. The image's size is known to FFmpeg only, so it is an expression in it; a
    crop that does not fit is cut, where others draw again."""
    place = f"x=(iw-ow)*{random.random():.6f}:y=(ih-oh)*{random.random():.6f}"
    if common.CROP:
        return f"crop=w={common.CROP}:h={common.CROP}:{place}"
    area = random.uniform(*common.SCALE)
    aspect = math.exp(random.uniform(math.log(common.RATIO[0]), math.log(common.RATIO[1])))
    width = f"min(iw\\,sqrt(iw*ih*{area * aspect:.6f}))"
    height = f"min(ih\\,sqrt(iw*ih*{area / aspect:.6f}))"
    return (f"crop=w={width}:h={height}:{place},"
            f"scale={common.SIZE}:{common.SIZE}:flags=bilinear")


def filters():
    """One sample's random crop, scale and flip."""
    flip = ",hflip" if random.random() < 0.5 else ""
    return f"{cut()}{flip},format=pix_fmts=rgb24"


def decode(sample):
    path, label = sample
    packets = spdl.io.demux_image(path)
    return spdl.io.decode_packets(packets, filter_desc=filters()), label


def convert(samples):
    pixels = spdl.io.to_numpy(spdl.io.convert_frames([frames for frames, _ in samples]))
    images = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), dtype=np.float32)
    images *= TABLE_SCALE
    images -= TABLE_SHIFT
    return images, np.array([label for _, label in samples], dtype=np.int64)


def make(job):
    decode(job.files[0])  # says so where FFmpeg's libraries are missing; the pipeline would wait
    pipeline = (PipelineBuilder().add_source(shuffled(job)).pipe(decode, concurrency=job.workers)
                .aggregate(job.batch, drop_last=True).pipe(convert, concurrency=1).add_sink(2)
                .build(num_threads=job.workers))
    with pipeline.auto_stop():
        yield from pipeline


if __name__ == "__main__":
    common.main(make)
