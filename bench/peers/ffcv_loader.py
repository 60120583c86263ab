# SPDX-License-Identifier: Apache-2.0
"""What FFCV's peers share. The output stays channels-last in memory, which is FFCV's default
and its fastest."""
import os

import numpy as np
from ffcv.fields import IntField
from ffcv.fields.decoders import IntDecoder, RandomResizedCropRGBImageDecoder
from ffcv.fields.rgb_image import ResizedCropRGBImageDecoder
from ffcv.loader import Loader, OrderOption
from ffcv.transforms import NormalizeImage, RandomHorizontalFlip, ToTensor, ToTorchImage
from ffcv.writer import DatasetWriter

import common

SIDE = common.CROP  # numba takes it for a constant
SAMPLES = 100000  # an epoch's end is a pause, so one epoch goes over the files many times
LEAST_PAGE = 1 << 21


def random_crop(height, width, scale, ratio):
    """A window of the wanted size anywhere, in the place of FFCV's random_resized_crop: what
    follows is a resize to the size that it has."""
    y = int(np.random.random() * (height - SIDE + 1))
    x = int(np.random.random() * (width - SIDE + 1))
    return y, x, SIDE, SIDE


class RandomCropDecoder(ResizedCropRGBImageDecoder):
    def __init__(self):
        super().__init__((SIDE, SIDE))
        self.scale, self.ratio = common.SCALE, common.RATIO

    @property
    def get_crop_generator(self):
        return random_crop


class Samples:
    """What is written to a file; a subclass's `load` makes the image of a path."""

    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        path, label = self.files[i]
        return self.load(path), label


def decoder():
    if SIDE:
        return RandomCropDecoder()
    return RandomResizedCropRGBImageDecoder((common.SIZE, common.SIZE), common.SCALE, common.RATIO)


def write_once(job, kind, image_field, samples, largest):
    """The file's name carries what it was made of; an old one of the same data is used again. It
    consists of pages, of which each has room for the `largest` sample's bytes, and no more than
    that, since what is left of a page stays empty."""
    newest = max(int(os.path.getmtime(path)) for path, _ in job.files)
    path = os.path.join(job.scratch, f"ffcv-{kind}-{len(job.files)}-{newest}.beton")
    if not os.path.exists(path):
        os.makedirs(job.scratch, exist_ok=True)
        fields = {"image": image_field, "label": IntField()}
        page = max(LEAST_PAGE, 1 << (int(largest) - 1).bit_length())
        writer = DatasetWriter(path + ".part", fields, num_workers=1, page_size=page)
        writer.from_indexed_dataset(samples)
        os.rename(path + ".part", path)
    job.stored(path)
    return path


def batches(job, path, custom_fields=None):
    mean, std = 255 * np.array(common.MEAN), 255 * np.array(common.STD)
    image = [decoder(), RandomHorizontalFlip(), NormalizeImage(mean, std, np.float32), ToTensor(),
             ToTorchImage()]
    indices = np.tile(np.arange(len(job.files)), max(1, SAMPLES // len(job.files)))
    loader = Loader(path, batch_size=job.batch, num_workers=job.workers, os_cache=True,
                    order=OrderOption.RANDOM, drop_last=True, indices=indices,
                    custom_fields=custom_fields or {},
                    pipelines={"image": image, "label": [IntDecoder(), ToTensor()]})
    while True:
        yield from loader
