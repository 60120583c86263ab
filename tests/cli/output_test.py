# SPDX-License-Identifier: Apache-2.0
"""Files that millrace leaves: whole under their names, or what was there before; and --timeout."""
import os
import pathlib
import resource
import signal
import subprocess
import time
import unittest

import cli_testing
from cli_testing import CliTest, main

OUTPUTS = ("state", "list", "sheet")
FLAGS = ("--state", "state", "--hash-list", "list", "--contact-sheet", "sheet")


class Outputs(CliTest):
    def place(self, small):
        """Paths of the outputs below `small`, as flags."""
        return [str(small / a) if a in OUTPUTS else a for a in FLAGS]

    def nothing_temporary(self, folder):
        self.assertEqual([f for f in os.listdir(folder) if f.startswith(".millrace-")], [])

    def mounted(self, size):
        small = self.work / "small"
        small.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small]
        if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", small])
        return small

    def test_they_replace_what_was_there(self):
        config = self.config(self.synth() / "images")
        for name in OUTPUTS:
            (self.work / name).write_bytes(b"old")
        self.millrace("run", config, *FLAGS)
        for name in OUTPUTS:
            self.assertNotEqual((self.work / name).read_bytes(), b"old")
        self.assertEqual(len((self.work / "list").read_text().splitlines()), 5)
        self.nothing_temporary(self.work)

    def test_a_link_stays_a_link_and_a_device_a_device(self):
        config = self.config(self.synth() / "images")
        (self.work / "real").write_bytes(b"old")
        (self.work / "list").symlink_to("real")
        out, _ = self.millrace("run", config, "--hash-list", "list", "--state", "/dev/null")
        self.assertTrue((self.work / "list").is_symlink())
        self.assertEqual(len((self.work / "real").read_text().splitlines()), 5)
        self.assertFalse(os.path.isfile("/dev/null"))
        out, _ = self.millrace("run", config, "--hash-list", "/dev/stdout")
        self.assertEqual(out, (self.work / "real").read_text())

    def test_a_full_disk_leaves_the_old_files(self):
        config = self.config(self.synth() / "images")
        small = self.mounted("32k")
        for name in OUTPUTS:
            (small / name).write_bytes(b"old")
        (small / "filler").write_bytes(b"x" * 16384)
        with open(small / "rest", "wb", buffering=0) as rest:
            try:
                while rest.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        for name, flag in zip(OUTPUTS, FLAGS[::2]):
            _, err = self.millrace("run", config, flag, small / name, rc=1)
            self.assertIn(f"'{small / name}': No space left on device; free some space", err)
            self.assertEqual((small / name).read_bytes(), b"old")
        self.nothing_temporary(small)

    def test_a_file_over_the_size_limit_is_an_error_and_no_death(self):
        self.synth("data")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
        done = subprocess.run([cli_testing.PROGRAM, "synth", "made", "--quiet"], cwd=self.work,
                              capture_output=True, text=True, preexec_fn=limit, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("RLIMIT_FSIZE", done.stderr)
        left = [f for f in (self.work / "made").rglob("*") if f.is_file()]
        self.assertEqual([f for f in left if f.stat().st_size > 600], [])
        self.assertNotIn("manifest.csv", [f.name for f in left])

    def test_a_failed_run_leaves_the_old_list(self):
        data = self.synth() / "images"
        config = self.config(data, on_error="fail")
        sorted(data.rglob("*.jpg"))[3].write_bytes(b"no image")
        (self.work / "list").write_bytes(b"old")
        self.millrace("run", config, "--hash-list", "list", rc=1)
        self.assertEqual((self.work / "list").read_bytes(), b"old")

    def start(self, *args):
        return subprocess.Popen([cli_testing.PROGRAM, *map(str, args)], cwd=self.work,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_signals_in_the_middle_leave_nothing_temporary(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            run = self.start("synth", f"made{number}", "--images", 5000, "--quiet")
            time.sleep(0.5)
            run.send_signal(number)
            run.communicate(timeout=60)
            self.assertEqual(run.returncode, -number)
            for folder, _, files in os.walk(self.work / f"made{number}"):
                self.nothing_temporary(folder)
                self.assertNotIn("manifest.csv", files)

    def test_an_interrupted_run_has_a_whole_list(self):
        config = self.config(self.synth() / "images")
        for number in (signal.SIGINT, signal.SIGTERM):
            for wait in (1, 5, 25):  # before batches flow, the signal's own action ends it
                run = self.start("run", config, "--epochs", 0, *FLAGS)
                time.sleep(wait)
                run.send_signal(number)
                _, err = run.communicate(timeout=60)
                if run.returncode == 130:
                    break
                self.nothing_temporary(self.work)
            self.assertEqual(run.returncode, 130, err)
            lines = (self.work / "list").read_text().splitlines()
            self.assertTrue(lines and all(len(line.split()[2]) == 16 for line in lines))
            self.nothing_temporary(self.work)


class Timeout(CliTest):
    @staticmethod
    def producers(run):
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                environment = (process / "environ").read_bytes()
                name = (process / "comm").read_text()
            except OSError:
                continue
            if b"MILLRACE_TRAINER=%d\0" % run.pid in environment and "mr-producer" in name:
                found.append(int(process.name))
        return found

    def test_it_tells_what_everybody_does_and_ends_after_three(self):
        data = self.synth() / "images"
        run = subprocess.Popen(
            [cli_testing.PROGRAM, "run", self.config(data), "--epochs", "0", "--timeout", "1",
             "--json"],
            cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while len(self.producers(run)) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        stopped = self.producers(run)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        self.assertEqual(len(stopped), 2)
        out, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 1, err)
        self.assertEqual(err.count("no batch has come for 1 s ("), 3, err)
        self.assertEqual(err.count("producer 0: pid"), 3, err)
        self.assertIn("RESERVED", err)
        self.assertIn("3 times 1 s", err)


if __name__ == "__main__":
    main()
