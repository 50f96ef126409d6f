#!/usr/bin/env python3
"""What the documents tell a reader to do, works.

    ```sh     the block is run by bash in a copy of the repository, stopping at
              the first command that fails; the copy lasts from block to block
    ```c      with a main: equals an example byte for byte, compiles against the
              built library and runs
    [x](y)    y exists in the repository

Blocks of any other language (text, console ...) are for reading only. Commands
that need too long or a network, or that change the machine, are listed in
ELSEWHERE with what is run instead.
"""
import argparse
import difflib
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

# First words of a command: what is run instead, and why.
ELSEWHERE = {
    "tools/check": "tools/check --help",    # minutes; continuous integration runs it
    "tools/demo": "tools/demo --help",      # a minute, 500 MB of disk
    "tools/setup": "tools/setup --check",   # it may install packages
    ".ci/run": "test -x .ci/run",           # tools/check by another name
    "git clone": "true",                    # the copy stands for the clone
    "cd troupe": "true",                    # it is where blocks begin
    "meson install": "true",                # tests/install does, elsewhere
    "ninja install": "true",
    "ldconfig": "true",
    "apt-get": "true",
    "apt": "true",
}
BLOCK_SECONDS = 300

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```[ \t]*$", re.M | re.S)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
OPTION_C = re.compile(r"^(meson|ninja)((?:\s+-C\s*\S+)?)\s+(install)\b")


class Failure(Exception):
    pass


def blocks(text):
    """(line of the opening fence, language, body) of each fenced block."""
    for match in FENCE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def instead(command):
    """The command, or what stands for it."""
    plain = re.sub(r"^sudo\s+(-\S+\s+)*", "", command.strip())
    plain = OPTION_C.sub(r"\1 \3", plain)
    for words, other in ELSEWHERE.items():
        if plain == words or plain.startswith(words + " "):
            return other
    return command


def script_of(body):
    """The block with each long command replaced; a command may span lines with \\."""
    lines = body.replace("\\\n", " ").splitlines()
    return "\n".join(" && ".join(instead(part) for part in line.split(" && ")) for line in lines)


def run_shell(line, body, folder):
    guard = 'set -eu -o pipefail\ntrap \'echo "failed: $BASH_COMMAND" >&2\' ERR\n'
    try:
        done = subprocess.run(["bash", "-c", guard + script_of(body)], cwd=folder, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=BLOCK_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failure("%d: sh block runs for more than %d s" % (line, BLOCK_SECONDS)) from error
    if done.returncode != 0:
        raise Failure("%d: sh block: exit %d\n%s"
                      % (line, done.returncode, "\n".join(done.stdout.splitlines()[-30:])))


def same_as_example(line, body, root):
    best, best_ratio, best_text = None, 0.0, ""
    for path in sorted(glob.glob(os.path.join(root, "examples", "**", "*.c"), recursive=True)):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if text == body:
            return
        ratio = difflib.SequenceMatcher(None, text, body).quick_ratio()
        if ratio > best_ratio:
            best, best_ratio, best_text = os.path.relpath(path, root), ratio, text
    diff = difflib.unified_diff(best_text.splitlines(), body.splitlines(), str(best), "README",
                                lineterm="")
    raise Failure("%d: c block equals no file in examples/; the nearest:\n%s"
                  % (line, "\n".join(diff)))


def compile_and_run(line, body, root, build):
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "block.c"), os.path.join(folder, "block")
        with open(source, "w", encoding="utf-8") as file:
            file.write(body)
        flags = "-std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -fexceptions -pthread".split()
        run_or_fail(line, shlex.split(os.environ.get("CC", "cc")) + flags +
                    ["-I", os.path.join(root, "include"), source, "-o", program,
                     "-L", build, "-ltroupe", "-Wl,-rpath," + build])
        run_or_fail(line, [program])


def run_or_fail(line, command):
    try:
        done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failure("%d: c block: runs for more than 60 s" % line) from error
    if done.returncode != 0:
        raise Failure("%d: c block: %s: exit %d\n%s" % (line, os.path.basename(command[0]),
                                                       done.returncode, done.stdout))


def check_links(path, text):
    for target in LINK.findall(re.sub(r"```.*?^```", "", text, flags=re.M | re.S)):
        name = target.split("#")[0]
        if name and not re.match(r"[a-z]+:", name):
            if not os.path.exists(os.path.join(os.path.dirname(path), name)):
                raise Failure("link to %s, which does not exist" % name)


def check_blocks(text, root, build):
    """Run every block; the number of sh and c blocks that ran."""
    ran = 0
    with tempfile.TemporaryDirectory() as parent:
        copy = os.path.join(parent, "troupe")
        shutil.copytree(root, copy, symlinks=True,
                        ignore=shutil.ignore_patterns(".git", "build", "build-*"))
        for line, language, body in blocks(text):
            if language == "sh":
                run_shell(line, body, copy)
                ran += 1
            elif language == "c" and re.search(r"\bmain\s*\(", body):
                same_as_example(line, body, root)
                compile_and_run(line, body, root, build)
                ran += 1
    return ran


def documents(root):
    yield from glob.glob(os.path.join(root, "*.md"))
    for folder in ("docs", "mem", "channels", "runtime", "tests", "tools", "examples"):
        yield from glob.glob(os.path.join(root, folder, "**", "*.md"), recursive=True)


def main():
    parser = argparse.ArgumentParser(description="Check README.md and the links of all documents.")
    parser.add_argument("root", help="the repository")
    parser.add_argument("build", help="its build directory, with libtroupe.so")
    options = parser.parse_args()
    root, build = os.path.abspath(options.root), os.path.abspath(options.build)
    readme = os.path.join(root, "README.md")
    failed = 0

    for path in [readme] + sorted(p for p in documents(root) if p != readme):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            check_links(path, text)
            if path == readme and check_blocks(text, root, build) == 0:
                raise Failure("holds no sh block and no c block with a main: nothing was checked")
        except (Failure, OSError) as error:
            print("%s:%s" % (os.path.relpath(path, root), error))
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
