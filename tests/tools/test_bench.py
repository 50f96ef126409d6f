#!/usr/bin/env python3
"""troupe bench: every workload runs and is right; what is reported; refusals.

    test_bench.py TROUPE

Says nothing about how fast anything is.
"""
import json
import os
import subprocess
import sys
import unittest

TROUPE = ""
NAMES = ["pingpong", "crossping", "ring1", "ring100", "count", "mpsc", "fork", "skynet", "big",
         "chameneos", "fanout", "idle", "ask"]
# What one run of --size 0.01 does.
OPS = {
    "pingpong": 40000, "crossping": 1000, "ring1": 50000, "ring100": 50000, "count": 100000,
    "mpsc": 100000, "fork": 10000, "skynet": 11111, "big": 80000, "chameneos": 10000,
    "fanout": 10000, "idle": 10000, "ask": 1000,
}
FIELDS = {"name", "op", "ns_per_op", "ns_per_op_min", "ns_per_op_max", "repeat", "ops", "workers",
          "size", "seconds", "peak_rss_bytes", "check"}


# By default ThreadSanitizer sleeps a second at each exit, for races of threads that are
# still there; the systems have stopped by then.
os.environ["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "") + ":atexit_sleep_ms=0"


def bench(*arguments):
    return subprocess.run([TROUPE, "bench", *arguments], capture_output=True, text=True,
                          timeout=300, check=False)


class Workloads(unittest.TestCase):
    def run_all(self, workers, names):
        for name in names:
            with self.subTest(name=name, workers=workers):
                done = bench(name, "--size", "0.01", "--workers", str(workers), "--json")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.judge(json.loads(done.stdout), name, workers)

    def judge(self, result, name, workers):
        wanted = FIELDS | ({"bytes_per_actor"} if name == "idle" else set())
        self.assertEqual(set(result), wanted)
        self.assertEqual(result["name"], name)
        self.assertEqual(result["check"], "ok")
        self.assertEqual(result["ops"], OPS[name])
        self.assertEqual(result["workers"], workers)
        self.assertEqual(result["repeat"], 1)
        self.assertGreater(result["seconds"], 0)
        self.assertGreater(result["peak_rss_bytes"], 100 * 1024)
        self.assertAlmostEqual(result["ns_per_op"], result["seconds"] * 1e9 / result["ops"], 1)
        if name == "idle":
            self.assertGreater(result["bytes_per_actor"], 0)

    def test_each_on_one_worker_is_right(self):
        self.run_all(1, [name for name in NAMES if name != "crossping"])

    def test_each_on_two_workers_is_right(self):
        self.run_all(2, NAMES)

    def test_smallest_size_is_right(self):
        for name in NAMES:
            with self.subTest(name=name):
                done = bench(name, "--size", "0.000001", "--workers", "2", "--json")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(json.loads(done.stdout)["check"], "ok")


class Reports(unittest.TestCase):
    def test_line_says_what_was_measured(self):
        done = bench("pingpong", "--size", "0.001")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^pingpong: [\d.]+ ns per message, 4000 in [\d.]+ s, "
                                      r"1 worker, peak [\d.]+ \w+, ok\n$")

    def test_repeat_gives_median_and_extremes(self):
        done = bench("fork", "--size", "0.001", "--repeat", "3", "--json")
        result = json.loads(done.stdout)
        self.assertEqual((result["repeat"], result["ops"], result["check"]), (3, 1000, "ok"))
        self.assertLessEqual(result["ns_per_op_min"], result["ns_per_op"])
        self.assertLessEqual(result["ns_per_op"], result["ns_per_op_max"])
        self.assertIn("median of 2", bench("fork", "--size", "0.001", "-r", "2").stdout)

    def test_all_is_an_array_of_each(self):
        done = bench("--all", "--size", "0.001", "--workers", "2", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        results = json.loads(done.stdout)
        self.assertEqual([r["name"] for r in results], NAMES)
        self.assertEqual({r["check"] for r in results}, {"ok"})

    def test_all_on_one_worker_leaves_crossping_out_and_says_so(self):
        done = bench("--all", "--size", "0.001")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr,
                         "troupe bench: crossping is left out, it needs 2 workers\n")
        lines = done.stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines],
                         ["name"] + [name for name in NAMES if name != "crossping"])
        self.assertEqual({line.index(" ok") for line in lines[1:]}, {lines[0].index(" check")})

    def test_list_names_each(self):
        done = bench("--list")
        self.assertEqual(done.returncode, 0)
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()], NAMES)

    def test_help_is_on_standard_output(self):
        done = bench("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(done.stdout.startswith("usage: troupe bench"))


class Refusals(unittest.TestCase):
    def test_wrong_command_lines_name_what_is_wrong(self):
        for arguments, wrong in [
                (["nosuch"], "'nosuch'"), (["pingpong", "count"], "'count'"), ([], "which workload"),
                (["--all", "count"], "'count'"), (["--list", "count"], "'count'"),
                (["count", "--workers", "0"], "'0'"), (["count", "-w", "1025"], "'1025'"),
                (["count", "-w", "2x"], "'2x'"), (["count", "-w", ""], "''"),
                (["count", "--size", "0"], "'0'"), (["count", "--size", "nan"], "'nan'"),
                (["count", "--size", "-1"], "'-1'"), (["count", "--size", "10.1"], "'10.1'"),
                (["count", "--repeat", "0"], "'0'"), (["count", "--repeat", "1001"], "'1001'"),
                (["count", "--repeat"], "'--repeat'"), (["--bogus"], "'--bogus'"),
                (["crossping", "--workers", "1"], "not 1"), (["crossping"], "not 1")]:
            with self.subTest(arguments=arguments):
                done = bench(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(wrong, done.stderr)
                self.assertTrue(done.stderr.startswith("troupe bench: "))
                self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    TROUPE = sys.argv.pop(1)
    unittest.main()
