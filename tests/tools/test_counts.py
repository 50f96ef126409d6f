#!/usr/bin/env python3
"""A grown count is found, and named; what is compared is what was recorded.

    test_counts.py TOOLS_BENCH

Nothing is counted here: where a program has to be, a script takes its place.
"""
import contextlib
import io
import json
import os
import stat
import sys
import tempfile
import unittest
from unittest import mock

BENCH = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else "tools/bench")
sys.dont_write_bytecode = True
sys.path.insert(0, BENCH)

import counts  # noqa: E402
import instructions  # noqa: E402
import workloads  # noqa: E402

HERE = "gcc 12, x86_64"


def recorded(**figures):
    return instructions.Recorded(HERE, figures)


class TestCompare(unittest.TestCase):
    def verdict(self, before, now):
        (comparison,) = instructions.compare(recorded(fork=before), {"fork": now})
        return comparison.verdict, instructions.is_failure(comparison)

    def test_compare_five_percent_is_the_limit_both_ways(self):
        self.assertEqual(self.verdict(1000.0, 1000.0), ("same", False))
        self.assertEqual(self.verdict(1000.0, 1049.9), ("same", False))
        self.assertEqual(self.verdict(1000.0, 1050.1), ("more", True))
        self.assertEqual(self.verdict(1000.0, 950.1), ("same", False))
        self.assertEqual(self.verdict(1000.0, 949.9), ("less", False))

    def test_compare_one_that_grew_does_not_hide_among_others(self):
        comparisons = instructions.compare(recorded(fork=100.0, big=100.0, count=100.0),
                                           {"fork": 90.0, "big": 106.0, "count": 100.0})
        self.assertEqual([c.verdict for c in comparisons], ["less", "more", "same"])

    def test_compare_workload_that_nobody_recorded_fails(self):
        (comparison,) = instructions.compare(recorded(big=1.0), {"fork": 1.0})
        self.assertTrue(instructions.is_failure(comparison))
        self.assertIn("none are recorded; run tools/counts --record",
                      instructions.explain(comparison))

    def test_compare_explains_workload_figures_percent_and_what_to_run(self):
        (comparison,) = instructions.compare(recorded(fork=1000.0), {"fork": 1123.0})
        line = instructions.explain(comparison, "actor")
        self.assertIn("fork: 1123.0 instructions per actor, 1000.0 are recorded: 12.3 % more", line)
        self.assertIn("tools/counts --record", line)
        (comparison,) = instructions.compare(recorded(fork=1000.0), {"fork": 900.0})
        self.assertRegex(instructions.explain(comparison), "^note: fork.* 10.0 % less; .*--record$")


class TestFile(unittest.TestCase):
    def test_file_is_read_as_it_was_written(self):
        before = recorded(pingpong=500.6, fork=985.9)
        self.assertEqual(instructions.parse(instructions.text(before).split("\n")), before)

    def test_file_that_is_damaged_names_the_line(self):
        for lines, wrong in ((["compiler x", "fork"], "line 2"), (["compiler x", "fork x"], "line 2"),
                             (["compiler x", "fork 1 2 3"], "line 2"), (["fork 0"], "line 1"),
                             (["fork nan"], "line 1"), (["fork 1", "fork 1"], "line 2"),
                             (["fork 1"], "which compiler"), ([], "which compiler")):
            with self.subTest(lines), self.assertRaisesRegex(instructions.RecordError, wrong):
                instructions.parse(lines)

    def test_file_of_this_tree_has_each_counted_workload(self):
        self.assertEqual(list(instructions.load().figures), list(counts.SIZES))
        self.assertLessEqual(set(counts.SIZES), set(workloads.NAMES))


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.replace(instructions, "PATH", os.path.join(self.folder, "instructions.txt"))
        self.replace(counts, "compiler", lambda: HERE)

    def replace(self, module, name, value):
        patch = mock.patch.object(module, name, value)
        patch.start()
        self.addCleanup(patch.stop)

    def main(self, *arguments):
        """(exit status, what it said)"""
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            return counts.main([*arguments]), output.getvalue()


