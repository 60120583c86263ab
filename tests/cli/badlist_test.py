# SPDX-License-Identifier: Apache-2.0
"""Bad lists from outside: run --bad-list and --bad-list-in, verify."""
import csv
import json
import os
import pathlib
import signal
import subprocess
import time

import cli_testing
from cli_testing import CliTest, main

HEADER = ["sample", "path", "stage", "reason", "cause", "epoch", "position", "attempt", "forced"]


def read_list(path):
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = list(csv.reader(file))
    assert rows[0] == HEADER, rows[0]
    return [dict(zip(HEADER, row)) for row in rows[1:]]


class Damaged(CliTest):
    """40 good pictures and bad files with names that a careless program trips over."""

    names = ["a, b.jpg", "it's \"x\".jpg", "new\nline.jpg", "=1+1.jpg", "k\udcff\udc80.jpg",
             "# c: [d].jpg"]

    def setUp(self):
        super().setUp()
        self.images = self.synth() / "images"
        self.good = (self.images / "red_circle/000004.jpg").read_bytes()
        for i, name in enumerate(self.names):
            (self.images / "red_circle" / name).write_bytes(self.good[:len(self.good) // (2 + i)])

    def paths(self):
        return {str(self.images / "red_circle" / name) for name in self.names}


class Verify(Damaged):
    def check(self, src, *args):
        result = json.loads(self.millrace("verify", src, "--json", *args, rc=1)[0])
        self.assertEqual(result["samples"], 46)
        self.assertEqual(result["verified"], 46)
        self.assertEqual(result["bad"], len(self.names))
        self.assertEqual(len(result["bad_samples"]), len(self.names))
        self.assertIsNone(result["error"])
        for bad in result["bad_samples"]:
            self.assertEqual((bad["stage"], bad["cause"], bad["forced"]), ("decode", "data", False))
            self.assertTrue(bad["reason"])
        return result

    def test_a_folder_with_damaged_files(self):
        result = self.check(self.images, "--bad-list", "bad.csv")
        self.assertEqual(result["bad_list"], "bad.csv")
        rows = read_list(self.work / "bad.csv")
        self.assertEqual({row["path"] for row in rows}, self.paths())
        for row in rows:
            self.assertEqual((row["epoch"], row["position"], row["attempt"]), ("", "", ""))
        out, err = self.millrace("verify", self.images, rc=1)
        self.assertEqual(len(out.splitlines()), len(self.names))
        self.assertIn("new\\x0aline.jpg: decode: ", out)
        self.assertIn("46 of 46 samples decoded, 6 bad", err)
        self.assertEqual(self.millrace("verify", self.images, "--quiet", rc=1)[1], "")

    def test_good_data_sets(self):
        for name in self.names:
            (self.images / "red_circle" / name).unlink()
        for src in (self.images, self.work / "data/manifest.csv", self.config(self.images)):
            out, err = self.millrace("verify", src, "--bad-list", "bad.csv")
            self.assertEqual(out, "")
            self.assertIn("40 of 40 samples decoded, 0 bad", err)
            self.assertEqual(read_list(self.work / "bad.csv"), [])

    def test_a_config_is_taken_for_its_source_and_limits(self):
        config = self.config(self.images, on_error="fail")
        with open(config, "a", encoding="utf-8") as file:
            file.write(f"bad_list: {self.work}/train.csv\nmax_bad: 0\n")
        self.check(config)
        self.assertFalse((self.work / "train.csv").exists(), "the run's own list is left alone")
        result = json.loads(self.millrace("verify", config, "--json", "--set",
                                          "limits.max_pixels=100", rc=1)[0])
        self.assertEqual(result["bad"], 46)
        self.assertIn("limits.max_pixels", result["bad_samples"][0]["reason"])

    def test_masks_are_decoded_too(self):
        (self.work / "m.csv").write_text(
            f"image,mask,label:i64\n{self.images}/red_circle/000004.jpg,x.png,1\n")
        (self.work / "x.png").write_bytes(b"no mask")
        result = json.loads(self.millrace("verify", self.work / "m.csv", "--json", rc=1)[0])
        self.assertEqual((result["samples"], result["bad"]), (1, 1))

    def test_what_cannot_be_verified(self):
        self.refused("verify", self.work / "gone", says="gone")
        self.refused("verify", says="needs SRC")
        self.refused("verify", self.images, "--bad-list", "no/where.csv", says="no/where.csv")
        (self.work / "void").mkdir()
        self.millrace("verify", self.work / "void", rc=1)

    def test_interrupted(self):
        manifest = self.work / "m.csv"
        line = f"{self.images}/red_circle/000004.jpg,1\n"
        manifest.write_text("image,label:i64\n" + line * 300000)
        child = subprocess.Popen([cli_testing.PROGRAM, "verify", str(manifest), "--bad-list",
                                  "bad.csv"], cwd=self.work, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.kill)
        deadline = time.time() + 60
        while "mr-producer-0" not in names_of_children(child.pid) and time.time() < deadline:
            time.sleep(0.01)
        time.sleep(0.5)  # it catches the signal now
        child.send_signal(signal.SIGINT)
        err = child.communicate(timeout=60)[1]
        self.assertEqual(child.returncode, 130, err)
        self.assertIn("interrupted: ", err)
        self.assertEqual(read_list(self.work / "bad.csv"), [])


def names_of_children(pid):
    """Of its processes and theirs: a spawned warden's producers."""
    names, todo = set(), [pid]
    processes = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = entry.read_text(errors="replace").rpartition(") ")
        except OSError:
            continue
        number, _, name = head.partition(" (")
        processes.append((int(number), int(tail.split()[1]), name))
    while todo:
        parent = todo.pop()
        for number, of, name in processes:
            if of == parent:
                names.add(name)
                todo.append(number)
    return names


class Run(Damaged):
    def hashed(self, *args, rc=0):
        config = self.config(self.images, batch=", last: short")
        return self.run_json(config, "--hash", "--epochs", 2, *args, rc=rc)

    def test_the_list_of_a_run_replays_it(self):
        first = self.hashed("--bad-list", "bad.csv")
        rows = read_list(self.work / "bad.csv")
        self.assertEqual({row["path"] for row in rows}, self.paths())
        self.assertGreaterEqual(len(rows), len(self.names))
        self.assertTrue(all(row["position"].isdigit() for row in rows))
        for producers in (1, 4):
            replay = self.hashed("--bad-list-in", "bad.csv", "--set", "max_bad=0",
                                 "--producers", producers)
            self.assertEqual(replay["hash"], first["hash"])

    def test_the_list_of_verify_keeps_a_run_clean(self):
        self.millrace("verify", self.images, "--bad-list", "bad.csv", rc=1)
        result = self.hashed("--bad-list-in", "bad.csv", "--set", "max_bad=0",
                             "--set", "on_error=skip")
        self.assertEqual(result["rows"], 80)

    def test_names_of_lists_may_hold_anything(self):
        for name in ("a: b.csv", "it's.csv", "# [x]{y}, z.csv", "%d&*!|>.csv"):
            self.hashed("--bad-list", name)
            self.assertGreaterEqual(len(read_list(self.work / name)), len(self.names))
            self.hashed("--bad-list-in", name, "--set", "max_bad=0")

    def test_the_budget(self):
        _, err = self.millrace("run", self.config(self.images), "--set", "max_bad=2",
                               "--bad-list", "bad.csv", rc=1)
        self.assertIn("more than the 2 of 'max_bad: 2'", err)
        self.assertGreater(len(read_list(self.work / "bad.csv")), 2)

    def test_a_list_that_cannot_be_written(self):
        _, err = self.millrace("run", self.config(self.images), "--bad-list", "no/where.csv", rc=1)
        self.assertIn("no/where.csv", err)
        _, err = self.millrace("run", self.config(self.images), "--bad-list", "/dev/full", rc=1)
        self.assertIn("No space left", err)

    def test_after_an_interrupt_the_list_is_there(self):
        child = subprocess.Popen([cli_testing.PROGRAM, "run", str(self.config(self.images)),
                                  "--bad-list", "bad.csv", "--epochs", "0", "--json"],
                                 cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        deadline = time.time() + 60
        while not (self.work / "bad.csv").exists() and time.time() < deadline:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130)
        self.assertGreaterEqual(len(read_list(self.work / "bad.csv")), len(self.names))

    def test_killed_runs_leave_a_whole_list_or_none(self):
        bad = self.work / "out/bad.csv"
        bad.parent.mkdir()
        for i in range(8):
            child = subprocess.Popen([cli_testing.PROGRAM, "run", str(self.config(self.images)),
                                      "--bad-list", str(bad), "--epochs", "0", "--quiet"],
                                     cwd=self.work, stderr=subprocess.DEVNULL)
            time.sleep(0.1 + 0.03 * i)
            child.kill()
            child.wait()
            self.assertIn(os.listdir(bad.parent), ([], ["bad.csv"]))
            if bad.exists():
                read_list(bad)


if __name__ == "__main__":
    main()
