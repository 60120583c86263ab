# SPDX-License-Identifier: Apache-2.0
"""Grain with worker processes. It brings no image ops, so OpenCV and albumentations do the work."""
import grain.python as grain
import numpy as np

import common


class Load(grain.MapTransform):
    def __init__(self):
        self.ops = None

    def map(self, sample):
        import opencv_sample
        if self.ops is None:  # built in the worker
            self.ops = opencv_sample.make_ops()
        path, label = sample
        return opencv_sample.load(path, self.ops), np.int64(label)


def make(job):
    data = grain.MapDataset.source(job.files).shuffle(seed=1).repeat().map(Load())
    data = data.batch(job.batch, drop_remainder=True).to_iter_dataset(
        grain.ReadOptions(num_threads=1, prefetch_buffer_size=2))
    return iter(data.mp_prefetch(grain.MultiprocessingOptions(num_workers=job.workers,
                                                              per_worker_buffer_size=2)))


if __name__ == "__main__":
    from absl import app
    import sys
    app.run(lambda _: common.main(make), argv=sys.argv[:1])
