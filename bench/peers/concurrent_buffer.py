# SPDX-License-Identifier: Apache-2.0
"""concurrent-buffer, Millrace's ancestor. It brings no image ops, so OpenCV and albumentations do
the work. All fields of a buffer have one dtype, so labels are float32 too."""
import random

import numpy as np
from concurrentbuffer.commander import Commander
from concurrentbuffer.iterator import buffer_iterator_factory
from concurrentbuffer.producer import Producer

import common
import opencv_sample


class Shuffle(Commander):
    def __init__(self, n, batch):
        self.n, self.batch, self.left = n, batch, []

    def create_message(self):
        if len(self.left) < self.batch:
            self.left = random.sample(range(self.n), self.n)
        rows, self.left = self.left[:self.batch], self.left[self.batch:]
        return {"rows": rows}


class Load(Producer):
    def __init__(self, files):
        self.files = files

    def build(self):
        self.ops = opencv_sample.make_ops()

    def create_data(self, message):
        rows = [self.files[i] for i in message["rows"]]
        images = np.stack([opencv_sample.load(path, self.ops) for path, _ in rows])
        return images, np.array([label for _, label in rows], dtype=np.float32)


def make(job):
    shapes = ((job.batch, 3, common.SIZE, common.SIZE), (job.batch,))
    return buffer_iterator_factory(
        cpus=job.workers, buffer_shapes=shapes, commander=Shuffle(len(job.files), job.batch),
        producer=Load(job.files), context="fork", deterministic=True, buffer_dtype=np.float32)


if __name__ == "__main__":
    common.main(make)
