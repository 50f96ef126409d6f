#!/usr/bin/env python3
"""Each public header compiles as C++17, alone and with all others.

    test_headers_cxx.py INCLUDE_DIRECTORY

With g++ and with clang++, each with and without exceptions. A compiler that is not
installed is skipped by name; without any the test is skipped (77).
"""
import os
import shutil
import subprocess
import sys

FLAGS = ["-std=gnu++17", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-fsyntax-only", "-x", "c++"]


def headers_of(directory):
    found = []
    for at, _, names in os.walk(os.path.join(directory, "troupe")):
        found += [os.path.relpath(os.path.join(at, name), directory) for name in names if name.endswith(".h")]
    return sorted(found)


def complaint(compiler, directory, headers, flags):
    source = "".join(f"#include <{header}>\n" for header in headers)
    done = subprocess.run([compiler, *FLAGS, *flags, "-I", directory, "-"], input=source,
                          capture_output=True, text=True, check=False)
    return done.stderr or f"exit {done.returncode}" if done.returncode != 0 else ""


def main():
    directory = sys.argv[1]
    headers = headers_of(directory)
    if not headers:
        sys.exit(f"no headers in {directory}")
    compilers = [compiler for compiler in ("g++", "clang++") if shutil.which(compiler)]
    for compiler in {"g++", "clang++"} - set(compilers):
        print(f"skipped: {compiler} is not installed")
    if not compilers:
        return 77
    failed = 0
    for compiler in compilers:
        for flags in [], ["-fno-exceptions"]:
            for group in [[header] for header in headers] + [headers, headers[::-1]]:
                text = complaint(compiler, directory, group, flags)
                if text:
                    failed += 1
                    print(f"{compiler} {' '.join(flags)}: {group[0]}{' ...' if len(group) > 1 else ''}:\n{text}")
    print(f"{len(headers)} headers, {len(compilers)} compilers, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
