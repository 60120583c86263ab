# SPDX-License-Identifier: Apache-2.0
"""Packed data from outside: millrace verify, pack --list, and reading from a web server."""
import http.server
import json
import re
import shutil
import threading

from cli_testing import CliTest, main


class Packed(CliTest):
    def setUp(self):
        super().setUp()
        self.data = self.synth("data", "--format", "mixed")
        self.millrace("pack", self.data / "manifest.csv", "packed", "--shard-bytes", 40000,
                      "--quiet")
        self.packed = self.work / "packed"
        self.shard = self.packed / "data-000001.mrs"

    def flip(self, at):
        data = bytearray(self.shard.read_bytes())
        data[at] ^= 16
        self.shard.write_bytes(data)


class Shards(Packed):
    def listed(self, src="packed"):
        return json.loads(self.millrace("pack", "--list", src, "--json")[0])

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

    def test_named_as_something_else(self):
        config = self.config(self.packed)
        self.assertIn("holds packed shards: use 'source: {type: shards, path: ...}'",
                      self.millrace("run", config, rc=1)[1])
        (self.packed / "pack.json").rename(self.work / "pack.json")
        self.assertIn("give the same 'millrace pack' again", self.millrace("run", config, rc=1)[1])
        (self.work / "pack.json").rename(self.packed / "pack.json")
        for verb in ("verify", "pack --list"):
            self.refused(*verb.split(), "packed/pack.json", says="give the folder, not its pack.j")
        self.millrace("pack", self.data / "manifest.csv", "one", "--quiet")
        self.assertIn(" in 1 shard, ", self.millrace("pack", "--list", "one")[0])
        self.assertIn("1 shard, ", self.millrace("verify", "one")[1])

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

    def test_arrays_have_only_checksums(self):
        import numpy
        (self.work / "set").mkdir()
        numpy.save(self.work / "set/x.npy", numpy.arange(60000, dtype="<f4").reshape(20, 3000))
        (self.work / "a.yaml").write_text(
            "version: 1\nsource: {type: npy, path: set}\n"
            "fields: {x: {dtype: float32, shape: [3000]}}\n")
        done = self.work / "arrays"
        self.millrace("pack", "a.yaml", done, "--mode", "array", "--quiet")
        self.assertEqual(self.verified(done)["damaged"], [])
        shard = next(done.glob("*.mrs"))
        data = bytearray(shard.read_bytes())
        data[100000] ^= 1
        shard.write_bytes(data)
        result = self.verified(done, rc=1)
        self.assertEqual(len(result["damaged"]), 1)
        self.assertEqual(result["bad_samples"], [])


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends ranges of files below server.root, and does what server.faults says first."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        fault = server.faults.pop(0) if server.faults and ".mrs" in self.path else None
        path = server.root / self.path.lstrip("/")
        if isinstance(fault, int) or not path.is_file():
            self.send_error(fault or 404)
            return
        data = path.read_bytes()
        first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
        part = data[first:last + 1]
        self.send_response(200 if server.whole else 206)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        if fault == "cut":
            self.wfile.write(part[:len(part) // 2])
            self.close_connection = True
        else:
            self.wfile.write(part)

    def log_message(self, *_):
        pass


class Remote(Packed):
    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.root, self.server.faults, self.server.asked = self.work, [], []
        self.server.whole = False
        self.url = f"http://localhost:{self.server.server_port}/packed"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.file = self.config(self.packed, type="shards",
                                fields="  mask: {dtype: uint8}\n  label: {dtype: int64}\n")

    def run_remote(self, url=None, *args, rc=0):
        return self.millrace("run", self.file, "--json", "--hash", "--set",
                             "source={type: remote_shards, url: '%s'}" % (url or self.url), *args,
                             rc=rc)

    def hash(self, *args):
        return json.loads(self.run_remote(*args)[0])["hash"]

    def local(self):
        return self.run_json(self.file, "--hash")["hash"]

    def test_the_stream_is_that_of_the_files(self):
        local = self.local()
        self.assertEqual(self.hash(), local)
        self.assertEqual(self.hash(None, "--set", "producers=3"), local)
        one = self.run_json(self.file, "--hash", "--set", f"source.path={self.shard}")["hash"]
        self.assertEqual(self.hash(self.url + "/data-000001.mrs"), one)

    def test_in_the_sandbox(self):
        doctor = json.loads(self.millrace("doctor", "--json")[0])
        if {doctor[layer]["verdict"] for layer in ("landlock", "seccomp")} != {"good"}:
            self.skipTest("there is no whole sandbox here")
        local = self.local()
        self.assertEqual(self.hash(None, "--set", "sandbox=require"), local)
        mixture = self.work / "mixture.yaml"
        mixture.write_text(
            "version: 1\nseed: 1\nepochs: 1\nbatch: {size: 8}\nproducers: 2\nsandbox: require\n"
            "mixture:\n  of:\n    - {share: 0.5, sampler: shuffle, source: {type: remote_shards, "
            f"url: '{self.url}'}}}}\n    - {{share: 0.5, sampler: shuffle, source: {{type: folder, "
            f"path: {self.data}/images}}}}\nops:\n  - random_resized_crop: {{size: 32}}\n"
            "fields: {image: {dtype: uint8}}\n")
        self.run_json(mixture)

    def test_what_passes_is_tried_again(self):
        local = self.local()
        for faults in ([503, 503], ["cut"], [500, "cut"], [None, None, None, "cut", 429]):
            self.server.faults = list(faults)
            self.assertEqual(self.hash(), local, faults)
            self.assertEqual(self.server.faults, [])

    def test_what_does_not(self):
        self.assertIn("404", self.run_remote(self.url + "x", rc=1)[1])
        self.assertIn("is no URL", self.run_remote("packed", rc=2)[1])
        self.assertIn("TLS", self.run_remote("https" + self.url[4:], rc=1)[1])
        self.assertIn("nobody.invalid", self.run_remote("http://nobody.invalid/x", rc=1)[1])
        self.server.faults = [503] * 50
        self.assertIn("503", self.run_remote(rc=1)[1])
        self.server.faults = []
        self.server.whole = True
        self.assertIn("does not send ranges of a file: use one that answers Range requests",
                      self.run_remote(rc=1)[1])
        self.server.whole = False
        self.flip(3000)
        err = self.run_remote(None, "--set", "on_error=fail", rc=1)[1]
        self.assertIn("data-000001.mrs/images/", err)
        self.assertIn("damaged", err)


main()
