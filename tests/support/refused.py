"""What must not compile does not: a program, and changes to it that the compiler must refuse.

Each change is (old, new, expected): `old` stands in the program exactly once, `new` takes its
place, and the compiler's messages must contain `expected`, or one of `several|alternatives`.
"""
import subprocess
import sys


def compile_text(command, text):
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def judge(command, program, changes):
    """What is wrong, an entry for each change."""
    status, messages = compile_text(command, program)
    if status != 0:
        yield "the program itself does not compile:\n" + messages
    for name, (old, new, expected) in changes.items():
        if program.count(old) != 1:
            yield f"{name}: the text to change is there {program.count(old)} times"
            continue
        status, messages = compile_text(command, program.replace(old, new))
        if status == 0:
            yield f"{name}: compiles"
        elif not any(word in messages for word in expected.split("|")):
            yield f"{name}: not a word of {expected}:\n{messages}"


def is_clang(compiler):
    done = subprocess.run(compiler + ["--version"], capture_output=True, text=True, check=False)
    return "clang" in done.stdout


def arguments():
    """Of a test: the include directory, then the compiler and its options."""
    return sys.argv[1], sys.argv[2:]


def run(program, changes, options=()):
    """The exit status of the test."""
    include, compiler = arguments()
    command = compiler + ["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-fexceptions", *options,
                          "-I", include, "-x", "c", "-c", "-o", "/dev/null", "-"]
    failed = list(judge(command, program, changes))
    print("\n".join(failed) or f"{len(changes)} mistakes refused")
    return 1 if failed else 0
