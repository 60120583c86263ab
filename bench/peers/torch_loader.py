# SPDX-License-Identifier: Apache-2.0
"""PyTorch's DataLoader over a map-style dataset, without an end, as all torch peers use it."""
import torch
from torch.utils.data import DataLoader, Dataset, Sampler


class Endless(Sampler):
    """One random permutation after another: no pause between epochs is counted against anyone."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        while True:
            yield from torch.randperm(self.n).tolist()


class Files(Dataset):
    def __init__(self, files, load):
        self.files = files
        self.load = load

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        path, label = self.files[i]
        return self.load(path), label


def batches(job, load, **options):
    """`load(path)` gives one image tensor. Workers have one torch thread each (torch's default)."""
    return iter(DataLoader(Files(job.files, load), batch_size=job.batch, drop_last=True,
                           sampler=Endless(len(job.files)), num_workers=job.workers, **options))
