# SPDX-License-Identifier: Apache-2.0
"""FFCV from a file of pixels: every image shrunk so that its longer side has 256, as FFCV's own
ImageNet recipe does in its `raw` mode. Nothing is decoded, and nothing is there of what the files
hold beyond 256 pixels: another data set than everybody else's, whose size is in the results."""
import cv2
from ffcv.fields import RGBImageField

import common
import ffcv_loader

LONGEST = 256


class Pixels:
    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        path, label = self.files[i]
        return cv2.cvtColor(cv2.imread(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), label


def make(job):
    field = RGBImageField(write_mode="raw", max_resolution=LONGEST)
    return ffcv_loader.batches(job, ffcv_loader.write_once(job, "raw", field, Pixels(job.files)))


if __name__ == "__main__":
    common.main(make)
