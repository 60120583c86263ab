# SPDX-License-Identifier: Apache-2.0
"""PyTorch DataLoader, torchvision's own JPEG decoder, v2 transforms on uint8 tensors."""
import torch
from torchvision.io import ImageReadMode, decode_image, read_file
from torchvision.transforms import v2

import common
import torch_loader

CUT = v2.RandomCrop(common.CROP) if common.CROP else \
    v2.RandomResizedCrop(common.SIZE, scale=common.SCALE, ratio=common.RATIO, antialias=True)
OPS = v2.Compose([
    CUT, v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True),
    v2.Normalize(common.MEAN, common.STD)])


def load(path):
    return OPS(decode_image(read_file(path), ImageReadMode.RGB))


if __name__ == "__main__":
    common.main(lambda job: torch_loader.batches(job, load))
