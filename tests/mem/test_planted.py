#!/usr/bin/env python3
"""Run the programs of tests/mem/planted under ThreadSanitizer: each wrong variant
must be reported, no right one may ever be.

The bugs are laid out so that every run shows them; a report may still be lost
when the tool's memory of past accesses is overwritten, so a wrong variant has
ATTEMPTS runs. A right variant has REPEATS, and each must be silent."""
import os
import subprocess
import sys
import unittest

ATTEMPTS = 20
REPEATS = 5
REPORTED = 66
PROGRAMS = sys.argv[1:]
OPTIONS = "exitcode=%d:halt_on_error=1:atexit_sleep_ms=50" % REPORTED
ENVIRONMENT = dict(os.environ, TSAN_OPTIONS=OPTIONS)


def command():
    """Some versions of the tool want addresses that are not randomised."""
    try:
        subprocess.run(["setarch", "-R", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return ["setarch", "-R"]


def run(program, variant):
    return subprocess.run(command() + [program, variant], env=ENVIRONMENT, timeout=60,
                          capture_output=True, text=True)


class Planted(unittest.TestCase):
    def test_wrong_variant_is_reported(self):
        for program in PROGRAMS:
            with self.subTest(os.path.basename(program)):
                for _ in range(ATTEMPTS):
                    result = run(program, "wrong")
                    self.assertIn(result.returncode, (0, REPORTED), result.stderr)
                    if result.returncode == REPORTED:
                        self.assertIn("WARNING: ThreadSanitizer", result.stderr)
                        break
                else:
                    self.fail("not reported in %d runs" % ATTEMPTS)

    def test_right_variant_is_silent(self):
        for program in PROGRAMS:
            with self.subTest(os.path.basename(program)):
                for _ in range(REPEATS):
                    result = run(program, "right")
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assertEqual(result.stderr, "")

    def test_there_are_programs(self):
        self.assertTrue(PROGRAMS)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
