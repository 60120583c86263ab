# SPDX-License-Identifier: Apache-2.0
"""The benchmark's own arithmetic: ratios, medians, sums of memory, the table, the clock. No peer,
no program and no time is needed."""
import os
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent.parent / "bench"
sys.path[:0] = [str(BENCH), str(BENCH / "peers")]
sys.dont_write_bytecode = True

import common  # noqa: E402
import run as bench_run  # noqa: E402
from harness import (candidates, figures, goals, jobs, jpeg_size, launch, machine,  # noqa: E402
                     memory, packed_sets, plot, rows_file, table)

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
                      "cpu_s_per_1000": 1 / ratio, "round": number}
                     for number, ratio in enumerate(ratios)], **more}
    figures.summarise(made)
    return made


def results(*records):
    measured = [{"kind": "full", "workers": 2, "images_per_s": rate, "cpu_s_per_1000": 2000 / rate}
                for rate in (1000, 1100, 900)]
    return {"job": {"name": "jpeg_f32", "title": "a job", "limit": "full"},
            "candidates": list(records),
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
        rows = [record("millrace", [1], stages_us=figures.stages(stages))]
        self.assertIn("for a row (explain --analyze): read 50; header 10; decode 700; flip 130.",
                      table.markdown(results(*rows)))


class Goals(unittest.TestCase):
    GOAL = candidates.Goal("millrace", 2, over="dali")

    def test_another_row_is_compared_round_by_round(self):
        made = [record("millrace", [1.0, 1.2, 1.8]), record("dali", [0.5, 0.4, 0.6])]
        found, = goals.held([self.GOAL], made)
        self.assertEqual([round(found["reached"][key], 6) for key in ("min", "median", "max")],
                         [2, 3, 3])
        self.assertTrue(found["met"])
        made[1]["runs"][1] = {"failed": "it died", "round": 1}
        found, = goals.held([self.GOAL], made)
        self.assertEqual(found["reached"]["n"], 2)

    def test_the_median_decides_and_sizes_are_at_most(self):
        made = [record("millrace", [1.9, 2.1, 1.95], stored_bytes=126, files_bytes=100)]
        asked = [candidates.Goal("millrace", 2), candidates.Goal("millrace", 1.9),
                 candidates.Goal("millrace", 1.25, what="size"),
                 candidates.Goal("millrace", 1.26, what="size")]
        self.assertEqual([goal["met"] for goal in goals.held(asked, made)],
                         [False, True, False, True])

    def test_rows_that_did_not_run_have_none(self):
        made = [record("millrace", []), record("dali", [1])]
        asked = [candidates.Goal("millrace", 2), candidates.Goal("millrace", 2, what="size"),
                 candidates.Goal("millrace", 1, what="reference_time"), self.GOAL,
                 candidates.Goal("dali", 1, over="nobody")]
        self.assertEqual(goals.held(asked, made), [])

    def test_lines(self):
        made = results(record("millrace", [1.0]), record("dali", [0.4]))
        asked = [self.GOAL, candidates.Goal("millrace", 1.1)]
        made["goals"] = goals.held(asked, made["candidates"])
        text = table.markdown(made)
        self.assertIn("- Millrace: asked at least 2 x Dali; reached: **2.50** (2.50-2.50)", text)
        self.assertIn("- Millrace: asked at least 1.1 x L; NOT reached: **1.00** ", text)

    def test_every_goal_is_of_rows_of_its_job(self):
        for name, job in jobs.JOBS.items():
            rows = {row.name for row in job.candidates}
            for goal in job.goals:
                self.assertLessEqual({goal.row, goal.over or goal.row}, rows, name)
                self.assertIn(goal.what, ("ratio", "size", "reference_time"))


class Packed(unittest.TestCase):
    def test_rows_file_is_what_numpy_writes(self):
        head = rows_file.head(2048)
        self.assertEqual(len(head) % 64, 0)
        self.assertEqual(head[:8] + head[-1:], b"\x93NUMPY\x01\x00\n")
        self.assertEqual(int.from_bytes(head[8:10], "little"), len(head) - 10)
        self.assertEqual(eval(head[10:]), {"descr": "<f4", "fortran_order": False,
                                           "shape": (2048, 512, 512)})

    def test_rows_differ_and_are_numbers(self):
        with tempfile.TemporaryDirectory() as folder:
            path = rows_file.make(Path(folder, "new", "rows.npy"), 3)
            made = path.stat().st_mtime_ns
            data = path.read_bytes()
            rows_file.make(path, 3)
            self.assertEqual(path.stat().st_mtime_ns, made)
            rows_file.make(path, 2)
            self.assertLess(path.stat().st_size, len(data))
        at = len(data) - 3 * rows_file.ROW
        rows = {data[at + i * rows_file.ROW:][:rows_file.ROW] for i in range(3)}
        self.assertEqual(len(rows), 3)
        for number in struct.unpack("<9f", data[-36:]):
            self.assertTrue(1 <= number < 2)

    def test_sizes_are_of_files_and_links_are_followed(self):
        with tempfile.TemporaryDirectory() as folder:
            below = Path(folder, "data", "0")
            below.mkdir(parents=True)
            (below / "a.JPG").write_bytes(b"12345")
            (below / "b.txt").write_bytes(b"12")
            Path(folder, "link").symlink_to(below)
            self.assertEqual(packed_sets.size(folder + "/data"), 7)
            self.assertEqual(packed_sets.files_bytes(folder), 10)
            self.assertEqual(packed_sets.files_bytes(below / "b.txt"), 2)

    def test_every_packed_row_has_its_set(self):
        for job in jobs.JOBS.values():
            for row in job.candidates:
                self.assertTrue(not row.packed or row.packed in packed_sets.SETS)
                self.assertTrue(row.script or row.config or row.packed)
        words = packed_sets.command("millrace", "raw-256", ("photos",), "out", 2)
        self.assertEqual(words, ["millrace", "pack", "photos", "out", "--mode", "raw", "--max-side",
                                 "256", "--threads", 2, "--json"])

    def test_a_size_has_a_column_where_one_was_packed(self):
        peer = record("ffcv", [0.5], stored_bytes=150, files_bytes=100)
        self.assertNotIn("size, the files = 1", table.markdown(results(peer)))
        ours = record("millrace", [2], stored_bytes=124, files_bytes=100)
        text = table.markdown(results(peer, ours, record("plain", [1])))
        self.assertIn("| memory | size, the files = 1 |", text)
        for cell in ("| - | 1.50 |", "| - | 1.24 |", "| - | 1 |"):
            self.assertIn(cell, text)


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

    def test_another_limit_has_another_letter(self):
        made = results(record("millrace", [0.9]))
        made["job"]["limit"] = made["references"][0]["kind"] = "memcpy"
        made["options"]["files"] = 1
        text = table.markdown(made)
        self.assertIn("| x M |", text)
        self.assertIn("| memcpy | 1000 (900-1100) | 1 |", text)
        self.assertIn("the same 1 file in a warm page cache. **M** is the bare limit: as", text)
        self.assertIn("M: memcpy alone", plot.svg(made))

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

    def test_what_others_use_is_told_from_what_we_use(self):
        others = machine.Others()
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            pass
        used, stolen, total = machine.spent()
        self.assertTrue(0 <= stolen <= used <= total)
        own = others.own()
        others.before = (used - 50, stolen, total - 100, own - 10)  # 40 of 100 s are others'
        self.assertAlmostEqual(others.shares()[0], 0.4, delta=0.05)
        self.assertEqual(len(others.warnings("then")), 1)
        others.before = (used - 50, stolen, total - 100, own - 50)
        self.assertEqual(others.warnings("then"), [])
        others.before = (used - 50, stolen - 40, total - 100, own - 10)
        self.assertIn("hypervisor took 40 %", others.warnings("then")[0])

    def test_every_row_has_its_files(self):
        for name, job in jobs.JOBS.items():
            names = [row.name for row in job.candidates]
            self.assertEqual(len(names), len(set(names)), name)
            for row in job.candidates:
                file = BENCH / ("configs/" + row.config if row.config else "peers/" + row.script)
                self.assertTrue(file.is_file() or row.is_packing, file)
                self.assertIn(row.against or job.limit, job.references)

    def test_setup_knows_every_environment(self):
        script = (BENCH / "setup.sh").read_text()
        for row in {row for job in jobs.JOBS.values() for row in job.candidates if row.script}:
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
