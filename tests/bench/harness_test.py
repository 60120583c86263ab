# SPDX-License-Identifier: Apache-2.0
"""The benchmark's own arithmetic: ratios, medians, sums of memory, the table, the clock. No peer,
no program and no time is needed."""
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent.parent / "bench"
sys.path[:0] = [str(BENCH), str(BENCH / "peers")]
sys.dont_write_bytecode = True

import common  # noqa: E402
import run as bench_run  # noqa: E402
from harness import candidates, figures, jpeg_size, launch, memory, plot, table  # noqa: E402

SMAPS = """\
7f00-7f10 rw-s 00000000 00:01 1029 /memfd:millrace-data (deleted)
Size:                 64 kB
Rss:                  48 kB
Pss:                  24 kB
Pss_Dirty:            24 kB
7f20-7f30 r--s 00000000 00:01 1030 /memfd:millrace-boot (deleted)
Pss:                   3 kB
55d0-55d8 rw-p 00000000 00:00 0                          [heap]
Rss:                 100 kB
Pss:                 100 kB
SwapPss:               0 kB
7f40-7f50 rw-s 00000000 00:01 1031 /memfd:millrace-control (deleted)
Pss:                   1 kB
"""


def record(name, ratios, **more):
    made = {"name": name, "title": name.title(), "note": "a note", "millrace": name == "millrace",
            "against": "", "workers": 2, "doubts": [],
            "runs": [{"ratio": ratio, "images_per_s": 1000 * ratio, "first_batch_s": 0.5,
                      "cpu_s_per_1000": 1 / ratio} for ratio in ratios], **more}
    figures.summarise(made)
    return made


def results(*records):
    measured = [{"kind": "full", "workers": 2, "images_per_s": rate, "cpu_s_per_1000": 2000 / rate}
                for rate in (1000, 1100, 900)]
    return {"job": {"name": "jpeg_f32", "title": "a job"}, "candidates": list(records),
            "machine": {"cpu": "a CPU", "system": "Linux", "kernel": "6", "cores_used": [0, 1],
                        "commit": "abc", "time": "2026-11-28 08:40:00 +0000"},
            "options": {"batch": 64, "workers": 2, "rounds": 3, "seconds": 4, "files": 400},
            "references": figures.summarise_references(measured), "warnings": []}


class Figures(unittest.TestCase):
    def test_ratio_is_rate_over_the_mean_of_both_limits(self):
        run = figures.with_ratios({"images_per_s": 600}, {"full": 900}, {"full": 1100})
        self.assertAlmostEqual(run["ratio"], 0.6)
        self.assertEqual((run["limit_before"], run["limit_after"]), (900, 1100))
        self.assertNotIn("reference_time", run)

    def test_time_against_another_reference_is_its_rate_over_ours(self):
        before, after = {"full": 900, "crop": 1500}, {"full": 1100, "crop": 1700}
        run = figures.with_ratios({"images_per_s": 1280}, before, after, "crop")
        self.assertAlmostEqual(run["reference_time"], 1.25)
        self.assertAlmostEqual(run["ratio"], 1.28)

    def test_median_with_smallest_and_largest(self):
        made = record("millrace", [1.2, 0.8, 1.5, 1.0])
        self.assertEqual(made["figures"]["ratio"], {"median": 1.1, "min": 0.8, "max": 1.5, "n": 4})

    def test_failed_runs_do_not_count(self):
        made = record("dali", [0.5, 0.7])
        made["runs"].append({"failed": "it died"})
        figures.summarise(made)
        self.assertEqual(made["figures"]["ratio"]["n"], 2)
        made["runs"] = made["runs"][2:]
        figures.summarise(made)
        self.assertEqual(made["figures"], {})

    def test_references_are_kept_apart_by_kind_and_workers(self):
        measured = [{"kind": kind, "workers": workers, "images_per_s": rate, "cpu_s_per_1000": 1}
                    for kind, workers, rate in (("full", 1, 10), ("full", 2, 20), ("full", 2, 22),
                                                ("crop", 2, 30))]
        found = {(e["kind"], e["workers"]): e["images_per_s"]["median"]
                 for e in figures.summarise_references(measured)}
        self.assertEqual(found, {("full", 1): 10, ("full", 2): 21, ("crop", 2): 30})

    def test_scaling_is_relative_to_one_worker(self):
        rows = [record("a", [1.6], workers=1), record("b", [1.52], workers=2),
                record("c", [], workers=3)]
        found = figures.scaling(rows)
        self.assertEqual(list(found), [1, 2])
        self.assertAlmostEqual(found[2], 0.95)
        self.assertEqual(figures.scaling(rows[1:]), {})

    def test_values_far_from_the_others_are_doubted(self):
        usual = {"mean": [0, 0, 0], "std": [1, 1, 1], "dtype": "float32", "labels_known": True}
        odd = {**usual, "mean": [0, 0.2, 0]}
        wrong = {**usual, "dtype": "float64", "labels_known": False}
        found = figures.doubts({"a": usual, "b": usual, "c": odd, "d": wrong}, "float32", 0.12)
        self.assertEqual(sorted(found), ["c", "d"])
        self.assertEqual(len(found["d"]), 2)
        self.assertEqual(figures.doubts({"a": usual, "b": odd}, "float32", 0.4), {})


    def test_parts_are_read_below_the_kind_of_their_row(self):
        text = ("L  4018.7 us/image, 400 images\nf32 NCHW (0 of 400 at a reduced size)\n"
                "  resample, flip, store       166.4 us/image  0.0414 of L\n"
                "  outside                     213.9 us/image  0.0532 of L\n"
                "u8 NHWC (0 of 400 at a reduced size)\n"
                "  outside                     114.1 us/image  0.0284 of L\n")
        found = figures.parts(text)
        self.assertEqual(found["f32 NCHW"]["resample, flip, store"],
                         {"us": 166.4, "of_limit": 0.0414})
        self.assertEqual(list(found), ["f32 NCHW", "u8 NHWC"])
        self.assertIn("f32 NCHW (bench_rows; L's time = 1): resample, flip, store 0.041; outside "
                      "0.053.", table.markdown({**results(record("millrace", [1])),
                                                "parts": found}))

    def test_cost_outside_decoding_is_a_share_of_the_time_of_l(self):
        stages = [{"what": what, "us_per_row": us} for what, us in
                  (("read", 50), ("header", 10), ("decode", 700), ("flip", 130), ("wait", 999))]
        found = figures.outside(stages, 900, 1100)
        self.assertAlmostEqual(found["of_limit"], 0.18)
        self.assertAlmostEqual(found["decoding_of_limit"], 0.71)
        made = {**results(record("millrace", [1])), "outside_decoding": [found, found]}
        self.assertIn("**0.180** (0.180-0.180); decoding 0.710", table.markdown(made))


