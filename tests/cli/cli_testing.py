# SPDX-License-Identifier: Apache-2.0
"""What the command-line tests share: running the program, a scratch folder, a synthetic set."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None

CONFIG = """\
version: 1
seed: 7
epochs: 1
batch: {{size: 8{batch}}}
producers: 2
on_error: {on_error}
source: {{type: {type}, path: {path}}}
ops:
  - random_resized_crop: {{size: 32}}
  - random_horizontal_flip: {{p: 0.5}}
fields:
  image: {{dtype: uint8, layout: NHWC}}
{fields}"""


class CliTest(unittest.TestCase):
    prefix = []  # a command that runs the program

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="millrace-cli-"))
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)

    def millrace(self, *args, rc=0, env=None, timeout=120):
        """Runs the program, holds its exit code to `rc`, returns (stdout, stderr)."""
        done = subprocess.run([*self.prefix, PROGRAM, *map(str, args)], capture_output=True,
                              timeout=timeout, cwd=self.work, env={**os.environ, **(env or {})},
                              text=True, stdin=subprocess.DEVNULL, errors="replace")
        self.assertEqual(done.returncode, rc, f"{args}\n{done.stdout}\n{done.stderr}")
        return done.stdout, done.stderr

    def refused(self, *args, says):
        """Wrong usage: exit code 2, nothing on stdout, the sentence on stderr."""
        out, err = self.millrace(*args, rc=2)
        self.assertEqual(out, "", args)
        self.assertIn(says, err, args)

    def synth(self, name="data", *args):
        self.millrace("synth", name, "--images", 40, "--size", "64x48", "--quiet", *args)
        return self.work / name

    def config(self, path, name="train.yaml", on_error="replace", batch="", type="folder",
               fields="  label: {dtype: int64}\n"):
        file = self.work / name
        file.write_text(CONFIG.format(path=path, on_error=on_error, batch=batch, type=type,
                                      fields=fields))
        return file

    def run_json(self, config, *args, rc=0):
        out, _ = self.millrace("run", config, "--json", *args, rc=rc)
        return json.loads(out)


def tree_bytes(folder):
    """{relative path: bytes} of every file below the folder."""
    return {str(f.relative_to(folder)): f.read_bytes()
            for f in sorted(folder.rglob("*")) if f.is_file()}


def main():
    global PROGRAM
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    sys.modules["cli_testing"].PROGRAM = PROGRAM
    unittest.main(module="__main__", verbosity=2)
