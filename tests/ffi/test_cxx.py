#!/usr/bin/env python3
"""A program of one C++ and one C file builds against troupe and does what it should.

    test_cxx.py SOURCE_DIRECTORY LIBRARY_DIRECTORY SANITIZERS COMPILER [ARGUMENT ...]

from_cxx.cpp and shared.c, with the C++ compiler that belongs to COMPILER (whose
sanitizers' runtime the library needs). Skipped (77) when that is not installed.
"""
import os
import shutil
import subprocess
import sys
import tempfile

WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"exit {done.returncode}: {' '.join(command)}\n{done.stdout}")
    return done.stdout


def main():
    source, library, sanitizers, *cc = sys.argv[1:]
    cxx = "clang++" if "clang" in os.path.basename(cc[-1]) else "g++"
    if shutil.which(cxx) is None:
        print(f"skipped: {cxx} is not installed")
        return 77
    here = os.path.join(source, "tests", "ffi")
    flags = ["-g", "-O1", "-fexceptions", "-I", os.path.join(source, "include")]
    if sanitizers != "none":
        flags.append("-fsanitize=" + sanitizers)
    with tempfile.TemporaryDirectory() as scratch:
        shared, program = os.path.join(scratch, "shared.o"), os.path.join(scratch, "from_cxx")
        run([*cc, "-std=gnu17", "-D_GNU_SOURCE", *WARNINGS, *flags, "-c", os.path.join(here, "shared.c"),
             "-o", shared])
        run([cxx, "-std=gnu++17", *WARNINGS, *flags, os.path.join(here, "from_cxx.cpp"), shared,
             "-o", program, "-L", library, "-ltroupe", "-Wl,-rpath," + library, "-pthread"])
        said = run([program])
    if said != "from_cxx: ok\n":
        sys.exit(f"the program said: {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
