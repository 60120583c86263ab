# SPDX-License-Identifier: Apache-2.0
"""FFCV from a file that it has written from pixels: of images shrunk so that the longer side has
BENCH_LONGEST (256, as FFCV's own ImageNet recipe has them; 0: not shrunk), kept as pixels or as
JPEG. A shrunken data set holds nothing of what the files hold beyond that: it is another one than
everybody else's. How large it is, is in the results."""
import os

import cv2
from ffcv.fields import RGBImageField

import common
import ffcv_loader

MOST = 18.5e6  # pixels of an image that is not shrunk (large_photos.sh)
LONGEST = int(os.environ.get("BENCH_LONGEST", "256"))


class Pixels(ffcv_loader.Samples):
    def load(self, path):
        return cv2.cvtColor(cv2.imread(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def make(job, mode):
    field = RGBImageField(write_mode=mode, max_resolution=LONGEST or None)
    path = ffcv_loader.write_once(job, f"{mode}-{LONGEST or 'all'}", field, Pixels(job.files),
                                  3 * (LONGEST ** 2 or MOST))
    return ffcv_loader.batches(job, path)


def main(mode):
    common.main(lambda job: make(job, mode))
