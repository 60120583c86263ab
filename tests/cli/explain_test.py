# SPDX-License-Identifier: Apache-2.0
"""millrace explain, with --analyze and without."""
import json

import cli_testing


class ExplainTest(cli_testing.CliTest):
    def analyze(self, config, *more):
        out, _ = self.millrace("explain", "--analyze", config, "--json", *more)
        report = json.loads(out)
        self.stages = {s["what"]: s for s in report["stages"]}
        return report

    def photos(self, ops, fields="image: {dtype: uint8, layout: NHWC}, label: {dtype: int64}",
               more=""):
        if not (self.work / "large").exists():
            self.millrace("synth", "large", "--images", 24, "--size", "320x240", "--quiet")
        file = self.work / "large.yaml"
        file.write_text(f"version: 1\nbatch: 4\nepochs: 2\nproducers: 2\n{more}"
                        f"source: {{type: manifest, path: large/manifest.csv}}\n"
                        f"ops:\n{ops}fields: {{{fields}}}\n")
        return file

    def test_the_plan(self):
        config = self.config(self.synth() / "images")
        for arguments in ([config], [config, "--set", "batch.size=4"]):
            out, err = self.millrace("explain", *arguments)
            self.assertIn("random_resized_crop", out)
            self.assertIn("only what the first stage reads", out)
            self.assertIn("exact", out)
            self.assertNotIn("analyze:", out)
        out, _ = self.millrace("explain", config, "--set", "decode=fast")
        self.assertIn("2, 4 or 8 times smaller", out)

    def test_wrong_use(self):
        config = self.config(self.synth() / "images")
        self.refused("explain", config, "--batches", 3, says="'--batches' needs --analyze")
        self.refused("explain", config, "--json", says="'--json' needs --analyze")
        self.refused("explain", "--analyze", says="needs CONFIG")
        self.refused("explain", config, "--analyze", "--batches", 0, says="'--batches 0'")
        self.refused("explain", "--analyze", "nowhere.yaml", says="nowhere.yaml")

    def test_text_has_plan_stages_pixels_and_advice(self):
        config = self.config(self.synth() / "images")
        for arguments in (["--analyze", config], [config, "--analyze", "--batches", 2]):
            out, _ = self.millrace("explain", *arguments)
            for words in ("random_resized_crop {", "analyze: ", "us per row", "  read\n",
                          "  header\n", "  decode\n", "-> uint8 NHWC\n", "wait for a free slot",
                          "codes read", "what would help"):
                self.assertIn(words, out)

    def test_stages_and_pixels_add_up(self):
        config = self.photos("  - random_resized_crop: {size: 64, scale: [0.1, 0.5]}\n"
                             "  - color_jitter: {brightness: 0.4}\n  - random_horizontal_flip\n",
                             "image: {dtype: uint8}, mask: {dtype: uint8}, label: {dtype: int64}")
        self.assertEqual(self.analyze(config, "--batches", 5)["batches"], 5)
        r = self.analyze(config, "--batches", 1000)  # to the end, where producers stand still
        self.assertEqual((r["batches"], r["rows"], r["images"]), (12, 48, 48))
        names = [s["what"] for s in r["stages"]]
        self.assertEqual(names, ["read", "header", "draw", "decode", "random_resized_crop",
                                 "color_jitter", "random_horizontal_flip -> uint8 NCHW", "mask",
                                 "columns", "wait"])
        work = [s for s in r["stages"] if s["what"] != "wait"]
        self.assertAlmostEqual(sum(s["share"] for s in work), 1, places=3)
        self.assertAlmostEqual(sum(s["us_per_row"] for s in work), r["work_us_per_row"], delta=0.1)
        for stage in work:
            self.assertEqual(stage["rows"], r["rows"], stage)
        self.assertEqual(r["row_bytes"], 64 * 64 * 4 + 8)
        self.assertEqual(r["pixels"], 320 * 240 * r["images"])
        self.assertLess(r["pixels_needed"], 0.51 * r["pixels"])
        self.assertGreater(r["pixels_read"], r["pixels_needed"])
        self.assertLess(r["pixels_read"], r["pixels"], "nothing is read below a crop")
        self.assertEqual(r["pixels_wanted"], r["pixels_needed"])
        self.assertGreaterEqual(r["pixels_made"], r["pixels_wanted"])
        self.assertLess(r["pixels_made"], r["pixels_read"], "nothing is made beside it")
        self.assertLess(r["bytes_decoded"], r["file_bytes"])

    def test_sizes_and_what_fast_would_do(self):
        crop = "  - random_resized_crop: {size: 16, scale: [0.3, 1]}\n"
        exact = self.analyze(self.photos(crop))
        by_size = lambda r, key: [s[key] for s in r["sizes"]]
        self.assertEqual(by_size(exact, "images"), [exact["images"], 0, 0, 0])
        self.assertEqual(by_size(exact, "images_with_fast")[0], 0)
        self.assertTrue(any("decode: fast" in a["text"] for a in exact["advice"]), exact)
        fast = self.analyze(self.photos(crop, more="decode: fast\n"))
        self.assertEqual(by_size(fast, "images"), by_size(fast, "images_with_fast"))
        self.assertEqual(by_size(fast, "images")[0], 0)
        self.assertGreater(sum(by_size(fast, "images")[2:]), 0)
        self.assertLess(fast["pixels_wanted"] * 3, fast["pixels_needed"])
        self.assertFalse(any("decode: fast" in a["text"] for a in fast["advice"]), fast)
        engines = {e["name"]: e["images"] for e in fast["engines"]}
        self.assertEqual(engines["libjpeg-turbo"], fast["images"])

    def test_packing_is_named_where_nothing_is_packed(self):
        crop = "  - random_resized_crop: {size: 64, scale: [0.1, 0.3]}\n"
        config = self.photos(crop, "image: {dtype: uint8}")
        self.millrace("pack", "large/manifest.csv", "packed", "--quiet")
        mixture = self.work / "mixture.yaml"
        mixture.write_text("version: 1\nbatch: 4\nproducers: 2\nmixture: {by: all, of: "
                           "[{source: {type: shards, path: packed}}]}\n"
                           f"ops:\n{crop}fields: {{image: {{dtype: uint8}}}}\n")
        packed = ["--set", "source={type: shards, path: packed}"]
        for args, named in (([config], True), ([config, *packed], False), ([mixture], False)):
            advice = str(self.analyze(*args)["advice"])
            self.assertEqual("'millrace pack' cuts" in advice, named, advice)
            verdict = self.run_json(*args, "--batches", 6, "--set", "producers=1")["verdict"]
            if "decoding is the limit" in verdict:  # on most machines
                self.assertIn("smaller images", verdict)
                self.assertEqual("'millrace pack --mode coef'" in verdict, named, verdict)

    def test_a_run_that_fails_says_why(self):
        data = self.synth()
        for file in (data / "images").rglob("*.jpg"):
            file.write_bytes(b"\xff\xd8\xff")
        config = self.config(data / "images", on_error="fail")
        out, err = self.millrace("explain", "--analyze", config, "--json", rc=1)
        self.assertEqual(out, "")
        self.assertIn("millrace: ", err)


if __name__ == "__main__":
    cli_testing.main()
