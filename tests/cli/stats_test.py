# SPDX-License-Identifier: Apache-2.0
"""millrace stats --shuffle: a shuffle is near its ideal, sorted data is far from it."""
import json

from cli_testing import CliTest, main

CONFIG = """version: 1
seed: 42
batch: {{size: 50}}
source: {source}
sampler: {{type: {sampler}}}
ops: [{{resize: {{size: [8, 8]}}}}]
fields: {{image: {{dtype: uint8}}}}
"""
SYNTHETIC = "{type: synthetic, samples: 1000000, classes: 20}"


class Stats(CliTest):
    def config(self, sampler, source=SYNTHETIC):
        path = self.work / "c.yaml"
        path.write_text(CONFIG.format(sampler=sampler, source=source))
        return path

    def figures(self, *args):
        out, err = self.millrace("stats", "--shuffle", "--json", *args)
        self.assertEqual(err, "")
        return json.loads(out)

    def sorted_manifest(self):
        """2,000 samples, 100 of each of 20 classes, class behind class; no file is there."""
        rows = "".join(f"none/{i}.jpg,{i // 100}\n" for i in range(2000))
        (self.work / "sorted.csv").write_text("image,label:i64\n" + rows)
        return "{type: manifest, path: sorted.csv}"

    def test_a_shuffle_is_near_the_ideal(self):
        f = self.figures(self.config("shuffle"), "--batches", "200")
        self.assertEqual((f["sampler"], f["batches"], f["rows"]), ("shuffle", 200, 10000))
        self.assertEqual((f["samples"], f["classes"], len(f["entropies"])), (1000000, 20, 200))
        self.assertAlmostEqual(f["dataset_entropy"], 4.32193, 4)
        self.assertAlmostEqual(f["entropy_mean"], f["entropy_ideal"], delta=0.03)
        self.assertLess(f["entropy_max"], f["dataset_entropy"])
        self.assertAlmostEqual(f["distance"], f["distance_ideal"], delta=0.01)
        self.assertLess(abs(f["correlation"]), 0.05)

    def test_a_sorted_order_is_told_from_it(self):
        f = self.figures(self.config("sequential", self.sorted_manifest()))
        self.assertEqual(f["batches"], 40)
        self.assertAlmostEqual(f["entropy_mean"], 0)
        self.assertGreater(f["entropy_ideal"], 3.9)
        self.assertAlmostEqual(f["distance"], 1 / 2000)
        self.assertGreater(f["correlation"], 0.999)
        mixed = self.figures(self.config("shuffle", self.sorted_manifest()), "--batches", "0")
        self.assertAlmostEqual(mixed["entropy_mean"], mixed["entropy_ideal"], delta=0.05)

    def test_epochs_and_seeds_differ_and_repeat(self):
        path = self.config("shuffle")
        one = self.figures(path, "--batches", "20")
        self.assertEqual(self.figures(path, "--batches", "20"), one)
        for other in (("--epoch", "1"), ("--seed", "43"), ("--set", "seed=43")):
            self.assertNotEqual(self.figures(path, "--batches", "20", *other)["entropies"],
                                one["entropies"])

    def test_text_is_for_people(self):
        out, err = self.millrace("stats", self.config("shuffle"), "--shuffle", "--batches", "3")
        self.assertEqual(err, "")
        for word in ("sampler:   shuffle, epoch 0: 3 batches of 50", "ideal:", "distance:",
                     "order:"):
            self.assertIn(word, out)
        (self.work / "bare.csv").write_text("image\n" + "x.jpg\n" * 100)
        path = self.config("shuffle", "{type: manifest, path: bare.csv}")
        self.assertIn("no labels", self.millrace("stats", path, "--shuffle")[0])

    def test_wrong_use_is_refused(self):
        self.refused("stats", self.config("shuffle"), says="'--shuffle'")
        self.refused("stats", "--shuffle", self.config("shufle"), says="did you mean 'shuffle'?")
        self.refused("stats", "--shuffle", self.config("bucket, by: depth"),
                     says="'sampler.by' is 'depth'")


if __name__ == "__main__":
    main()
