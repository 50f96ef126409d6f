"""Count the locked instructions of one operation: where each is, and how often it runs.

    locked.py TROUPE WORKLOAD [WORKERS]

Runs the workload under callgrind with two sizes, which counts how often each instruction
runs, and asks objdump which of them are locked (a lock prefix, or an exchange with memory).
What the larger size needs more, divided by the operations that it does more, is the figure.
Such an instruction is what makes a core own a cache line: the more of them an operation has
on lines that others write too, the less it gains by more cores. Needs valgrind and objdump.
"""
import sys

sys.dont_write_bytecode = True  # before our own modules: no __pycache__ beside them

import collections  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402

SIZES = (0.02, 0.06)
LEAST = 0.001  # locked instructions an operation: what is less often is not shown

DISASSEMBLY = re.compile(r"^\s+([0-9a-f]+):\s+(.*)$")
OURS = re.compile(r"/(libtroupe|liburcu|libck)[^/]*$|/troupe$")
LOCKED = re.compile(r"^(lock |xchg .*\()")


def locked_instructions(program):
    """Address -> text of each."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], check=True,
                             capture_output=True, text=True).stdout
    found = {}
    for line in listing.splitlines():
        match = DISASSEMBLY.match(line)
        if match and LOCKED.match(match[2]):
            found[int(match[1], 16)] = re.sub(r"\s+", " ", match[2].split("#")[0]).strip()
    return found


def executions(file):
    """(object file, function, address) -> how often."""
    counts = collections.Counter()
    names, object_names = {}, {}
    program, function, is_call, address = "", "", False, 0

    def name_of(table, text):
        match = re.match(r"\((\d+)\)(?: (.*))?", text)
        if match[2] is not None:
            table[match[1]] = match[2]
        return table[match[1]]

    for line in file:
        key, _, value = line.rstrip("\n").partition("=")
        if key == "ob":
            program = name_of(object_names, value)
        elif key == "cob":
            name_of(object_names, value)
        elif key == "fn":
            function = name_of(names, value)
        elif key == "cfn":
            name_of(names, value)
        elif key == "calls":
            is_call = True  # the next line is what the call cost, not an instruction
        elif line[:2] == "0x" or line[:1] in "+-*":
            where = line.split()[0]
            address = (int(where, 16) if where[:2] == "0x" else address if where == "*"
                       else address + int(where, 16))
            if not is_call:
                counts[program, function, address] += int(line.split()[2])
            is_call = False
    return counts


def run(program, workload, size, workers):
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "out")
        result = subprocess.run(
            ["valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-pos=no",
             "--callgrind-out-file=" + out, program, "bench", workload, "--json",
             "--size", str(size), "--workers", str(workers)],
            check=True, capture_output=True, text=True)
        with open(out, encoding="utf-8") as file:
            return json.loads(result.stdout)["ops"], executions(file)


def main(arguments):
    if len(arguments) not in (2, 3):
        sys.exit(__doc__.strip())
    program, workload = os.path.realpath(arguments[0]), arguments[1]
    workers = int(arguments[2]) if len(arguments) == 3 else 1
    (ops, few), (more_ops, many) = (run(program, workload, size, workers) for size in SIZES)
    programs = {key[0] for key in many if OURS.search(key[0])}
    locked = {path: locked_instructions(path) for path in programs}
    total = 0.0
    for key, count in sorted(many.items(), key=lambda item: -item[1]):
        path, function, address = key
        each = (count - few[key]) / (more_ops - ops)
        if address not in locked.get(path, ()) or each < LEAST:
            continue
        total += each
        print(f"{each:8.3f}  {function:32} {locked[path][address]}")
    print(f"{total:8.3f}  locked instructions an operation, {workload}, {workers} worker(s)")


if __name__ == "__main__":
    main(sys.argv[1:])
