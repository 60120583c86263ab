# SPDX-License-Identifier: Apache-2.0
"""Bad input is data, not death: each kind of bad file under each policy; sets that cannot run."""
import os
import signal
import struct
import subprocess
import time
import zlib

import cli_testing
from cli_testing import CliTest, main


def png_header(w, h):
    """A PNG that declares w x h and holds no pixels."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I",
                                                                        zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def jpeg_sized(good, w, h):
    """The JPEG with another size in its frame header."""
    at = good.index(b"\xff\xc0") + 5
    return good[:at] + struct.pack(">HH", h, w) + good[at + 4:]


def bad_files(good):
    """{name: content} of files that no codec can read whole."""
    return {
        "empty.jpg": b"",
        "truncated.jpg": good[:len(good) * 2 // 3],
        "header_only.jpg": good[:20],
        "text.jpg": b"this is no image\n" * 50,
        "zeros.jpg": bytes(5000),
        "zero_sized.jpg": jpeg_sized(good, 0, 0),
        "huge.jpg": jpeg_sized(good, 65500, 65500),
        "huge.png": png_header(200000, 200000),
        "zero_sized.png": png_header(0, 0),
        "no_pixels.png": png_header(64, 48),
    }


class Policies(CliTest):
    """40 good pictures and one bad file in the middle of them."""

    def one_bad(self, name, content):
        data = self.work / "data"
        if not data.exists():
            self.synth()
            self.good = (data / "images/red_circle/000004.jpg").read_bytes()
        path = data / "images/red_circle" / name
        path.write_bytes(content)
        return path

    def check_policies(self, path):
        images = self.work / "data/images"
        _, err = self.millrace("run", self.config(images, on_error="fail", batch=", last: short"),
                               rc=1)
        self.assertIn(path.name, err)
        skip = self.config(images, on_error="skip", batch=", last: short")
        results = [self.run_json(skip, "--hash", "--producers", n) for n in (1, 3)]
        self.assertEqual([r["rows"] for r in results], [40, 40])
        self.assertEqual([r["bad_samples"] for r in results], [1, 1])
        self.assertEqual(results[0]["hash"], results[1]["hash"])
        replace = self.config(images, on_error="replace", batch=", last: short")
        results = [self.run_json(replace, "--hash", "--producers", n) for n in (1, 3)]
        self.assertEqual([r["rows"] for r in results], [41, 41])
        self.assertEqual(results[0]["hash"], results[1]["hash"])
        self.assertEqual(results[0]["respawns"], 0)

    def test_bad_content(self):
        self.one_bad("x.jpg", b"")
        (self.work / "data/images/red_circle/x.jpg").unlink()
        for name, content in bad_files(self.good).items():
            with self.subTest(name):
                path = self.one_bad(name, content)
                self.check_policies(path)
                path.unlink()

    def test_a_file_without_the_right_to_read(self):
        if os.geteuid() == 0:  # root may read everything, unless it lays down that right
            self.prefix = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
        path = self.one_bad("locked.jpg", b"x")
        path.write_bytes(self.good)
        path.chmod(0)
        self.check_policies(path)

    def test_a_file_that_vanishes_while_the_run_goes_on(self):
        data = self.synth()
        config = self.config(data / "images", on_error="skip")
        run = subprocess.Popen([cli_testing.PROGRAM, "run", config, "--epochs", "0", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1.5)
        (data / "images/red_circle/000004.jpg").unlink()
        time.sleep(1.5)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130, err)
        self.assertIn("000004.jpg", err)
        self.assertIn('"respawns": 0', out)


class StrangeEntries(CliTest):
    """What is no plain file never blocks a run and never is read as an image."""

    def check_left_out_or_named(self, images, name):
        result = self.run_json(self.config(images, on_error="skip", batch=", last: short"))
        self.assertEqual(result["rows"], 40, name)
        self.assertEqual(result["respawns"], 0, name)

    def test_fifo(self):
        images = self.synth() / "images"
        os.mkfifo(images / "red_circle/fifo.jpg")
        self.check_left_out_or_named(images, "fifo.jpg")

    def test_links(self):
        images = self.synth() / "images"
        os.symlink("/dev/zero", images / "red_circle/device.jpg")
        os.symlink("nowhere.jpg", images / "red_circle/dangling.jpg")
        os.symlink("circle.jpg", images / "red_circle/circle.jpg")
        self.check_left_out_or_named(images, "links")

    def test_a_folder_with_an_image_name(self):
        images = self.synth() / "images"
        (images / "red_circle/folder.jpg").mkdir()
        self.check_left_out_or_named(images, "folder.jpg")

    def test_other_files_are_left_alone(self):
        images = self.synth() / "images"
        (images / "red_circle/notes.txt").write_text("x")
        (images / "red_circle/.hidden").write_text("x")
        result = self.run_json(self.config(images, on_error="fail", batch=", last: short"))
        self.assertEqual(result["rows"], 40)


class SetsThatCannotBeRun(CliTest):
    def fails(self, config, *args, says):
        done = subprocess.run([cli_testing.PROGRAM, "run", str(config), *args],
                              capture_output=True, text=True, timeout=60)
        self.assertIn(done.returncode, (1, 2), done.stderr)
        for word in says:
            self.assertIn(word, done.stderr)

    def test_an_empty_folder(self):
        (self.work / "void").mkdir()
        self.fails(self.config(self.work / "void"), says=["void"])
        (self.work / "void/class").mkdir()
        self.fails(self.config(self.work / "void"), says=["void"])

    def test_a_folder_that_is_not_there(self):
        self.refused("run", self.config(self.work / "gone"), says="gone")

    def test_a_batch_larger_than_the_set(self):
        images = self.synth() / "images"
        self.fails(self.config(images), "--set", "batch={size: 41, last: drop}",
                   says=["41", "40"])
        for last, rows in (("short", 40), ("pad", 40), ("wrap", 41)):
            result = self.run_json(self.config(images), "--set",
                                   f"batch={{size: 41, last: {last}}}")
            self.assertEqual((result["batches"], result["rows"]), (1, rows), last)

    def test_only_bad_files(self):
        folder = self.work / "bad/class"
        folder.mkdir(parents=True)
        for i in range(20):
            (folder / f"{i}.jpg").write_bytes(b"no image")
        for policy in ("fail", "replace"):
            self.fails(self.config(self.work / "bad", on_error=policy), says=["bad/class"])
        result = self.run_json(self.config(self.work / "bad", on_error="skip"),
                               "--set", "max_bad=100%")
        self.assertEqual(result["rows"], 0)

    def test_more_memory_than_there_is(self):
        images = self.synth() / "images"
        self.fails(self.config(images), "--set", "slots=1024", "--set", "batch={size: 20000, "
                   "last: pad}", "--set", "ops=[{resize: {size: [4000, 4000]}}]",
                   says=["MB", "slots"])


class Manifests(CliTest):
    def test_lines_that_name_what_is_not_there(self):
        data = self.synth()
        manifest = data / "manifest.csv"
        lines = manifest.read_text().splitlines()
        lines[7] = lines[7].replace("images/", "nowhere/")
        manifest.write_text("\n".join(lines) + "\n")
        config = self.config(manifest, type="manifest", on_error="skip", batch=", last: short")
        done = subprocess.run([cli_testing.PROGRAM, "run", config, "--json"], capture_output=True,
                              text=True, timeout=60)
        self.assertIn("nowhere/", done.stderr)

    def test_damaged_lines_are_named_by_number(self):
        data = self.synth()
        manifest = data / "manifest.csv"
        good = manifest.read_text().splitlines()
        for damage in ("images/a.jpg", "a,b,c,d", "a,b,1,1 2 3", 'a,"b,1,1 2 3 4'):
            lines = list(good)
            lines[7] = damage
            manifest.write_text("\n".join(lines) + "\n")
            config = self.config(manifest, type="manifest", fields="  label: {dtype: int64}\n"
                                                                   "  boxes: {max: 3}\n")
            done = subprocess.run([cli_testing.PROGRAM, "run", config], capture_output=True,
                                  text=True, timeout=60)
            self.assertIn(done.returncode, (1, 2), damage)
            self.assertIn("manifest.csv:8", done.stderr, damage)


if __name__ == "__main__":
    main()
