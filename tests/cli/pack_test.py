# SPDX-License-Identifier: Apache-2.0
"""millrace pack: the stream of what was packed, the same bytes whatever happened on the way."""
import fcntl
import itertools
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

import numpy
from PIL import Image

import cli_testing
from cli_testing import CliTest, main, tree_bytes

LOSSLESS = (("jpeg",), ("jpeg", "--segment", "32"), ("coef",), ("coef", "--segment", "32"),
            ("raw",), ("raw", "--compress", "zstd"), ("keep",))
OPS = """\
ops:
  - random_resized_crop: {size: 32}
  - random_horizontal_flip: {p: 0.5}
fields:
  image: {dtype: float32, layout: NCHW}
  mask: {dtype: uint8}
  label: {dtype: int64}
  boxes: {dtype: float32, max: 6}
"""
FOLDER_OPS = """\
ops:
  - resize: {size: [20, 30]}
fields: {image: {dtype: uint8}, label: {dtype: int64}}
"""


class PackTest(CliTest):
    def pack(self, src, out, *args, rc=0):
        return self.millrace("pack", src, out, *args, rc=rc)

    def pack_json(self, src, out, *args, rc=0):
        return json.loads(self.pack(src, out, "--json", *args, rc=rc)[0])

    def stream(self, source, ops, *more):
        config = self.work / "stream.yaml"
        config.write_text("version: 1\nseed: 5\nepochs: 2\nbatch: {size: 8}\nproducers: 2\n"
                          f"on_error: replace\nsource: {source}\n{ops}")
        return self.run_json(config, "--hash", *more)["hash"]

    def shards(self, out):
        return {name: data for name, data in tree_bytes(self.work / out).items()
                if name != "pack.origin"}


