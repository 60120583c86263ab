# SPDX-License-Identifier: Apache-2.0
"""slow_disk_test.py PROGRAM LIBRARY: millrace run names a slow disk, with figures, else not."""
import json
import os
import re
import sys

from cli_testing import CliTest, main

LIBRARY = os.path.abspath(sys.argv.pop(2))
DELAY_MS = 15


class SlowDisk(CliTest):
    def slow(self, *args):
        """The result of a run whose files each take DELAY_MS."""
        out, _ = self.millrace("run", self.config(self.synth() / "images"), "--json", "--set",
                               "sandbox=require", *args,
                               env={"LD_PRELOAD": LIBRARY, "SLOW_DISK_MS": str(DELAY_MS)})
        return json.loads(out)

    def test_the_verdict_names_it(self):
        got = self.slow("--set", "read_ahead=off")
        self.assertEqual((got["reads"], got["reads_waited"], got["respawns"]), (40, 40, 0))
        self.assertGreaterEqual(got["read_wait_s"], 40 * DELAY_MS / 1000)
        said = re.fullmatch(
            r"the disk or network is the limit: 2 producers spent (\d+) % of their time waiting "
            r"for it, ([\d.]+) ms for each of (\d+) files \(of 40\), and got [\d.]+ MB/s; nothing "
            r"is read ahead \('read_ahead' is off, or the source is on a server\): try 4 producers "
            r"\(waiting needs no core\), a faster disk or network, or fewer, larger files",
            got["verdict"])
        self.assertTrue(said, got["verdict"])
        self.assertGreaterEqual(int(said[1]), 25)
        self.assertGreaterEqual(float(said[2]), DELAY_MS)
        self.assertEqual(said[3], "40")
        self.assertEqual(got["read_aheads"], 0)

    def test_it_says_how_far_ahead_is_read(self):
        got = self.slow()
        self.assertIn("it was asked up to 32 rows ahead: if it can do more at a time, try "
                      "'read_ahead: 128' or 4 producers, else a faster disk", got["verdict"])
        self.assertGreater(got["read_aheads"], 0)

    def test_a_disk_that_nobody_waits_for_is_not_named(self):
        config = self.config(self.synth() / "images")
        got = self.run_json(config, "--epochs", 3)
        self.assertNotIn("the disk", got["verdict"])
        self.assertEqual(got["reads"], 120)

    def test_explain_tells_it(self):
        config = self.config(self.synth() / "images")
        auto = "up to 32 rows ahead, while files are found not to be in memory\n"
        for text, says in (("auto", auto), ("9", "up to 9 rows ahead\n"),
                           ("off", "nothing ahead\n")):
            out, _ = self.millrace("explain", config, "--set", "read_ahead=" + text)
            self.assertIn("reading:   " + says, out)


if __name__ == "__main__":
    main()
