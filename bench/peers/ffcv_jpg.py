# SPDX-License-Identifier: Apache-2.0
"""FFCV from its own file (.beton), written once from the very bytes of the JPEGs, not resized and
not encoded again, so that it decodes what everybody else decodes."""
import os

import cv2
import numpy as np
from ffcv.fields import RGBImageField
from ffcv.fields.rgb_image import IMAGE_MODES

import common
import ffcv_loader


class JpegBytesField(RGBImageField):
    """RGBImageField decodes and encodes again when it writes; this one keeps the bytes."""

    def encode(self, destination, encoded, malloc):
        destination["mode"] = IMAGE_MODES["jpg"]
        destination["height"], destination["width"] = cv2.imdecode(encoded, 1).shape[:2]
        destination["data_ptr"], storage = malloc(encoded.nbytes)
        storage[:] = encoded


class Bytes(ffcv_loader.Samples):
    def load(self, path):
        return np.fromfile(path, dtype=np.uint8)


def make(job):
    largest = max(os.path.getsize(path) for path, _ in job.files)
    path = ffcv_loader.write_once(job, "jpg", JpegBytesField(write_mode="jpg"), Bytes(job.files),
                                  largest)
    return ffcv_loader.batches(job, path, {"image": JpegBytesField})


if __name__ == "__main__":
    common.main(make)
