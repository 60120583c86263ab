# SPDX-License-Identifier: Apache-2.0
"""Wrong usage ends with 2 and a sentence; help and version end with 0. What goes where is fixed."""
from cli_testing import CliTest, main


class Usage(CliTest):
    def test_bare_program_shows_two_examples(self):
        out, err = self.millrace(rc=2)
        self.assertEqual(out, "")
        self.assertIn("millrace synth DATA", err)
        self.assertIn("millrace run", err)

    def test_help_goes_to_stdout(self):
        for args in (["--help"], ["-h"], ["help"]):
            out, err = self.millrace(*args)
            self.assertEqual(err, "")
            for verb in ("run", "check", "explain", "ops", "stats", "synth", "doctor", "version"):
                self.assertIn(f"\n  {verb} ", out)

    def test_every_verb_has_help(self):
        for verb in ("run", "check", "explain", "ops", "stats", "synth", "doctor", "version"):
            out, _ = self.millrace(verb, "--help")
            self.assertTrue(out.startswith(f"usage: millrace {verb}"), out)
            self.assertEqual(self.millrace("help", verb)[0], out)
            for line in out.splitlines():
                self.assertLessEqual(len(line), 100, line)

    def test_version(self):
        self.assertRegex(self.millrace("version")[0], r"^millrace \d+\.\d+\.\d+\n$")
        self.assertEqual(self.millrace("--version"), self.millrace("version"))

    def test_unknown_verbs_and_flags_name_the_nearest(self):
        self.refused("rnu", says="did you mean 'run'?")
        self.refused("frobnicate", says="there is no verb 'frobnicate'")
        self.refused("run", "--batchs", "3", "x.yaml", says="did you mean '--batches'?")
        self.refused("synth", "d", "--frobnicate", says="has no flag '--frobnicate'")
        self.refused("synth", "d", "-q", says="'-q' is not understood")

    def test_abbreviations_are_refused(self):
        self.refused("synth", "d", "--imag", "3", says="has no flag '--imag'")
        self.refused("synth", "d", "--imag=3", says="has no flag '--imag'")

    def test_values_are_checked(self):
        for value in ("0", "-1", "", "3x", " 3", "+3", "99999999999999999999", "0x10", "1e3"):
            self.refused("synth", "d", f"--images={value}", says="it takes a whole number")
        for value in ("3", "64x", "x64", "64x64x3", "15x64", "64x16385", "64X64"):
            self.refused("synth", "d", "--size", value, says="it takes WIDTHxHEIGHT")
        self.refused("synth", "d", "--format", "tiff", says="it takes jpeg|png|mixed")
        self.refused("synth", "d", "--images", says="needs a value")
        self.refused("synth", "d", "--force=yes", says="is not understood")
        self.refused("run", "x.yaml", "--set", "seed", says="it takes KEY.PATH=VALUE")

    def test_arguments_are_counted(self):
        self.refused("synth", says="'synth' needs DIR")
        self.refused("run", "a", "b", says="but 2 arguments were given")
        self.refused("version", "now", says="takes no argument")

    def test_flags_may_stand_anywhere_and_end_at_two_dashes(self):
        self.millrace("synth", "--images", "1", "--", "--strange")
        self.assertTrue((self.work / "--strange" / "manifest.csv").exists())
        self.millrace("synth", "plain", "--images=1")
        self.assertTrue((self.work / "plain" / "manifest.csv").exists())

    def test_a_config_that_cannot_be_read_is_wrong_usage(self):
        for verb in ("run", "check", "explain", "stats --shuffle"):
            verb = verb.split()
            self.refused(*verb, "nope.yaml", says="cannot read the config 'nope.yaml'")
            self.refused(*verb, self.work, says="Is a directory")

    def test_a_full_standard_output_is_an_error(self):
        import os
        import subprocess
        import cli_testing
        with open("/dev/full", "w") as full:
            done = subprocess.run([cli_testing.PROGRAM, "help"], stdout=full,
                                  stderr=subprocess.PIPE, env=os.environ)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)


class Tables(CliTest):
    def test_ops_prints_one_or_all(self):
        everything, _ = self.millrace("ops")
        one, _ = self.millrace("ops", "random_resized_crop")
        self.assertIn("random_resized_crop", everything)
        self.assertIn("scale", one)
        self.assertLess(len(one), len(everything))

    def test_ops_json_is_json(self):
        import json
        json.loads(self.millrace("ops", "--format", "json")[0])
        json.loads(self.millrace("ops", "--format", "schema")[0])

    def test_ops_names_the_nearest(self):
        self.refused("ops", "resise", says="resize")


if __name__ == "__main__":
    main()
