# SPDX-License-Identifier: Apache-2.0
"""Ranks as launchers start them: real mpirun and real torchrun, one `millrace run` per rank. What
the ranks deliver together is what one process delivers, each batch once, in equal steps."""
import json
import os
import shutil
import subprocess
import sys
import unittest

import cli_testing
from cli_testing import CliTest

KNOWN = ("RANK", "WORLD_SIZE", "OMPI_", "PMIX_", "PMI_", "SLURM_")
QUICK = "--quick" in sys.argv  # one size per launcher: under sanitizers
SIZES = (3,) if QUICK else (1, 2, 3, 7)


def clean_env(**more):
    """Ours, without what a launcher around the tests may have left."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(KNOWN)}
    return {**env, "OMP_NUM_THREADS": "1", **more}


class Ranks(CliTest):
    def start(self, *command, env=None):
        done = subprocess.run(list(map(str, command)), capture_output=True, timeout=300, text=True,
                              cwd=self.work, env=env or clean_env(), stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout, done.stderr

    def script(self, config, rank_variable, *args):
        """What each rank runs: its list, its result and its state are files with its number."""
        path = self.work / "rank.sh"
        path.write_text("#!/bin/sh\n"
                        f"exec '{cli_testing.PROGRAM}' run '{config}' --json --producers 1 "
                        f"--hash-list list.${rank_variable} --state state.${rank_variable} "
                        f"{' '.join(args)} > out.${rank_variable} 2> err.${rank_variable}\n")
        path.chmod(0o755)
        return path

    def lines(self, name):
        return (self.work / name).read_text().splitlines()

    def held_against_one(self, world, whole, variables):
        merged, steps, states = [], set(), set()
        for rank in range(world):
            own = self.lines(f"list.{rank}")
            merged += own
            steps.add(len(own))
            states.add((self.work / f"state.{rank}").read_text())
            out = json.loads((self.work / f"out.{rank}").read_text())
            self.assertEqual((out["rank"], out["world"], out["ranks_from"]),
                             (rank, world, variables))
        self.assertEqual(len(steps), 1, "all ranks make the same number of steps")
        self.assertEqual(len(states), 1, "and stand at the same place")
        places = [line.rsplit(" ", 1)[0] for line in merged]
        self.assertEqual(len(set(places)), len(places), "no batch comes twice")
        self.assertLessEqual(set(whole), set(merged))
        padding = set(places) - {line.rsplit(" ", 1)[0] for line in whole}
        self.assertLess(len(padding), 2 * world, "two epochs, each filled up by less than a round")
        return states.pop()

    def whole(self):
        """40 images: 5 batches of 8 in each of 2 epochs, by one process."""
        config = self.config(self.synth() / "images", batch=", last: pad")
        config.write_text(config.read_text().replace("epochs: 1", "epochs: 2"))
        self.start(cli_testing.PROGRAM, "run", config, "--json", "--hash-list", "whole")
        return config, self.lines("whole")

    def mpirun(self, world, script):
        return self.start("mpirun", "--allow-run-as-root", "--oversubscribe", "-np", world, script)

    def torchrun(self, world, script):
        # Of --redirects and --tee only the form RANK:WHAT works in Debian 12 (torch 1.13 with
        # Python 3.11), even where nothing is to be redirected.
        return self.start("/usr/bin/python3", "-m", "torch.distributed.run", "--no_python",
                          "--nnodes", 1, "--nproc_per_node", world, "--rdzv_backend", "c10d",
                          "--rdzv_endpoint", "localhost:0", "--rdzv_id", f"mr{os.getpid()}",
                          "--max_restarts", 0, "--redirects", "0:1", "--tee", "0:1", "--log_dir",
                          self.work / "log", script)

    @unittest.skipUnless(shutil.which("mpirun"), "there is no mpirun (openmpi-bin)")
    def test_mpirun(self):
        config, whole = self.whole()
        script = self.script(config, "OMPI_COMM_WORLD_RANK")
        for world in (4,) if QUICK else (*SIZES, 4):
            with self.subTest(world=world):
                self.mpirun(world, script)
                self.held_against_one(world, whole, "OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE "
                                      "of Open MPI")

    def test_torchrun(self):
        if subprocess.run(["/usr/bin/python3", "-c", "import torch.distributed.run"],
                          capture_output=True).returncode:
            self.skipTest("there is no torch.distributed.run (python3-torch)")
        config, whole = self.whole()
        script = self.script(config, "RANK")
        for world in SIZES:
            with self.subTest(world=world):
                self.torchrun(world, script)
                self.held_against_one(world, whole, "RANK and WORLD_SIZE of torchrun")

    @unittest.skipUnless(shutil.which("mpirun"), "there is no mpirun (openmpi-bin)")
    def test_a_run_of_four_goes_on_with_three(self):
        config, whole = self.whole()
        self.mpirun(4, self.script(config, "OMPI_COMM_WORLD_RANK", "--batches", "1"))
        first = sum((self.lines(f"list.{rank}") for rank in range(4)), [])
        states = {(self.work / f"state.{rank}").read_text() for rank in range(4)}
        self.assertEqual(len(states), 1)
        (self.work / "resume").write_text(states.pop())
        self.mpirun(3, self.script(config, "OMPI_COMM_WORLD_RANK", "--resume", "resume"))
        rest = sum((self.lines(f"list.{rank}") for rank in range(3)), [])
        self.assertEqual(sorted(first), whole[:4])
        self.assertLessEqual(set(whole[4:]), set(rest))
        self.assertFalse(set(first) & set(rest))

    def test_the_rank_is_told(self):
        config, _ = self.whole()
        env = clean_env(PMI_RANK="1", PMI_SIZE="2", SLURM_STEP_ID="0", SLURM_PROCID="0",
                        SLURM_NTASKS="1")
        _, err = self.start(cli_testing.PROGRAM, "run", config, "--batches", 1, env=env)
        self.assertIn("rank 1 of 2 (PMI_RANK and PMI_SIZE of PMI)\n", err)
        self.assertIn("warning: PMI_RANK=1 and PMI_SIZE=2 (PMI) are taken, though SLURM_PROCID=0 ",
                      err)
        _, err = self.start(cli_testing.PROGRAM, "run", config, "--batches", 1, "--rank", 0,
                            "--world", 1, env=env)
        self.assertNotIn("rank", err)
        out, _ = self.start(cli_testing.PROGRAM, "explain", config, env=env)
        self.assertIn("rank:      1 of 2 (PMI_RANK and PMI_SIZE of PMI)\n", out)
        env["PMI_RANK"] = "many"
        _, err = self.millrace("run", config, env=env, rc=2)
        self.assertIn("PMI_RANK is 'many' in the environment (PMI)", err)


if __name__ == "__main__":
    if QUICK:
        sys.argv.remove("--quick")
    cli_testing.main()
