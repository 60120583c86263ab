# SPDX-License-Identifier: Apache-2.0
"""Packed data from outside: millrace verify and pack --list."""
import json
import shutil

from cli_testing import CliTest, main


class Shards(CliTest):
    def setUp(self):
        super().setUp()
        self.data = self.synth("data", "--format", "mixed")
        self.millrace("pack", self.data / "manifest.csv", "packed", "--shard-bytes", 40000,
                      "--quiet")
        self.packed = self.work / "packed"
        self.shard = self.packed / "data-000001.mrs"

    def listed(self, src="packed"):
        return json.loads(self.millrace("pack", "--list", src, "--json")[0])

    def flip(self, at):
        data = bytearray(self.shard.read_bytes())
        data[at] ^= 16
        self.shard.write_bytes(data)

    def verified(self, src="packed", rc=0):
        return json.loads(self.millrace("verify", src, "--json", rc=rc)[0])

    def test_the_list_says_what_is_inside(self):
        listed = self.listed()
        self.assertEqual(listed["format"], "1.0")
        self.assertEqual(listed["mode"], "jpeg")
        self.assertEqual(listed["samples"], 40)
        self.assertEqual({c["name"]: c["kind"] for c in listed["columns"]},
                         {"image": "files", "mask": "files", "label": "numbers", "boxes": "lists",
                          "image_width": "numbers", "image_height": "numbers"})
        self.assertGreater(len(listed["shards"]), 2)
        first = 0
        for shard in listed["shards"]:
            self.assertEqual(shard["first"], first)
            self.assertEqual((self.packed / shard["file"]).stat().st_size, shard["bytes"])
            first += shard["samples"]
        self.assertEqual(first, 40)
        text = self.millrace("pack", "--list", "packed")[0]
        for word in ("40 samples", "mode jpeg", "format 1.0", "float32 x 4", "data-000001.mrs"):
            self.assertIn(word, text)
        one = self.listed(self.shard)
        self.assertEqual(one["samples"], listed["shards"][1]["samples"])
        self.refused("pack", "--list", "packed", "more", says="--list and SRC")
        self.refused("pack", "packed", says="SRC and OUT")
        self.assertIn("nothing was packed there",
                      self.millrace("pack", "--list", self.data, rc=1)[1])

    def test_good_shards(self):
        out, err = self.millrace("verify", "packed")
        self.assertEqual(out, "")
        self.assertIn("0 places damaged", err)
        self.assertIn("40 of 40 samples decoded, 0 bad", err)
        result = self.verified(self.shard)
        self.assertEqual((result["shards"], result["damaged"], result["bad"]), (1, [], 0))

    def test_a_damaged_body_is_named_once(self):
        self.flip(3000)
        first = self.listed()["shards"][1]["first"]
        out, _ = self.millrace("verify", "packed", rc=1)
        lines = out.splitlines()
        self.assertEqual(len(lines), 1, out)
        self.assertRegex(lines[0], rf"^data-000001.mrs: sample {first} \(images/.*\): .*damaged")
        result = self.verified(rc=1)
        self.assertEqual([(d["shard"], d["sample"]) for d in result["damaged"]],
                         [("data-000001.mrs", first)])
        self.assertEqual([b["sample"] for b in result["bad_samples"]], [first])
        self.assertEqual(result["verified"], 40)

    def test_what_is_no_body(self):
        size = self.shard.stat().st_size
        for at in (10, 40, size - 30, size - 100):
            self.flip(at)
            result = self.verified(rc=1)
            self.assertEqual([d["shard"] for d in result["damaged"]], ["data-000001.mrs"])
            self.assertNotIn("sample", result["damaged"][0])
            self.flip(at)
        whole = self.shard.read_bytes()
        self.shard.write_bytes(whole[:-1])
        self.assertIn("cut", self.verified(rc=1)["damaged"][0]["reason"])
        self.shard.unlink()
        self.assertIn("No such file", self.verified(rc=1)["damaged"][0]["reason"])
        shutil.copy(self.packed / "data-000000.mrs", self.shard)
        self.assertIn("another one", self.verified(rc=1)["damaged"][0]["reason"])
        self.shard.write_bytes(whole)
        self.verified()
        (self.packed / "pack.json").write_text("{")
        self.assertIn("pack.json", self.millrace("verify", "packed", rc=1)[1])


main()
