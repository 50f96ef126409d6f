#!/usr/bin/env python3
"""PROGRAM EXPECTED: the program succeeds, says nothing on standard error, and
prints what is in the file."""
import difflib
import subprocess
import sys

program, expected = sys.argv[1:]
done = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                      timeout=60, check=False)
with open(expected, encoding="utf-8") as file:
    wanted = file.read()
sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), done.stdout.splitlines(True),
                                           expected, "printed"))
sys.stdout.write(done.stderr)
if done.returncode != 0:
    print("%s gave %d" % (program, done.returncode))
sys.exit(done.returncode != 0 or done.stderr != "" or done.stdout != wanted)
