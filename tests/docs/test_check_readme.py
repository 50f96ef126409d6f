#!/usr/bin/env python3
"""check_readme.py fails when what a README says does not work."""
import os
import subprocess
import sys
import tempfile
import unittest

CHECK = sys.argv.pop(1) if len(sys.argv) > 1 else "tests/docs/check_readme.py"

HELLO = "#include <stdio.h>\nint main(void)\n{\n    return puts(\"hello\") < 0;\n}\n"
FAILS = HELLO.replace("< 0", ">= 0")
SH = "```sh\ntrue\n```\n"


def check(readme, **files):
    """Run on a small repository: (exit status, output)."""
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, "examples", "hello"))
        os.makedirs(os.path.join(root, "build"))
        everything = {"README.md": readme, "examples/hello/hello.c": HELLO,
                      "examples/hello/fails.c": FAILS, "there.txt": "x"}
        everything.update({name.replace("__", "/"): text for name, text in files.items()})
        for name, text in everything.items():
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(text)
        # An empty archive stands for the library.
        subprocess.run(["ar", "rc", os.path.join(root, "build", "libtroupe.a")], check=True)
        done = subprocess.run([sys.executable, CHECK, root, os.path.join(root, "build")],
                              stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stdout


class TestCheckReadme(unittest.TestCase):
    def passes(self, readme):
        self.assertEqual(check(readme), (0, ""))

    def fails(self, readme, message):
        status, output = check(readme)
        self.assertEqual(status, 1)
        self.assertIn(message, output)

    def test_readme_good_blocks_pass(self):
        self.passes(SH + "```c\n" + HELLO + "```\n[there](there.txt) [net](https://x.y)\n")

    def test_readme_failed_command_is_named(self):
        self.fails("x\n```sh\ntrue\ncat no-such-file\ntrue\n```\n", "failed: cat no-such-file")

    def test_readme_failed_command_in_pipe_fails(self):
        self.fails("```sh\nfalse | cat\n```\n", "README.md:1: sh block: exit 1")

    def test_readme_block_sees_what_the_one_before_made(self):
        self.passes("```sh\necho x >made\n```\n```sh\ngrep -q x made\n```\n")

    def test_readme_copy_does_not_touch_the_repository(self):
        self.fails("```sh\nrm there.txt\n```\n```sh\ncat there.txt\n```\n[x](there.txt)\n",
                   "failed: cat there.txt")

    def test_readme_long_command_is_not_run(self):
        self.passes("```sh\ngit clone https://x.invalid/troupe && cd troupe\n"
                    "sudo meson install -C build\nsudo ninja -C build install\n```\n")

    def test_readme_long_command_must_exist(self):
        self.fails("```sh\ntools/check\n```\n", "failed: tools/check --help")

    def test_readme_text_block_is_not_run(self):
        self.passes(SH + "```text\nfalse\n```\n```console\nfalse\n```\n```c\nint x;\n```\n")

    def test_readme_c_block_that_differs_from_example_fails(self):
        self.fails("```c\n" + HELLO.replace("hello", "hallo") + "```\n", '+    return puts("hallo")')

    def test_readme_c_block_that_exits_1_fails(self):
        self.fails("```c\n" + FAILS + "```\n", "block: exit 1")

    def test_readme_dead_link_fails(self):
        self.fails(SH + "[x](gone.md)\n", "gone.md")

    def test_readme_dead_link_of_other_document_fails(self):
        status, output = check(SH, **{"OTHER.md": "[x](gone.md#top)"})
        self.assertEqual(status, 1)
        self.assertIn("OTHER.md", output)

    def test_readme_without_blocks_fails(self):
        self.fails("words\n", "nothing was checked")


if __name__ == "__main__":
    unittest.main()
