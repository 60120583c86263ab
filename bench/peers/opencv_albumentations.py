# SPDX-License-Identifier: Apache-2.0
"""PyTorch DataLoader, OpenCV's decoder, albumentations."""
import torch

import common
import opencv_sample
import torch_loader

OPS = opencv_sample.make_ops()


def load(path):
    return torch.from_numpy(opencv_sample.load(path, OPS))


if __name__ == "__main__":
    common.main(lambda job: torch_loader.batches(
        job, load, worker_init_fn=lambda worker: opencv_sample.cv2.setNumThreads(0)))
