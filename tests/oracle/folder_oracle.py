#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the folder source to torchvision's ImageFolder: the same classes, samples and labels, in
the same order.

usage: folder_oracle.py TOOL     TOOL: the index_tool program
"""
import os
import random
import subprocess
import sys
import tempfile

try:
    from torchvision.datasets import ImageFolder
except ImportError as lacking:
    print(f"skipped: {lacking}; apt-get install python3-torchvision")
    sys.exit(77)

NAMES = ["a", "b", "B", "a-b", "a.b", "10", "9", "é", "z z", "deep", "a_b", "A"]
ENDINGS = [".jpg", ".JPG", ".jpeg", ".png", ".PNG", ".txt", "~"]


def make_tree(rng, root):
    """Class folders with images and other files at any depth, and links to files and folders."""
    pool = os.path.join(root, "pool")
    os.makedirs(os.path.join(pool, "linked"))
    for name in ["1.jpg", "linked/2.png"]:
        open(os.path.join(pool, name), "w").close()
    for name in rng.sample(NAMES, rng.randint(1, 6)):
        for _ in range(rng.randint(1, 12)):
            depth = rng.choice([0, 0, 0, 1, 2])
            folder = os.path.join(root, name, *rng.sample(NAMES, depth))
            os.makedirs(folder, exist_ok=True)
            file = rng.choice(NAMES) + rng.choice(ENDINGS)
            if not os.path.lexists(os.path.join(folder, file)):
                open(os.path.join(folder, file), "w").close()
        # ImageFolder refuses a class without images.
        open(os.path.join(root, name, "sure.jpg"), "w").close()
        if rng.random() < 0.3:
            os.symlink(os.path.join(pool, "linked"), os.path.join(root, name, "0link"))
            os.symlink("../pool/1.jpg", os.path.join(root, name, "~link.jpg"))


def main():
    tool, rng = sys.argv[1], random.Random(1)
    for i in range(40):
        with tempfile.TemporaryDirectory() as folder:
            make_tree(rng, folder)
            theirs = ImageFolder(folder)
            want = [(label, os.path.realpath(path)) for path, label in theirs.samples]
            out = subprocess.run([tool, "folder", folder], check=True, capture_output=True).stdout
            classes, samples = out.split(b"\0\0", 1)
            got = []
            for line in samples.split(b"\0")[:-1]:
                label, path = os.fsdecode(line).split(" ", 1)
                got.append((int(label), os.path.realpath(os.path.join(folder, path))))
            names = [os.fsdecode(name) for name in classes.split(b"\0")]
            if names != theirs.classes or got != want:
                print(f"tree {i} differs:\n  ImageFolder: {want}\n  millrace:    {got}")
                return 1
    print("40 trees listed alike")
    return 0


sys.exit(main())