class Chain(PackTest):
    def test_every_lossless_mode_gives_the_stream_of_the_manifest(self):
        data = self.synth("data", "--format", "mixed")
        manifest = f"{{type: manifest, path: {data}/manifest.csv}}"
        for ops, more in ((OPS, []), (OPS, ["--set", "decode.engine=libjpeg"]),
                          (OPS.replace("size: 32", "size: 9"), ["--set", "decode=fast"])):
            hashes = set()
            for mode in LOSSLESS:
                if "fast" in str(more) and mode[0] == "raw":
                    continue  # pixels have no smaller size to decode
                out = "packed_" + "_".join(mode)
                if not (self.work / out).exists():
                    self.pack(data / "manifest.csv", out, "--mode", *mode)
                hashes.add(self.stream(f"{{type: shards, path: {self.work}/{out}}}", ops, *more))
            self.assertEqual(hashes, {self.stream(manifest, ops, *more)}, more)

    def test_a_folder_and_shards_of_shards(self):
        images = self.synth() / "images"
        ours = self.stream(f"{{type: folder, path: {images}}}", FOLDER_OPS)
        self.pack(images, "jpeg", "--shard-bytes", 30000)
        self.pack(self.work / "jpeg", "raw", "--mode", "raw", "--compress", "zstd")
        self.pack(self.work / "jpeg", "coef", "--mode", "coef")
        self.pack(self.work / "coef", "again", "--segment", 32)
        for out in ("jpeg", "raw", "coef", "again"):
            packed = f"{{type: shards, path: {self.work}/{out}}}"
            self.assertEqual(self.stream(packed, FOLDER_OPS), ours, out)
        self.assertGreater(len(self.shards("jpeg")), 3)

    def test_every_kind_of_image(self):
        """Gray, palettes, alpha, 16 bits, CMYK, progressive, turned: in any format asked."""
        rng = numpy.random.default_rng(2)
        folder = self.work / "kinds/a"
        folder.mkdir(parents=True)
        steps = rng.integers(-9, 10, (43, 61, 4))
        smooth = numpy.cumsum(steps, axis=1).clip(-100, 100) + 128
        rgba = Image.fromarray(smooth.astype("u1"), "RGBA")
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
            (rgba if mode == "RGBA" else rgba.convert("RGB").convert(mode)).save(
                folder / f"{mode}.png")
        rgba.quantize(16).save(folder / "clear.png", transparency=3)
        Image.fromarray((smooth[..., 0] * 257).astype("u2")).save(folder / "gray16.png")
        for mode in ("L", "RGB", "CMYK"):
            for progressive in (False, True):
                rgba.convert("RGB").convert(mode).save(folder / f"{mode}{progressive}.jpg",
                                                       progressive=progressive, quality=80)
        for turn in range(2, 9):
            exif = Image.Exif()
            exif[0x112] = turn
            rgba.convert("RGB").save(folder / f"turned{turn}.jpg", exif=exif, subsampling=turn % 3)
        formats = [f"{{channels: {c}, dtype: {t}}}" for c in (1, 3, 4) for t in ("uint8", "uint16")]
        configs = [f"ops: [random_resized_crop: {{size: 24}}]\nfields: {{image: {f}}}\n"
                   for f in formats]
        ours = [self.stream(f"{{type: folder, path: {folder.parent}}}", c) for c in configs]
        for mode in LOSSLESS:
            self.pack(folder.parent, "packed", "--mode", *mode)
            packed = [self.stream(f"{{type: shards, path: {self.work}/packed}}", c)
                      for c in configs]
            self.assertEqual(packed, ours, mode)
            shutil.rmtree(self.work / "packed")

    def test_unpacked_files_give_it_again(self):
        data = self.synth("data", "--format", "mixed")
        ours = self.stream(f"{{type: manifest, path: {data}/manifest.csv}}", OPS)
        for mode in LOSSLESS:
            self.pack(data / "manifest.csv", "packed", "--mode", *mode)
            self.pack(self.work / "packed", "files", "--unpack")
            unpacked = f"{{type: manifest, path: {self.work}/files/manifest.csv}}"
            self.assertEqual(self.stream(unpacked, OPS), ours, mode)
            if mode == ("keep",):
                files = tree_bytes(self.work / "files")
                for name, original in tree_bytes(data).items():
                    if name != "manifest.csv":
                        self.assertEqual(files[name], original, name)
            shutil.rmtree(self.work / "packed")
            shutil.rmtree(self.work / "files")

    def unpack_rows(self, rows, *unpack, mode="keep"):
        """Packs what a manifest in 'sub' names, unpacks it; the files, without their manifest."""
        columns = "image,mask,label:i64" if "," in rows[0] else "image,label:i64"
        (self.work / "sub/m.csv").write_text(
            columns + "\n" + "".join(f"{row},{n}\n" for n, row in enumerate(rows)))
        for made in ("packed", "files"):
            shutil.rmtree(self.work / made, ignore_errors=True)
        self.pack(self.work / "sub/m.csv", "packed", "--mode", mode)
        for bad in unpack:
            shard = self.work / "packed/data-000000.mrs"
            data = bytearray(shard.read_bytes())
            data[data.index(bad) + len(bad) // 2] ^= 1
            shard.write_bytes(data)
        self.pack(self.work / "packed", "files", "--unpack", "--threads", "4", "--on-error", "skip")
        files = tree_bytes(self.work / "files")
        self.manifest = files.pop("manifest.csv").decode().splitlines()[1:]
        for line in self.manifest:
            for cell in line.split(",")[:columns.count(",")]:
                self.assertIn(cell.strip('"'), files)
        return files

    def test_no_file_replaces_another(self):
        """A file that two samples have is written once; two files that get one name are two."""
        one, two = (image.read_bytes()
                    for image in sorted((self.synth() / "images").rglob("*.jpg"))[:2])
        long = "l" * 250
        for place, image in (("x/a.jpg", one), ("sub/_/x/a.jpg", two), ("sub/_/x/a-3.jpg", one),
                             (f"x/{long}.jpg", one), (f"sub/_/x/{long}.jpg", two),
                             ("sub/b", one), ("sub/b.jpg", two)):
            (self.work / place).parent.mkdir(parents=True, exist_ok=True)
            (self.work / place).write_bytes(image)
        rows = ["../x/a.jpg", "../x/a.jpg", "_/x/a-3.jpg", "_/x/a.jpg", f"../x/{long}.jpg",
                f"_/x/{long}.jpg"]
        want = {"_/x/a.jpg": one, "_/x/a-3.jpg": one, "_/x/a-3-1.jpg": two,
                f"_/x/{long}.jpg": one, f"_/x/{long[1:]}-5.jpg": two}
        self.assertEqual(self.unpack_rows(rows), want)
        sources = [f"{{type: manifest, path: {self.work}/{m}}}"
                   for m in ("sub/m.csv", "files/manifest.csv")]
        self.assertEqual(self.stream(sources[0], FOLDER_OPS), self.stream(sources[1], FOLDER_OPS))
        raw = self.unpack_rows(rows[:4], mode="raw")
        self.assertEqual(set(raw), {"_/x/a.jpg.png", "_/x/a-3.jpg.png", "_/x/a.jpg-3.png"})
        ended = self.unpack_rows(["b", "b.jpg"])  # one after the other or both at once
        self.assertEqual(sorted(ended.values()), sorted([one, two]))
        self.assertIn("b.jpg", ended)

    def test_a_file_of_a_bad_sample_may_be_another_ones_too(self):
        images = [image.read_bytes() for image in sorted((self.synth() / "images").rglob("*.jpg"))]
        (self.work / "sub").mkdir()
        for name, image in (("a.jpg", images[0]), ("b.jpg", images[1])):
            (self.work / "sub" / name).write_bytes(image)
        Image.fromarray(numpy.zeros((4, 4), numpy.uint8)).save(self.work / "sub/m.png")
        mask = (self.work / "sub/m.png").read_bytes()
        files = self.unpack_rows(["a.jpg,m.png", "b.jpg,m.png", "b.jpg,m.png"], images[0])
        self.assertEqual(files, {"b.jpg": images[1], "m.png": mask})
        self.assertEqual(len(self.manifest), 2)

    def test_names_lead_nowhere(self):
        data = self.synth()
        (self.work / "sub").mkdir()
        rows = [f"../data/{image.relative_to(data)},{n}"
                for n, image in enumerate(sorted((data / "images").rglob("*.jpg"))[:4])]
        rows.append(f"{data}/images/red_circle/000004.jpg,7")
        (self.work / "sub/m.csv").write_text("image,label:i64\n" + "\n".join(rows) + "\n")
        self.pack(self.work / "sub/m.csv", "packed")
        self.pack(self.work / "packed", "sub/files", "--unpack")
        names = set(tree_bytes(self.work / "sub/files"))
        self.assertEqual(len(names), 6)
        self.assertEqual({name.split("/")[0] for name in names},
                         {"_", str(data).split("/")[1], "manifest.csv"})
        sources = [f"{{type: manifest, path: {self.work}/sub/{m}}}"
                   for m in ("m.csv", "files/manifest.csv")]
        self.assertEqual(self.stream(sources[0], FOLDER_OPS), self.stream(sources[1], FOLDER_OPS))


class Smaller(PackTest):
    def test_max_side(self):
        data = self.synth("data", "--format", "mixed", "--size", "90x60", "--force")
        for mode, level in itertools.product(("jpeg", "raw"), (48, 200)):
            out = f"{mode}{level}"
            self.pack(data / "manifest.csv", out, "--mode", mode, "--max-side", level)
            source = f"{{type: shards, path: {self.work}/{out}}}"
            if level == 200:  # they are smaller than that
                self.assertEqual(self.stream(source, OPS),
                                 self.stream(f"{{type: manifest, path: {data}/manifest.csv}}", OPS))
            self.pack(self.work / out, f"{out}_files", "--unpack")
            sizes = set()
            for path in (self.work / f"{out}_files").rglob("*.*g"):
                with Image.open(path) as image:
                    sizes.add(image.size)
            self.assertEqual(sizes, {(48, 32)} if level == 48 else {(90, 60)})
        self.stream(source, OPS)

    def test_boxes_and_masks_follow(self):
        data = self.synth("data", "--size", "90x60", "--force")
        self.pack(data / "manifest.csv", "small", "--mode", "raw", "--max-side", 45)
        self.pack(self.work / "small", "files", "--unpack")
        def boxes(path):
            return [[float(v) for v in line.split(",")[3].split()]
                    for line in path.read_text().splitlines()[1:]]
        for whole, half in zip(boxes(data / "manifest.csv"),
                               boxes(self.work / "files/manifest.csv")):
            self.assertEqual([v / 2 for v in whole], half)


class Again(PackTest):
    """Interrupted and gone on with: the same bytes in the end."""

    def test_the_number_of_threads_does_not_matter(self):
        images = self.synth("data", "--format", "mixed") / "images"
        for threads in (1, 2, 7):
            self.pack(images, f"packed{threads}", "--shard-bytes", 20000, "--threads", threads)
        self.assertGreater(len(self.shards("packed1")), 5)
        for threads in (2, 7):
            self.assertEqual(self.shards("packed1"), self.shards(f"packed{threads}"))

    def test_killed_at_any_time(self):
        images = self.synth("data", "--images", 300, "--force") / "images"
        args = (images, "--shard-bytes", 30000, "--mode", "jpeg")
        self.pack(args[0], "whole", *args[1:])
        whole = self.shards("whole")
        self.assertGreater(len(whole), 8)
        kills = 0
        for i in range(40):
            child = subprocess.Popen([cli_testing.PROGRAM, "pack", images, self.work / "out",
                                      *map(str, args[1:]), "--quiet"])
            time.sleep(0.004 * (i % 9))
            child.kill()
            kills += child.wait() == -signal.SIGKILL
            there = self.shards("out") if (self.work / "out").exists() else {}
            for name, data in there.items():
                if not name.endswith(".part") and not name.startswith("pack."):
                    self.assertEqual(data, whole[name], name)
            if "pack.json" in there:
                break
        self.assertGreater(kills, 0)
        result = self.pack_json(args[0], "out", *args[1:])
        self.assertEqual(self.shards("out"), whole)
        self.assertEqual(result["done"], 300)
        again = self.pack_json(args[0], "out", *args[1:])
        self.assertEqual((again["kept"], again["bytes_in"]), (300, 0))
        self.assertEqual(self.shards("out"), whole)

    def test_interrupted_politely(self):
        images = self.synth("data", "--images", 400, "--force") / "images"
        child = subprocess.Popen([cli_testing.PROGRAM, "pack", images, self.work / "out",
                                  "--shard-bytes", "20000", "--threads", "1"],
                                 stderr=subprocess.PIPE, text=True)
        while not list((self.work / "out").glob("*.mrs")) and child.poll() is None:
            time.sleep(0.001)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
        if child.returncode != 0:  # it may have been done
            self.assertEqual(child.returncode, 130)
            self.assertRegex(err, "interrupted, with .* of 400 samples done; "
                                  "the same command goes on from here")
            if "pack.json" not in os.listdir(self.work / "out"):
                self.assertIn("was interrupted: give the same 'millrace pack' again",
                              self.millrace("verify", self.work / "out", rc=1)[1])
        self.assertEqual([f for f in os.listdir(self.work / "out") if f.endswith(".part")], [])
        self.pack(images, "out", "--shard-bytes", "20000")
        self.pack(images, "whole", "--shard-bytes", "20000")
        self.assertEqual(self.shards("out"), self.shards("whole"))

    def test_missing_and_damaged_shards_are_packed_again(self):
        images = self.synth() / "images"
        args = ("--shard-bytes", 20000)
        self.pack(images, "out", *args)
        whole = self.shards("out")
        for name in sorted(whole)[1:-1:2]:
            if name.endswith(".mrs"):
                (self.work / "out" / name).unlink()
        victim = self.work / "out/data-000002.mrs"
        victim.write_bytes(whole[victim.name][:-1000] + bytes(1000))
        flipped = self.work / "out/data-000000.mrs"  # within a body: the index does not see it
        flipped.write_bytes(whole[flipped.name][:5000] + bytes([whole[flipped.name][5000] ^ 4])
                            + whole[flipped.name][5001:])
        _, err = self.pack(images, "out", *args)
        self.assertIn("data-000002.mrs", err)
        self.assertIn("data-000000.mrs", err)
        self.assertIn("packed again now", err)
        self.assertEqual(self.shards("out"), whole)

    def test_what_is_not_gone_on_with(self):
        images = self.synth() / "images"
        self.pack(images, "out")
        self.refused("pack", images, "out", "--mode", "raw", says="other options")
        victim = next(images.rglob("*.jpg"))
        victim.write_bytes(victim.read_bytes() + b"\0")
        self.refused("pack", images, "out", says="have changed since")
        (self.work / "other").mkdir()
        (self.work / "other/file").write_text("mine")
        for name in ("data-000000.mrs.bak", "pack.json.bak", "pack.origin.1"):
            (self.work / "other" / name).write_text("mine")
        self.refused("pack", images, "other", says="not empty")
        self.refused("pack", self.work / "out", "other", "--unpack", says="not empty")
        for path in (self.work / "other").iterdir():
            self.assertEqual(path.read_text(), "mine")
        self.assertEqual(len(list((self.work / "other").iterdir())), 4)
        lock = os.open(self.work / "out", os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.refused("pack", images, "out", says="somebody else is packing")
        os.close(lock)

    def test_a_full_disk(self):
        images = self.synth() / "images"
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (15000, 15000))
        done = subprocess.run([cli_testing.PROGRAM, "pack", images, self.work / "out"],
                              preexec_fn=limit, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertIn("data-000000.mrs", done.stderr)
        self.assertEqual(set(os.listdir(self.work / "out")), {"pack.origin"})
        self.pack(images, "out")
        self.pack(images, "whole")
        self.assertEqual(self.shards("out"), self.shards("whole"))


class Bad(PackTest):
    def setUp(self):
        super().setUp()
        self.images = self.synth() / "images"
        good = (self.images / "red_circle/000004.jpg").read_bytes()
        self.bad = {}
        for i, name in enumerate(("a.jpg", "zz.jpg", "n\nl.jpg")):
            path = self.images / "red_circle" / name
            path.write_bytes(good[:len(good) // (2 + i)])
            self.bad[name] = path

    def test_fail_skip_and_keep(self):
        _, err = self.pack(self.images, "out", rc=1)
        self.assertIn("a.jpg'", err)
        self.assertIn("'skip' leaves such samples out", err)
        self.assertEqual(set(os.listdir(self.work / "out")), {"pack.origin"})
        result = self.pack_json(self.images, "out", "--on-error", "skip")
        self.refused("pack", self.images, "out", says="with on_error 'skip'")
        self.assertEqual((result["samples"], result["done"], result["skipped"]), (43, 43, 3))
        again = self.pack_json(self.images, "out", "--on-error", "skip")
        self.assertEqual((again["kept"], again["skipped"]), (40, 3))
        skipped = self.stream(f"{{type: shards, path: {self.work}/out}}", FOLDER_OPS)
        _, err = self.pack(self.images, "kept", "--on-error", "keep")
        kept = self.stream(f"{{type: shards, path: {self.work}/kept}}", FOLDER_OPS)
        self.assertEqual(kept, self.stream(f"{{type: folder, path: {self.images}}}", FOLDER_OPS))
        for path in self.bad.values():
            path.unlink()
        self.assertEqual(skipped, self.stream(f"{{type: folder, path: {self.images}}}",
                                              FOLDER_OPS))

    def test_skips_survive_interruptions(self):
        args = ("--on-error", "skip", "--shard-bytes", 20000)
        self.pack(self.images, "whole", *args)
        whole = self.shards("whole")
        origin = (self.work / "whole/pack.origin").read_bytes()
        self.assertEqual(origin.count(b"skip "), 3)
        names = sorted(n for n in whole if n.endswith(".mrs"))
        for lost in (names[1:2], names[2:], names[:3], names):
            for name in lost:
                (self.work / "whole" / name).unlink()
            tail = b"skip 2" if lost != names else bytes(8)  # what a power cut may leave
            (self.work / "whole/pack.origin").write_bytes(origin + tail)
            self.pack(self.images, "whole", *args)
            self.assertEqual(self.shards("whole"), whole, lost)
            self.assertEqual((self.work / "whole/pack.origin").read_bytes(), origin)

    def test_nothing_is_left(self):
        for path in self.images.rglob("*.jpg"):
            path.write_bytes(b"no picture")
        _, err = self.pack(self.images, "out", "--mode", "raw", "--on-error", "skip", rc=1)
        self.assertIn("every sample of the data set is bad", err)


class Usage(PackTest):
    def test_options(self):
        images = self.synth() / "images"
        for args, says in ((("--mode", "zip"), "it takes jpeg"),
                           (("--segment", "48"), "32 or 64"),
                           (("--mode", "raw", "--segment", "64"), "the modes jpeg and coef"),
                           (("--unpack", "--quality", "80"), "not for '--unpack'"),
                           (("--unpack", "--mode", "jpeg"), "not for '--unpack'"),
                           (("--compress", "zstd"), "only the mode 'raw'"),
                           (("--quality", "80"), "'max_side'"),
                           (("--mode", "keep", "--max-side", "80"), "leaves files as they are")):
            self.refused("pack", images, "out", *args, says=says)
        self.assertFalse((self.work / "out").exists())
        for verb in (["pack"], ["pack", "--unpack"], ["verify"]):
            out = ["out"] * (verb[0] == "pack")
            self.refused(*verb, "gone", *out, says="there is no 'gone'")
            for none in (next(images.rglob("*.jpg")), self.work / "notes.txt"):
                (self.work / "notes.txt").write_text("of no kind\n")
                self.refused(*verb, none, *out, says=f"'{none}' is no data set: give a folder")
        self.assertFalse((self.work / "out").exists())
        self.millrace("pack", images, "no/such/out", rc=1)
        (self.work / "c.yaml").write_text("version: 1\ncontext: fork\nfields: {x: {dtype: uint8, "
                                          "shape: []}}\n")
        self.refused("pack", "c.yaml", "out", says="no data set")


if __name__ == "__main__":
    main()
