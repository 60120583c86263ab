# SPDX-License-Identifier: Apache-2.0
"""Arrays, held to NumPy: what it saves is loaded, packed, and given back number by number."""
import os
import random

import numpy as np

from cli_testing import CliTest, main

# NumPy's types, each with what it is to Millrace.
TYPES = {"|b1": "u1", "|u1": "u1", "<u2": "<u2", ">u2": "<u2", "<i2": "<i2", ">i2": "<i2",
         "<i4": "<i4", ">i4": "<i4", "<i8": "<i8", ">i8": "<i8", "<f2": "<f2", ">f2": "<f2",
         "<f4": "<f4", ">f4": "<f4", "<f8": "<f8", ">f8": "<f8"}
REFUSED = {"objects": np.array([{}, []] * 5, dtype=object), "text": np.array(["a"] * 10),
           "complex": np.ones(10, "c8"), "records": np.zeros(10, [("a", "f4"), ("b", "i4")]),
           "dates": np.zeros(10, "M8[s]"), "unsigned": np.ones(10, "u4"),
           "bytes": np.ones(10, "i1"),
           "fortran": np.asfortranarray(np.ones((10, 3, 4), "f4")), "number": np.float32(1),
           "none": np.ones((0, 3), "f4"), "flat": np.ones((10, 0), "f4")}