class TestCounts(Case):
    """What counts.py makes of runs that are made up."""

    def setUp(self):
        super().setUp()
        self.per_op = 100
        self.replace(counts, "run", self.run_one)

    def run_one(self, troupe, name, size):
        """To start takes much more than all operations together."""
        del troupe, name
        ops = int(size * 10000)
        return ops, 10**9 + ops * self.per_op, "message"

    def write(self, record):
        with open(instructions.PATH, "w", encoding="utf-8") as file:
            file.write(instructions.text(record))

    def test_counts_start_of_the_program_does_not_count(self):
        self.assertEqual(counts.measure("troupe", "fork").least, self.per_op)

    def test_counts_recorded_then_compared_then_grown(self):
        self.assertEqual(self.main("troupe")[0], 1)  # nothing to compare with
        self.assertEqual(self.main("--record", "troupe")[0], 0)
        self.assertEqual(list(instructions.load().figures), list(counts.SIZES))
        self.assertEqual(self.main("troupe")[0], 0)
        self.per_op = 106
        status, output = self.main("troupe")
        self.assertEqual((status, output.count(": 6.0 % more")), (1, len(counts.SIZES)), output)
        self.per_op = 94
        status, output = self.main("troupe")
        self.assertEqual((status, output.count("note: ")), (0, len(counts.SIZES)), output)

    def test_counts_other_compiler_is_skipped_and_says_so(self):
        self.write(instructions.Recorded("gcc 11, x86_64", {"fork": 1.0}))
        line = "tools/counts: skipped: recorded with gcc 11, x86_64; here is %s\n" % HERE
        self.assertEqual(self.main("troupe"), (77, line))
        self.assertEqual(self.main("--record", "troupe")[0], 0)
        self.assertEqual(instructions.load().compiler, HERE)

    def test_counts_recording_one_leaves_the_others(self):
        self.write(recorded(count=7.0, fork=8.0))
        self.assertEqual(self.main("--record", "troupe", "fork")[0], 0)
        self.assertEqual(instructions.load(), recorded(count=7.0, fork=100.0))

    def test_counts_unknown_workload_is_refused(self):
        status, output = self.main("troupe", "chameneos")
        self.assertEqual(status, 2)
        self.assertIn("chameneos is not counted", output)


# In the place of valgrind: the options are --quiet, --tool, --callgrind-out-file, TROUPE, ...
VALGRIND = """#!/bin/sh
echo "$@" >"$0.arguments"
test "$TROUPE_STATS" = 0 || exit 5
printf 'events: Ir\n%s\n' >"${3#*=}"
printf '%%s\n' '%s'
echo oops >&2
exit %d
"""
RESULT = {"name": "fork", "op": "actor", "ops": 10, "check": "ok"}


class TestRun(Case):
    def run_with(self, totals, result, status=0):
        path = os.path.join(self.folder, "valgrind")
        with open(path, "w", encoding="utf-8") as file:
            file.write(VALGRIND % (totals, json.dumps(result), status))
        os.chmod(path, stat.S_IRWXU)
        with mock.patch.dict(os.environ, PATH="%s:%s" % (self.folder, os.environ["PATH"])):
            return counts.run("/a/troupe", "fork", 0.5)

    def test_run_reads_operations_and_instructions(self):
        self.assertEqual(self.run_with("totals: 4711", RESULT), (10, 4711, "actor"))
        with open(os.path.join(self.folder, "valgrind.arguments"), encoding="utf-8") as file:
            self.assertTrue(file.read().endswith(
                " /a/troupe bench fork --size 0.5 --workers 1 --json\n"))

    def test_run_that_is_not_good_is_a_failure(self):
        for totals, result, status in (("totals: 1", dict(RESULT, check="sum"), 0),
                                       ("totals: 1", RESULT, 1), ("", RESULT, 0),
                                       ("totals: 1", {}, 0), ("totals: 1", "x", 0)):
            with self.subTest(totals=totals, result=result, status=status), \
                    self.assertRaisesRegex(counts.Failure, "fork: exit %d: oops" % status):
                self.run_with(totals, result, status)

    def test_run_larger_size_without_more_work_is_a_failure(self):
        self.replace(counts, "run", lambda *_: (10, 10, "actor"))
        with self.assertRaisesRegex(counts.Failure, "no more work"):
            counts.measure("troupe", "fork")

    def test_run_without_valgrind_says_what_to_do(self):
        with mock.patch.dict(os.environ, PATH=self.folder), \
                self.assertRaisesRegex(counts.Failure, "run tools/setup"):
            counts.run("/a/troupe", "fork", 0.5)


if __name__ == "__main__":
    unittest.main()