class Memory(unittest.TestCase):
    def test_arena_is_told_from_the_rest(self):
        self.assertEqual(memory.split(SMAPS), (25 * 1024, 103 * 1024))

    def test_rollup_counts_pss_alone(self):
        self.assertEqual(memory.rollup("Rss: 9 kB\nPss: 5 kB\nPss_Anon: 3 kB\nSwapPss: 2 kB\n"),
                         5 * 1024)

    def test_peak_is_of_the_sum_and_not_the_sum_of_peaks(self):
        watch = memory.Watch()
        seen = iter((10, 50, 40, 15))
        watch.look_at = lambda pid: next(seen)
        watch.look([1, 2])
        watch.look([1, 2])
        self.assertEqual(watch.result(), {"peak_pss_bytes": 60})

    def test_this_process_takes_memory(self):
        watch = memory.Watch(detailed=True)
        watch.look([os.getpid()])
        self.assertGreater(watch.result()["peak_pss_bytes"], 1 << 20)
        self.assertEqual(len(watch.result()["pss_by_process"]), 1)

    def test_producers_outside_the_arena(self):
        mib = 1 << 20
        seen = {"mr-producer-0": {"arena": 40 * mib, "other": 9 * mib},
                "mr-producer-1": {"arena": 40 * mib, "other": 11 * mib},
                "mr-warden": {"arena": mib, "other": mib}}
        found = figures.memory({"peak_pss_bytes": 140 * mib, "pss_by_process": seen}, 100 * mib)
        self.assertEqual(found["per_producer"], 11 * mib)
        self.assertEqual((found["tree"], found["arena"]), (140 * mib, 100 * mib))
        self.assertEqual(found["outside_arena"]["mr-warden"], mib)