class ArraysTest(CliTest):
    def arrays(self, rng, rows):
        """A random set of arrays of all types."""
        made = {}
        for name, dtype in enumerate(TYPES):
            sides = [rng.randint(1, 6) for _ in range(rng.randint(0, 4))]
            noise = np.random.default_rng(rng.randrange(1 << 30))
            made[f"a{name}"] = noise.integers(0, 60000, (rows, *sides)).astype(dtype)
        return made

    def check(self, source, made, *more):
        """Unpacked, packed and unpacked again, it is what NumPy has."""
        config = self.work / "arrays.yaml"
        config.write_text(f"version: 1\nsource: {source}\nfields: {{a0: {{dtype: uint8}}}}\n")
        self.millrace("pack", config, self.work / "out", "--unpack")
        self.millrace("pack", config, self.work / "packed", "--mode", "array", *more)
        self.millrace("pack", self.work / "packed", self.work / "again", "--unpack")
        for folder in ("out", "again"):
            found = {p.stem: np.load(p, allow_pickle=False)
                     for p in (self.work / folder).glob("*.npy")}
            self.assertEqual(set(found), set(made))
            for name, array in made.items():
                wanted = array.astype(np.dtype(TYPES[array.dtype.str]))
                self.assertEqual(found[name].dtype, wanted.dtype, name)
                self.assertEqual(found[name].shape, wanted.shape, name)
                self.assertEqual(found[name].tobytes(), wanted.tobytes(), name)
        for folder in ("out", "packed", "again"):
            self.remove(folder)

    def remove(self, folder):
        for path in sorted((self.work / folder).rglob("*"), reverse=True):
            path.unlink()
        (self.work / folder).rmdir()

    def test_what_numpy_saves_is_given_back(self):
        rng = random.Random(7)
        for rows in (1, 10, 1000):
            made = self.arrays(rng, rows)
            np.savez(self.work / "set.npz", **made)
            folder = self.work / "set"
            folder.mkdir()
            for name, array in made.items():
                np.save(folder / name, array)
            for path in ("set.npz", "set"):
                self.check(f"{{type: npy, path: {self.work}/{path}}}", made,
                           "--shard-bytes", rng.choice([10000, 1 << 20]))
            self.remove("set")

    def test_other_versions_of_the_format(self):
        made = {"a0": np.arange(20, dtype="<f4").reshape(10, 2)}
        for version in ((1, 0), (2, 0), (3, 0)):
            with open(self.work / "a0.npy", "wb") as file:
                np.lib.format.write_array(file, made["a0"], version=version)
            self.check(f"{{type: npy, path: {self.work}/a0.npy}}", made)

    def test_a_large_archive_has_wide_numbers(self):
        made = {"a0": np.arange(40, dtype="<i4").reshape(10, 4)}
        with open(self.work / "wide.npz", "wb") as file:  # written as a stream
            np.savez(file, **made)
        self.check(f"{{type: npy, path: {self.work}/wide.npz}}", made)

    def test_what_cannot_be_read_is_refused(self):
        for name, array in REFUSED.items():
            path = self.work / f"{name}.npy"
            np.save(path, array, allow_pickle=True)
            config = self.work / "refused.yaml"
            config.write_text(f"version: 1\nsource: {{type: npy, path: {path}}}\n"
                              "fields: {x: {dtype: float32}}\n")
            _, said = self.millrace("run", config, rc=1)
            self.assertIn(f"{name}.npy", said, name)
            self.assertNotIn("Traceback", said)
        np.savez_compressed(self.work / "small.npz", x=np.ones((10, 3)))
        config.write_text(f"version: 1\nsource: {{type: npy, path: {self.work}/small.npz}}\n"
                          "fields: {x: {dtype: float32}}\n")
        self.assertIn("savez_compressed", self.millrace("run", config, rc=1)[1])

    def test_streams_of_files_and_shards_are_the_same(self):
        x = np.random.default_rng(1).standard_normal((300, 5, 7)).astype("f4")
        np.savez(self.work / "set.npz", x=x, label=np.arange(300) % 7)
        records = np.zeros(300, [("label", "u1"), ("x", "<f4", (5, 7))])
        records["x"], records["label"] = x, np.arange(300) % 7
        (self.work / "set.bin").write_bytes(b"head" + records.tobytes())
        hashes = {}
        sources = {
            "npz": f"{{type: npy, path: {self.work}/set.npz}}",
            "raw": f"{{type: raw, path: {self.work}/set.bin, header: 4, "
                   'columns: ["label:u8", "x:f32[5,7]"]}',
            "shards": f"{{type: shards, path: {self.work}/packed}}",
        }
        for name, source in sources.items():
            config = self.work / f"{name}.yaml"
            config.write_text(f"version: 1\nseed: 3\nbatch: {{size: 16}}\nsource: {source}\n"
                              "fields: {x: {dtype: float32, shape: [5, 7]}, label: int64}\n")
            if name == "npz":
                self.millrace("pack", config, self.work / "packed", "--mode", "array")
                again = ("pack", config, self.work / "packed", "--mode", "array")
                self.assertIn("300 were there", self.millrace(*again)[1])
                os.utime(self.work / "set.npz", (1, 1))
                self.assertIn("have changed since", self.millrace(*again, rc=2)[1])
            for producers in (1, 3):
                hashes[name, producers] = self.run_json(
                    config, "--hash", "--set", f"producers={producers}")["hash"]
            said = self.millrace("verify", config)[1]
            self.assertIn("300 of 300 samples decoded, 0 bad", said)
            told = self.millrace("explain", config, "--analyze")[0]
            self.assertRegex(told, r" read\n")
            self.assertNotIn("local disk", told)
        self.assertEqual(len(set(hashes.values())), 1, hashes)
        with open(self.work / "set.bin", "r+b") as file:
            file.truncate(4 + 141 * 299)  # the last record is missing
        self.assertIn("299 of 299", self.millrace("verify", self.work / "raw.yaml")[1])

    def test_where_images_are_needed(self):
        np.save(self.work / "x.npy", np.zeros((3, 5), "f4"))
        self.refused("verify", "x.npy", says="'x.npy' is an array: it has no images to decode")
        self.assertIn("there are .npy files: use a config", self.millrace("verify", ".", rc=1)[1])

    def test_array_is_no_mode_for_images(self):
        images = self.synth() / "images"
        said = self.millrace("pack", images, self.work / "no", "--mode", "array", rc=2)[1]
        self.assertIn("has none", said)


main()
