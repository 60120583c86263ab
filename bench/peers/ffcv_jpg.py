# SPDX-License-Identifier: Apache-2.0
"""FFCV from its own file (.beton), written once from the very bytes of the JPEGs, not resized and
not encoded again, so that it decodes what everybody else decodes. The output stays channels-last in
memory, which is FFCV's default and its fastest."""
import os

import cv2
import numpy as np
from ffcv.fields import IntField, RGBImageField
from ffcv.fields.decoders import IntDecoder, RandomResizedCropRGBImageDecoder
from ffcv.fields.rgb_image import IMAGE_MODES
from ffcv.loader import Loader, OrderOption
from ffcv.transforms import NormalizeImage, RandomHorizontalFlip, ToTensor, ToTorchImage
from ffcv.writer import DatasetWriter

import common

SAMPLES = 100000  # an epoch's end is a pause, so one epoch goes over the files many times


class JpegBytesField(RGBImageField):
    """RGBImageField decodes and encodes again when it writes; this one keeps the bytes."""

    def encode(self, destination, encoded, malloc):
        destination["mode"] = IMAGE_MODES["jpg"]
        destination["height"], destination["width"] = cv2.imdecode(encoded, 1).shape[:2]
        destination["data_ptr"], storage = malloc(encoded.nbytes)
        storage[:] = encoded


class Bytes:
    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        path, label = self.files[i]
        return np.fromfile(path, dtype=np.uint8), label


def write_once(job):
    """The file's name carries what it was made of; an old one of the same data is used again."""
    newest = max(int(os.path.getmtime(path)) for path, _ in job.files)
    path = os.path.join(job.scratch, f"ffcv-{len(job.files)}-{newest}.beton")
    if not os.path.exists(path):
        os.makedirs(job.scratch, exist_ok=True)
        fields = {"image": JpegBytesField(write_mode="jpg"), "label": IntField()}
        writer = DatasetWriter(path + ".part", fields, num_workers=1)
        writer.from_indexed_dataset(Bytes(job.files))
        os.rename(path + ".part", path)
    return path


def make(job):
    mean, std = 255 * np.array(common.MEAN), 255 * np.array(common.STD)
    size = (common.SIZE, common.SIZE)
    image = [RandomResizedCropRGBImageDecoder(size, common.SCALE, common.RATIO),
             RandomHorizontalFlip(), NormalizeImage(mean, std, np.float32), ToTensor(),
             ToTorchImage()]
    indices = np.tile(np.arange(len(job.files)), max(1, SAMPLES // len(job.files)))
    loader = Loader(write_once(job), batch_size=job.batch, num_workers=job.workers, os_cache=True,
                    order=OrderOption.RANDOM, drop_last=True, indices=indices,
                    custom_fields={"image": JpegBytesField},
                    pipelines={"image": image, "label": [IntDecoder(), ToTensor()]})
    while True:
        yield from loader


if __name__ == "__main__":
    common.main(make)
