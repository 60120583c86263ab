# SPDX-License-Identifier: Apache-2.0
"""NVIDIA DALI, CPU operators only, its own threads; batches are looked at, never copied."""
import nvidia.dali.fn as fn
import nvidia.dali.types as types
from nvidia.dali import pipeline_def

import common


def decode(encoded):
    """The crop alone, of the size that is wanted."""
    if common.CROP:
        at = [fn.random.uniform(range=[0.0, 1.0]) for _ in range(2)]
        return fn.decoders.image_crop(encoded, device="cpu", crop=(common.CROP, common.CROP),
                                      crop_pos_x=at[0], crop_pos_y=at[1], output_type=types.RGB)
    image = fn.decoders.image_random_crop(
        encoded, device="cpu", random_area=list(common.SCALE),
        random_aspect_ratio=list(common.RATIO), output_type=types.RGB)
    return fn.resize(image, resize_x=common.SIZE, resize_y=common.SIZE,
                     interp_type=types.INTERP_LINEAR, antialias=True)


@pipeline_def
def pipeline(files):
    encoded, label = fn.readers.file(files=[path for path, _ in files],
                                     labels=[label for _, label in files], random_shuffle=True)
    image = fn.crop_mirror_normalize(
        decode(encoded), dtype=types.FLOAT, output_layout="CHW", mirror=fn.random.coin_flip(),
        mean=[255 * value for value in common.MEAN], std=[255 * value for value in common.STD])
    return image, label


def make(job):
    pipe = pipeline(job.files, batch_size=job.batch, num_threads=job.workers, device_id=None,
                    prefetch_queue_depth=2)
    pipe.build()
    while True:
        image, label = pipe.run()
        yield image.as_tensor(), label.as_tensor()


if __name__ == "__main__":
    common.main(make)
