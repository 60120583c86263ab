# SPDX-License-Identifier: Apache-2.0
"""The job on one file with OpenCV and albumentations: for the loaders that bring no image ops."""
import albumentations as A
import cv2
import numpy as np

from common import CROP, MEAN, RATIO, SCALE, SIZE, STD


def make_ops():
    cv2.setNumThreads(0)  # the workers are the parallelism
    crop = A.RandomCrop(CROP, CROP) if CROP else \
        A.RandomResizedCrop(size=(SIZE, SIZE), scale=SCALE, ratio=RATIO)
    return A.Compose([crop, A.HorizontalFlip(p=0.5), A.Normalize(mean=MEAN, std=STD)])


def load(path, ops):
    """float32 [3, SIZE, SIZE] of one file."""
    pixels = cv2.cvtColor(cv2.imread(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return np.ascontiguousarray(ops(image=pixels)["image"].transpose(2, 0, 1))
