# SPDX-License-Identifier: Apache-2.0
"""millrace run: its JSON, its hash, states, ranks, the contact sheet and Ctrl-C."""
import json
import os
import pathlib
import signal
import subprocess
import time

import cli_testing
from cli_testing import CliTest, main

KEYS = ["images_per_s", "batches", "rows", "first_batch_s", "seconds", "bad_samples", "respawns",
        "verdict", "hash"]


class Json(CliTest):
    def test_keys_and_figures(self):
        result = self.run_json(self.config(self.synth() / "images"))
        self.assertEqual(list(result)[:9], KEYS)
        self.assertEqual((result["batches"], result["rows"]), (5, 40))
        self.assertEqual((result["bad_samples"], result["respawns"]), (0, 0))
        self.assertIsNone(result["hash"])
        self.assertIsNone(result["error"])
        self.assertGreater(result["images_per_s"], 0)
        self.assertLessEqual(result["first_batch_s"], result["seconds"])

    def test_rate_counts_the_rows_after_the_first_batch(self):
        result = self.run_json(self.config(self.synth() / "images"))
        since_first = result["seconds"] - result["first_batch_s"]
        self.assertAlmostEqual(result["images_per_s"] * since_first, 32, delta=0.5)

    def test_batches_and_epochs(self):
        config = self.config(self.synth() / "images")
        self.assertEqual(self.run_json(config, "--batches", 3)["batches"], 3)
        self.assertEqual(self.run_json(config, "--epochs", 3)["batches"], 15)
        self.assertEqual(self.run_json(config, "--epochs", 0, "--batches", 12)["batches"], 12)

    def test_text_goes_to_stderr_and_the_hash_to_stdout(self):
        out, err = self.millrace("run", self.config(self.synth() / "images"), "--hash")
        self.assertRegex(out, r"^[0-9a-f]{16}\n$")
        self.assertIn("images/s", err)
        self.assertIn("verdict: ", err)


class Hash(CliTest):
    def test_it_is_the_same_for_any_number_of_producers(self):
        config = self.config(self.synth() / "images")
        hashes = {self.run_json(config, "--hash", "--epochs", 2, "--producers", n)["hash"]
                  for n in (1, 2, 7)}
        self.assertEqual(len(hashes), 1, hashes)

    def test_it_follows_seed_and_config(self):
        config = self.config(self.synth() / "images")
        hashes = [self.run_json(config, "--hash", *args)["hash"]
                  for args in ([], ["--seed", 8], ["--set", "ops.1.random_horizontal_flip.p=0"],
                               ["--set", "batch.size=4"])]
        self.assertEqual(len(set(hashes)), 4, hashes)

    def test_plain_flags_win_over_set(self):
        config = self.config(self.synth() / "images")
        both = self.run_json(config, "--hash", "--seed", 8, "--set", "seed=9")["hash"]
        self.assertEqual(both, self.run_json(config, "--hash", "--seed", 8)["hash"])

    def test_a_manifest_gives_the_same_batches_as_its_folder(self):
        data = self.synth()
        manifest = data / "manifest.csv"
        head, *lines = manifest.read_text().splitlines()
        manifest.write_text("\n".join([head, *sorted(lines)]) + "\n")  # the folder's order
        hashes = {self.run_json(config, "--hash")["hash"]
                  for config in (self.config(data / "images", name="folder.yaml"),
                                 self.config(manifest, name="list.yaml", type="manifest"))}
        self.assertEqual(len(hashes), 1, hashes)

    def test_ranks_share_the_epoch(self):
        config = self.config(self.synth() / "images")
        lines = {}
        for rank, world in ((0, 1), (0, 2), (1, 2)):
            self.run_json(config, "--hash-list", "list", "--rank", rank, "--world", world,
                          "--set", "batch.last=drop")
            lines[rank, world] = (self.work / "list").read_text().splitlines()
        self.assertEqual(len(lines[0, 1]), 5)
        whole = sorted(lines[0, 1][:len(lines[0, 2]) + len(lines[1, 2])])
        self.assertEqual(sorted(lines[0, 2] + lines[1, 2]), whole)


