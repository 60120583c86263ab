# SPDX-License-Identifier: Apache-2.0
"""WebDataset from tar shards (written once from the same files) in a PyTorch DataLoader, with
torchvision's tensor decoder and transforms."""
import glob
import os

import numpy as np
import torch
import webdataset as wds
from torch.utils.data import DataLoader
from torchvision.io import ImageReadMode, decode_image

import common
import torchvision_tensor

SHARDS = 8


def write_once(job):
    newest = max(int(os.path.getmtime(path)) for path, _ in job.files)
    folder = os.path.join(job.scratch, f"wds-{len(job.files)}-{newest}")
    if not os.path.isdir(folder):
        os.makedirs(folder + ".part", exist_ok=True)
        for shard in range(SHARDS):
            with wds.TarWriter(f"{folder}.part/{shard:03d}.tar") as out:
                for i, (path, label) in enumerate(job.files[shard::SHARDS]):
                    with open(path, "rb") as file:
                        out.write({"__key__": f"{i:08d}", "jpg": file.read(), "cls": str(label)})
        os.rename(folder + ".part", folder)
    return sorted(glob.glob(folder + "/*.tar"))


def load(sample):
    encoded = torch.from_numpy(np.frombuffer(sample["jpg"], dtype=np.uint8).copy())
    image = torchvision_tensor.OPS(decode_image(encoded, ImageReadMode.RGB))
    return image, int(sample["cls"])


def make(job):
    data = wds.WebDataset(write_once(job), resampled=True, shardshuffle=False,
                          nodesplitter=wds.split_by_node)
    data = data.shuffle(200).map(load).batched(job.batch, partial=False)
    return iter(DataLoader(data, batch_size=None, num_workers=job.workers))


if __name__ == "__main__":
    common.main(make)
