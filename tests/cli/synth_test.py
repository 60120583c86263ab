# SPDX-License-Identifier: Apache-2.0
"""The synthetic data set: its layout, and that equal seeds give equal bytes."""
import csv
import os
import subprocess
import unittest

import cli_testing
from cli_testing import CliTest, main, tree_bytes


class Layout(CliTest):
    def rows(self, data):
        with open(data / "manifest.csv", newline="") as file:
            return list(csv.DictReader(file))

    def test_manifest_names_every_file(self):
        data = self.synth("data", "--format", "mixed")
        rows = self.rows(data)
        self.assertEqual(list(rows[0]), ["image", "mask", "label:i64", "boxes:f32[4]"])
        self.assertEqual(len(rows), 40)
        named = {r["image"] for r in rows} | {r["mask"] for r in rows} | {"manifest.csv"}
        self.assertEqual(named, set(tree_bytes(data)))

    def test_labels_follow_the_sorted_folders(self):
        data = self.synth()
        classes = sorted(p.name for p in (data / "images").iterdir())
        self.assertEqual(len(classes), 5)
        for row in self.rows(data):
            self.assertEqual(row["image"].split("/")[1], classes[int(row["label:i64"])])

    def test_all_classes_have_names_of_their_own(self):
        data = self.synth("data", "--classes", "64", "--images", "64")
        self.assertEqual(len(list((data / "images").iterdir())), 64)

    def test_boxes_are_those_of_the_masks(self):
        import numpy
        from PIL import Image
        data = self.synth("data", "--format", "mixed")
        for row in self.rows(data):
            mask = numpy.array(Image.open(data / row["mask"]))
            image = Image.open(data / row["image"])
            image.load()
            self.assertEqual((image.mode, image.size, mask.shape), ("RGB", (64, 48), (48, 64)))
            boxes = numpy.array(row["boxes:f32[4]"].split(" "), int).reshape(-1, 4)
            self.assertEqual(mask.max(), len(boxes))
            for k, (x0, y0, x1, y1) in enumerate(boxes):
                ys, xs = numpy.nonzero(mask == k + 1)
                self.assertEqual((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1),
                                 (x0, y0, x1, y1))

    def test_sizes_differ_unless_one_is_asked_for(self):
        from PIL import Image
        self.millrace("synth", "varied", "--images", 10, "--quiet")
        sizes = set()
        for file in (self.work / "varied/images").rglob("*.jpg"):
            with Image.open(file) as image:
                sizes.add(image.size)
        self.assertGreater(len(sizes), 5)
        self.assertTrue(all(200 <= side <= 400 for size in sizes for side in size))


class Bytes(CliTest):
    def test_equal_seeds_equal_bytes_for_any_threads(self):
        trees = []
        for threads in (1, 2, 5):
            name = f"threads{threads}"
            self.millrace("synth", name, "--images", 30, "--format", "mixed", "--quiet",
                          env={"OMP_NUM_THREADS": str(threads)})
            trees.append(tree_bytes(self.work / name))
        self.assertEqual(trees[0], trees[1])
        self.assertEqual(trees[0], trees[2])

    def test_another_seed_draws_other_pictures(self):
        a, b = tree_bytes(self.synth("a")), tree_bytes(self.synth("b", "--seed", "2"))
        self.assertEqual(set(a), set(b))
        self.assertTrue(all(a[name] != b[name] for name in a if name.startswith("images/")))

    def test_more_pictures_leave_the_first_ones_as_they_are(self):
        few = tree_bytes(self.synth("few"))
        many = tree_bytes(self.synth("many", "--images", "80"))
        for name in few:
            if name != "manifest.csv":
                self.assertEqual(few[name], many[name])


class Folders(CliTest):
    def test_a_folder_that_is_not_empty_is_refused(self):
        data = self.synth()
        before = tree_bytes(data)
        self.refused("synth", data, says="is not empty")
        self.assertEqual(tree_bytes(data), before)
        self.millrace("synth", data, "--images", 3, "--force", "--quiet")
        self.assertEqual(len((data / "manifest.csv").read_text().splitlines()), 4)

    def test_a_file_is_no_folder(self):
        (self.work / "file").write_text("")
        self.refused("synth", "file", says="cannot use 'file' as a folder")

    def test_parents_are_made(self):
        self.synth("deep/er/data")

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system needs root")
    def test_a_full_disk_is_an_error_and_leaves_no_half_file(self):
        small = self.work / "small"
        small.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", small]
        if subprocess.run(mount, capture_output=True).returncode:
            self.skipTest("mounting is not allowed here")
        try:
            _, err = self.millrace("synth", small / "data", "--quiet", rc=1)
            self.assertIn("No space left on device", err)
            left = tree_bytes(small)
            self.assertFalse([name for name in left if ".tmp" in name])
            self.assertNotIn("data/manifest.csv", left)
        finally:
            subprocess.run(["umount", small], check=True)

    def test_progress_is_plain_lines_without_a_terminal(self):
        done = subprocess.run([cli_testing.PROGRAM, "synth", self.work / "p", "--images", "5"],
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "")
        self.assertNotIn("\r", done.stderr)
        self.assertIn("5 pictures of 5 classes", done.stderr)


if __name__ == "__main__":
    main()