class State(CliTest):
    def test_a_resumed_run_goes_on_where_the_first_one_stopped(self):
        config = self.config(self.synth() / "images")
        self.run_json(config, "--epochs", 2, "--hash-list", "whole")
        self.run_json(config, "--epochs", 2, "--batches", 3, "--state", "state", "--hash-list",
                      "first")
        self.run_json(config, "--epochs", 2, "--resume", "state", "--producers", 5, "--hash-list",
                      "second")
        whole, first, second = ((self.work / name).read_text()
                                for name in ("whole", "first", "second"))
        self.assertEqual(whole, first + second)

    def test_a_state_of_another_config_is_refused(self):
        config = self.config(self.synth() / "images")
        self.run_json(config, "--batches", 3, "--state", "state")
        _, err = self.millrace("run", config, "--seed", 9, "--resume", "state", rc=2)
        self.assertIn("state", err)

    def test_what_is_no_state_is_refused(self):
        config = self.config(self.synth() / "images")
        for name, content in (("empty", b""), ("noise", b"\xff" * 300), ("json", b"{}"),
                              ("long", b"x" * (2 << 20))):
            (self.work / name).write_bytes(content)
            _, err = self.millrace("run", config, "--resume", name, rc=2)
            self.assertIn("state", err)
        self.refused("run", config, "--resume", "nope", says="cannot read the state 'nope'")


class Ending(CliTest):
    def start(self, *args):
        return subprocess.Popen([cli_testing.PROGRAM, "run", *map(str, args)], cwd=self.work,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def children(self, pid):
        """Processes below pid, by /proc."""
        parents = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
                parents[int(stat.parent.name)] = int(fields[1])
            except OSError:
                pass
        found = {pid}
        for _ in range(4):
            found |= {p for p, parent in parents.items() if parent in found}
        return found - {pid}

    def assert_gone(self, pids):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if not [p for p in pids if os.path.exists(f"/proc/{p}")]:
                return
            time.sleep(0.02)
        self.fail(f"still there: {[p for p in pids if os.path.exists(f'/proc/{p}')]}")

    def wait_for_children(self, run, n):
        deadline = time.monotonic() + 30
        while len(self.children(run.pid)) < n and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.children(run.pid)

    def test_ctrl_c_ends_with_a_summary(self):
        config = self.config(self.synth() / "images")
        run = self.start(config, "--epochs", 0, "--json", "--state", "state")
        children = self.wait_for_children(run, 4)
        time.sleep(1)
        run.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = run.communicate(timeout=30)
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(run.returncode, 130, err)
        result = json.loads(out)
        self.assertTrue(result["interrupted"])
        self.assertGreater(result["batches"], 0)
        self.assertTrue((self.work / "state").exists())
        self.assert_gone(children)

    def test_a_killed_run_leaves_no_process(self):
        run = self.start(self.config(self.synth() / "images"), "--epochs", 0)
        children = self.wait_for_children(run, 4)
        self.assertGreaterEqual(len(children), 4)
        run.kill()
        run.communicate(timeout=30)
        self.assert_gone(children)


class ContactSheet(CliTest):
    def sheet(self, config, *args):
        from PIL import Image
        self.run_json(config, "--contact-sheet", "sheet.png", *args)
        image = Image.open(self.work / "sheet.png")
        image.load()
        return image

    def test_every_dtype_and_layout_shows_the_same(self):
        import numpy
        config = self.config(self.synth() / "images")
        first = numpy.array(self.sheet(config), int)
        for dtype in ("uint8", "uint16", "float16", "bfloat16", "float32"):
            for layout in ("NCHW", "NHWC"):
                field = f"fields.image={{dtype: {dtype}, layout: {layout}}}"
                if dtype == "uint16":
                    field = f"fields.image={{dtype: uint16, bits: 16, layout: {layout}}}"
                shown = numpy.array(self.sheet(config, "--set", field), int)
                self.assertEqual(shown.shape, first.shape)
                self.assertLess(abs(shown - first).mean(), 2.5, (dtype, layout))

    def test_channels(self):
        config = self.config(self.synth() / "images")
        for channels in (1, 3, 4):
            self.sheet(config, "--set", f"fields.image.channels={channels}")

    def test_masks_and_boxes_are_drawn(self):
        import numpy
        data = self.synth()
        plain = self.config(data / "manifest.csv", type="manifest", name="plain.yaml")
        rich = self.config(data / "manifest.csv", type="manifest", name="rich.yaml",
                           fields="  label: {dtype: int64}\n  mask: {dtype: uint8}\n"
                                  "  boxes: {max: 3}\n")
        bare, drawn = (numpy.array(self.sheet(c), int) for c in (plain, rich))
        self.assertGreater((bare != drawn).any(axis=2).mean(), 0.02)

    def test_a_path_that_cannot_be_written_is_an_error(self):
        _, err = self.millrace("run", self.config(self.synth() / "images"), "--contact-sheet",
                               "no/such/sheet.png", rc=1)
        self.assertIn("cannot write the contact sheet 'no/such/sheet.png'", err)


if __name__ == "__main__":
    main()