class Table(unittest.TestCase):
    def test_columns_and_order(self):
        text = table.markdown(results(record("slow", [0.3, 0.31, 0.32], peak_pss_bytes=100 << 20),
                                      record("millrace", [1.6, 1.5, 1.7]),
                                      record("gone", [], reason="not installed")))
        lines = text.splitlines()
        head = lines.index("| loader | images/s | x L | CPU s per 1,000 | first batch | memory |")
        self.assertEqual(lines[head + 1], "|---|---:|---:|---:|---:|---:|")
        self.assertEqual(lines[head + 2],
                         "| L | 1000 (900-1100) | 1 | 2.00 (1.82-2.22) | - | - |")
        self.assertTrue(lines[head + 3].startswith("| Millrace | 1600 (1500-1700) | **1.60** "
                                                   "(1.50-1.70) | 0.62 (0.59-0.67) | 0.50 s | - |"))
        self.assertIn("| Slow | 310 (300-320) | **0.31** (0.30-0.32) |", lines[head + 4])
        self.assertIn("| 100 MiB |", lines[head + 4])
        self.assertIn("- Gone did not run: not installed", lines)
        self.assertNotIn("| Gone", text)

    def test_another_reference_has_a_row_and_a_column(self):
        made = results(record("millrace", [1.6], against="crop"))
        made["candidates"][0]["figures"]["reference_time"] = figures.spread([1.1, 1.12, 1.2])
        made["references"].append({"kind": "crop", "workers": 2,
                                   "images_per_s": figures.spread([1500, 1600, 1700]),
                                   "cpu_s_per_1000": figures.spread([1.25])})
        text = table.markdown(made)
        self.assertIn("| crop decode alone, libjpeg-turbo | 1600 (1500-1700) | 1.60 |", text)
        self.assertIn("**1.12** (1.10-1.20) |\n", text)
        widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
        self.assertEqual(widths, {8})

    def test_plot_is_xml_with_a_bar_each(self):
        for largest in (0.4, 1.7, 23):
            made = results(record("millrace", [largest]), record("dali", [0.3]),
                           record("gone", [], reason="x"))
            tree = xml.fromstring(plot.svg(made))
            bars = tree.findall("{http://www.w3.org/2000/svg}rect")
            self.assertEqual(len(bars), 1 + 2)
            self.assertLess(plot.step_of(largest), max(1, largest))


class Running(unittest.TestCase):
    def test_the_clock_starts_and_stops_at_whole_turns_of_the_workers(self):
        clock = [100.0]

        def pairs():  # two workers that finish together every second, with a batch each
            while True:
                clock[0] += 1
                yield None
                yield None

        job = type("Job", (), {"workers": 2, "batch": 10})
        options = type("Options", (), {"images": 0, "seconds": 3})
        real, common.time.monotonic = common.time.monotonic, lambda: clock[0]
        os.environ["BENCH_SPAWNED"] = "99"
        try:
            run = common.measure(pairs(), job, options)
        finally:
            common.time.monotonic = real
            del os.environ["BENCH_SPAWNED"]
        self.assertEqual((run["first_batch_s"], run["images"], run["seconds"]), (2, 60, 3))
        self.assertEqual(run["images_per_s"], 20)

    def test_a_program_that_fails_says_why(self):
        with self.assertRaisesRegex(launch.Failed, "exit code 3: the reason"):
            launch.run([sys.executable, "-c", "import sys; print('the reason', file=sys.stderr); "
                        "sys.exit(3)"], os.sched_getaffinity(0), 60)
        with self.assertRaisesRegex(launch.Failed, "cannot start nowhere"):
            launch.run(["/no/nowhere"], os.sched_getaffinity(0), 60)

    def test_every_row_has_its_files(self):
        for name, job in candidates.JOBS.items():
            names = [row.name for row in job.candidates]
            self.assertEqual(len(names), len(set(names)), name)
            for row in job.candidates:
                file = BENCH / ("configs/" + row.config if row.config else "peers/" + row.script)
                self.assertTrue(file.is_file(), file)
                self.assertIn(row.against or "full", job.references)

    def test_setup_knows_every_environment(self):
        script = (BENCH / "setup.sh").read_text()
        for row in candidates.PEERS:
            self.assertIn(f"\n    {row.venv}) echo ", script)
        done = subprocess.run(["sh", BENCH / "setup.sh", "nobody"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no peer is called 'nobody'", done.stderr)

    def test_arguments_follow_the_job(self):
        argv, sys.argv = sys.argv, ["run.py", "--job", "large_512"]
        try:
            options = bench_run.arguments()
        finally:
            sys.argv = argv
        self.assertEqual((options.batch, options.out), (16, "out/bench/large_512"))


class JpegSize(unittest.TestCase):
    SOF = b"\xff\xc2\x00\x0b\x08\x04\x00\x06\x00\x01\x01\x11\x00"

    def test_size_behind_other_markers(self):
        data = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff" + self.SOF[1:]
        self.assertEqual(jpeg_size.size(data), (0x600, 0x400, "progressive"))

    def test_what_is_none(self):
        for data in (b"", b"\x89PNG" * 9, b"\xff\xd8\xff\xe0\xff\xff" + b"a" * 20):
            self.assertIsNone(jpeg_size.size(data))

    def test_only_sizes_in_range_and_each_once(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a.jpg", "b.jpg"):
                Path(folder, name).write_bytes(b"\xff\xd8" + self.SOF)
            self.assertEqual(len(jpeg_size.chosen(folder, 1e6, 2e6)), 1)
            self.assertEqual(len(jpeg_size.chosen(folder, 2e6, 3e6)), 0)


if __name__ == "__main__":
    unittest.main()
