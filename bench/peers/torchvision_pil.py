# SPDX-License-Identifier: Apache-2.0
"""PyTorch DataLoader, PIL images, torchvision v2 transforms: the tutorial's way."""
import torch
from PIL import Image
from torchvision.transforms import v2

import common
import torch_loader

CUT = v2.RandomCrop(common.CROP) if common.CROP else \
    v2.RandomResizedCrop(common.SIZE, scale=common.SCALE, ratio=common.RATIO)
OPS = v2.Compose([
    CUT, v2.RandomHorizontalFlip(), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True),
    v2.Normalize(common.MEAN, common.STD)])


def load(path):
    with Image.open(path) as image:
        return OPS(image.convert("RGB"))


if __name__ == "__main__":
    common.main(lambda job: torch_loader.batches(job, load))
