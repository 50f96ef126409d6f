#!/usr/bin/env python3
"""tools/testlog counts what ran, and takes a program that stops half-way for failed."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

TESTLOG = sys.argv.pop(1) if len(sys.argv) > 1 else "tools/testlog"

RUN_TWO = "[==========] Running 2 test(s).\n"
OK_A = "[       OK ] test_a\n"
OK_B = "[       OK ] test_b\n"


def testlog(records, *options):
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "meson-logs"))
        if records:
            with open(os.path.join(folder, "meson-logs", "testlog-x.json"), "w",
                      encoding="utf-8") as file:
                for result, stdout, stderr in records:
                    file.write(json.dumps({"name": "p", "result": result, "stdout": stdout,
                                           "stderr": stderr}) + "\n")
        return subprocess.run([sys.executable, TESTLOG, *options, folder], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()


class TestTestlog(unittest.TestCase):
    def test_testlog_cmocka_program_counts_its_tests(self):
        self.assertEqual(testlog([("OK", RUN_TWO + OK_A + OK_B, "")]), "2 0 0")

    def test_testlog_other_program_counts_as_one(self):
        self.assertEqual(testlog([("OK", "fine", ""), ("FAIL", "", "bad")]), "1 1 0")

    def test_testlog_failed_test_is_counted_once(self):
        bad = "[  FAILED  ] test_b\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] test_b\n"
        self.assertEqual(testlog([("FAIL", RUN_TWO + OK_A, bad)]), "1 1 0")

    def test_testlog_teardown_error_is_failed(self):
        self.assertEqual(testlog([("FAIL", RUN_TWO + OK_A, "[  ERROR   ] test_b\n")]), "1 1 0")

    def test_testlog_crash_and_timeout_are_failed(self):
        self.assertEqual(testlog([("FAIL", RUN_TWO + OK_A, ""), ("TIMEOUT", "", "")]), "1 2 0")

    def test_testlog_program_that_stops_half_way_is_failed(self):
        self.assertEqual(testlog([("OK", RUN_TWO + OK_A, "")]), "1 1 0")

    def test_testlog_output_repeated_by_a_child_is_counted_once(self):
        self.assertEqual(testlog([("OK", RUN_TWO + OK_A + RUN_TWO + OK_A + OK_B, "")]), "2 0 0")

    def test_testlog_skipped_is_neither(self):
        skipped = "[  SKIPPED ] test_b\n"
        self.assertEqual(testlog([("OK", RUN_TWO + OK_A + skipped, ""), ("SKIP", "", "")]),
                         "1 0 2")

    def test_testlog_nothing_ran_counts_nothing(self):
        self.assertEqual(testlog([]), "0 0 0")

    def test_testlog_failures_show_end_of_output(self):
        shown = testlog([("FAIL", "", "ThreadSanitizer: data race"), ("OK", "fine", "")],
                        "--failures")
        self.assertIn("data race", shown)
        self.assertNotIn("fine", shown)


if __name__ == "__main__":
    unittest.main()
