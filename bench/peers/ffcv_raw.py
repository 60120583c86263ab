# SPDX-License-Identifier: Apache-2.0
"""FFCV from a file of pixels: every image shrunk so that its longer side has 256, as FFCV's own
ImageNet recipe does in its `raw` mode. Nothing is decoded, and nothing is there of what the files
hold beyond 256 pixels: another data set than everybody else's, whose size is in the results."""
import cv2
from ffcv.fields import RGBImageField

import common
import ffcv_loader

LONGEST = 256


class Pixels(ffcv_loader.Samples):
    def load(self, path):
        return cv2.cvtColor(cv2.imread(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def make(job):
    field = RGBImageField(write_mode="raw", max_resolution=LONGEST)
    return ffcv_loader.batches(job, ffcv_loader.write_once(job, "raw", field, Pixels(job.files)))


if __name__ == "__main__":
    common.main(make)
