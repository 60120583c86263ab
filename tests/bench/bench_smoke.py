# SPDX-License-Identifier: Apache-2.0
"""bench_smoke.py BIN: a short race of Millrace alone on a small synthetic set, with a peer that is
not installed beside it; the measurements of bench_handoff and bench_planner; and what a wrong
folder says."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent.parent / "bench"
sys.path.insert(0, str(BENCH))
sys.dont_write_bytecode = True
from harness import rows_file  # noqa: E402


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def check(holds, what):
    if not holds:
        sys.exit(f"failed: {what}")


def race(programs, data, out):
    run(sys.executable, BENCH / "run.py", "--data", data, "--out", out, "--bin", programs,
        "--venv", out / "nothing", "--only", "millrace", "dali", "--rounds", 2, "--seconds", 0.3,
        "--limit-seconds", 0.2, "--batch", 16)
    results = json.loads((out / "results.json").read_text())
    ours, peer = results["candidates"]
    check(len(ours["runs"]) == 2, "Millrace ran in both rounds")
    for entry in ours["runs"]:
        mean = (entry["limit_before"] + entry["limit_after"]) / 2
        check(abs(entry["ratio"] * mean - entry["images_per_s"]) < 1e-6 * entry["images_per_s"],
              "a ratio is images/s over the mean of the two limits")
        check(entry["rows"] == 16 * entry["batches"], "every batch was full")
        check(entry["left_behind"] == 0, "no process was left behind")
        check(entry["cpu_s_per_1000"] > 0, "CPU time was counted")
    held = ours["memory"]
    check(ours["peak_pss_bytes"] > 1e6 and held["arena"] > 1e6, "memory was watched")
    check(0 < held["per_producer"] < held["tree"], "and that of the producers")
    check(ours["check"]["shape"] == [16, 3, 224, 224] and ours["check"]["labels_known"],
          "the batches were looked at")
    check(peer["reason"].startswith("not installed"), "a peer that is missing is listed as such")
    table, plot = (out / "table.md").read_text(), (out / "plot.svg").read_text()
    check("DALI (CPU) did not run: not installed" in table and "did not run" in plot,
          "so do table and plot")
    check(plot.count("<rect") == 2, "the plot has one bar on its ground")


def bytes_alone(programs, data, out):
    """A job with other references than L; its rows are held against the crop decode."""
    run(sys.executable, BENCH / "run.py", "--data", data, "--out", out, "--bin", programs, "--job",
        "jpeg_u8", "--only", "millrace", "--rounds", 1, "--seconds", 0.3, "--limit-seconds", 0.1,
        "--batch", 16)
    results = json.loads((out / "results.json").read_text())
    record = results["candidates"][0]
    check(record["check"]["dtype"] == "uint8" and record["check"]["shape"] == [16, 224, 224, 3],
          "bytes were delivered, channels last")
    check(record["figures"]["reference_time"]["median"] > 0, "held against the crop decode")
    kinds = [entry["kind"] for entry in results["references"]]
    check(kinds == ["full", "crop", "codec"], f"all references were measured: {kinds}")
    rates = {entry["kind"]: entry["images_per_s"]["median"] for entry in results["references"]}
    check(rates["crop"] > rates["full"] / 2, "a crop's decoding was measured")


def packed(programs, data, out):
    """Jobs over packed copies: of a lossless one the batches are those of the files."""
    run(sys.executable, BENCH / "run.py", "--data", data, "--out", out, "--bin", programs, "--job",
        "packed", "--only", "millrace", "packed-jpeg", "raw-256", "--rounds", 1, "--seconds", 0.2,
        "--limit-seconds", 0.1, "--batch", 16)
    results = json.loads((out / "results.json").read_text())
    plain, jpeg, raw = results["candidates"]
    check(jpeg["same_stream"] and not jpeg["doubts"], "packed JPEGs give the batches of the files")
    check("same_stream" not in raw and "same_stream" not in plain, "shrunken copies need not")
    check(0.5 < jpeg["size"] < 1.5 and raw["size"] > jpeg["size"], "copies have sizes")
    check({goal["row"] for goal in results["goals"]} == {jpeg["title"]}, "what is asked was held")
    for record in results["candidates"]:
        check(len(record["runs"]) == 1 and record["stages_us"]["decode"] > 0,
              f"'{record['name']}' ran, and its stages were timed")
    check("size, the files = 1" in (out / "table.md").read_text(), "the table has the sizes")


def packing(programs, data, out):
    run(sys.executable, BENCH / "run.py", "--data", data, "--out", out, "--bin", programs, "--job",
        "packing", "--only", "pack-jpeg", "--rounds", 1, "--limit-seconds", 0.1)
    record, = json.loads((out / "results.json").read_text())["candidates"]
    entry, = record["runs"]
    check(entry["images"] == 4 * 64 == entry["done"] and entry["kept"] == 0,
          "every image was packed four times, and anew")
    check(abs(entry["images_per_s"] * entry["wall_s"] - 256) < 1e-6, "by the wall clock")


def array(programs, out):
    run(sys.executable, BENCH / "run.py", "--out", out, "--bin", programs, "--job", "array",
        "--rows", 40, "--batch", 4, "--rounds", 1, "--seconds", 0.1, "--limit-seconds", 0.1)
    results = json.loads((out / "results.json").read_text())
    check([len(record["runs"]) for record in results["candidates"]] == [1, 1], "both ran")
    check(results["candidates"][1]["same_stream"], "shards have the file's rows")
    check("| memcpy |" in (out / "table.md").read_text(), "held against memcpy")


def handoff(programs, data):
    ready = json.loads(run(programs / "bench_handoff", "ready", "--batch", 3, "--rounds", 50))
    check(0 < ready["min_us"] <= ready["median_us"] <= ready["max_us"], "times are in order")
    idle = json.loads(run(programs / "bench_handoff", "idle", "--config",
                          BENCH / "configs/jpeg_f32.yaml", "--set", f"source.path={data}", "--set",
                          "batch.size=16", "--set", "producers=2", "--seconds", 0.5))
    check(idle["processes"] >= 5, "trainer, warden, commander and two producers were watched")
    check(idle["slots_held"] >= 1, "every slot was held")


def copying(programs, data):
    """The reference of the jobs whose rows are only moved."""
    said = json.loads(run(programs / "bench_copy_rows", "--data", data, "--seconds", 0.05, "--row",
                          4096, "--to", 65536))
    check(said["rows"] == 256 and said["processes"] == 2, "the file's rows were counted")
    check(abs(said["mb_per_s"] - said["images_per_s"] * 4096e-6) < 0.1 + 1e-3 * said["mb_per_s"],
          "both rates are of the same rows")
    lost = subprocess.run([programs / "bench_copy_rows", "--data", data, "--row", "2000000"],
                          capture_output=True, text=True, check=False)
    check(lost.returncode == 1 and "has no row of 2000000 bytes" in lost.stderr,
          "a file that is too small is named")


def planner(programs):
    said = run(programs / "bench_planner", "rates", "--samples", 3000, "--batch", 64, "--seconds",
               0.01).splitlines()
    rows = [line.split() for line in said[2:]]
    check(len(rows) > 4, "every sampler has a line")
    for row in rows:
        check(len(row) == 5 and float(row[1]) > 0, f"'{row[0]}' was measured: {' '.join(row)}")
    said = run(programs / "bench_planner", "open", "--samples", 1000000000).splitlines()
    check([line.split()[0] for line in said[2:]] == ["sequential", "shuffle", "weighted", "pk"],
          "all were opened")


def cost(programs, data, out):
    said = run(sys.executable, BENCH / "sandbox_cost.py", "--data", data, "--millrace",
               programs / "millrace", "--pairs", 2, "--batches", 3, "--set", "batch.size=16",
               "--base-set", "sandbox=off", "--test-set", "sandbox=auto", "--json", out)
    kept = json.loads(out.read_text())
    check(len(kept["pairs"]) == 2 and "test over base" in said, "both pairs ran")
    result = kept["summary"]
    check(result["low"] <= result["ratio"] <= result["high"], "the ratio is in its interval")
    check("sandbox=off" in kept["commands"]["base"], "the base has its own settings")


def main():
    programs = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "synth/images", Path(folder) / "out"
        run(programs / "millrace", "synth", data.parent, "--images", 64, "--quiet")
        race(programs, data, out)
        bytes_alone(programs, data, Path(folder) / "bytes")
        packed(programs, data, Path(folder) / "packed")
        packing(programs, data, Path(folder) / "packing")
        array(programs, Path(folder) / "array")
        handoff(programs, data)
        rows_file.make(Path(folder) / "rows.npy", 1)
        copying(programs, Path(folder) / "rows.npy")
        planner(programs)
        cost(programs, data, Path(folder) / "cost.json")
        lost = subprocess.run([programs / "bench_limit", "--data", Path(folder) / "nowhere"],
                              capture_output=True, text=True, check=False)
        check(lost.returncode == 1 and "nowhere" in lost.stderr, "a missing folder is named")
    print("the benchmark runs")


if __name__ == "__main__":
    main()
