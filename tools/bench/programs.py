"""The programs that are compared: what each needs, how it is built and run."""
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = os.path.join(HERE, "peers")


class BuildError(Exception):
    """One line that says why a program cannot be measured."""


def execute(command, log, cwd=None, env=None):
    """Run a step of a build; its output goes to the log, the end of it into the error."""
    with open(log, "a", encoding="utf-8") as file:
        file.write("$ %s\n" % " ".join(command))
        file.flush()
        try:
            status = subprocess.call(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                                     stdout=file, stderr=file)
        except OSError as error:
            raise BuildError("%s: %s" % (command[0], error.strerror)) from error
    if status != 0:
        raise BuildError("%s failed, see %s" % (os.path.basename(command[0]),
                                                os.path.relpath(log, ROOT)))


def ask(*command):
    """First line of what a command says, or "" if it cannot be run."""
    try:
        text = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return text.strip().split("\n")[0]


def package_version(package):
    return ask("dpkg-query", "-W", "-f=${Version}", package)


def has_mimalloc():
    return bool(package_version("libmimalloc-dev"))


class Program:
    """Base: a program has a key for options, a title for tables, and packages it is built with."""

    key = title = idiom = ""
    packages = ()
    scale = {}  # workload: factor on its size, where the full size takes minutes
    build_as = None  # key of the program with whom it shares its build

    def __init__(self, build):
        self.dir = os.path.join(build, self.build_as or self.key)
        self.log = os.path.join(build, "%s.log" % (self.build_as or self.key))

    def needs(self):
        return list(self.packages)

    def runs(self, workload, workers):
        """Is there something to measure?"""
        del workload, workers
        return True

    def prepare(self):
        os.makedirs(self.dir, exist_ok=True)
        with open(self.log, "w", encoding="utf-8"):
            pass
        self.build()

    def build(self):
        raise NotImplementedError

    def command(self, workload, workers, scale):
        return [os.path.join(self.dir, "bench_%s" % (self.build_as or self.key)),
                workload, str(workers), repr(scale)]

    def version(self):
        raise NotImplementedError


class Troupe(Program):
    key = title = "troupe"
    packages = ("gcc", "libc6-dev", "meson", "ninja-build", "pkg-config", "liburcu-dev",
                "libck-dev", "libjson-c-dev", "libxxhash-dev")
    idiom = "meson's release build (-O3), nothing more: no LTO, no native instructions; " \
            "mailboxes bounded, addresses checked, statistics counted, as they always are"

    def build(self):
        if not os.path.exists(os.path.join(self.dir, "build.ninja")):
            shutil.rmtree(self.dir, ignore_errors=True)
            execute(["meson", "setup", "-Dbuildtype=release", "-Dtests=false", self.dir, ROOT],
                    self.log)
        execute(["ninja", "-C", self.dir, "tools/troupe/troupe"], self.log)

    def command(self, workload, workers, scale):
        return [os.path.join(self.dir, "tools", "troupe", "troupe"), "bench", workload,
                "--workers", str(workers), "--size", repr(scale), "--json"]

    def version(self):
        commit = ask("git", "-C", ROOT, "describe", "--always", "--dirty")
        number = re.search(r"version: '([\d.]+)'", read(os.path.join(ROOT, "meson.build")))
        return "%s%s, %s" % (number.group(1) if number else "?",
                             " (%s)" % commit if commit else "", ask("gcc", "--version"))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Tokio(Program):
    key = title = build_as = "tokio"
    packages = ("librust-tokio-dev", "libmimalloc-dev")
    kind = "multi"
    idiom = "a task and an unbounded mpsc channel; oneshot channels where one message comes; " \
            "mimalloc, fat LTO, native instructions; the multi_thread runtime"

    def needs(self):
        here = all(shutil.which(tool) for tool in ("cargo", "rustc"))
        return list(self.packages) + ([] if here else ["cargo", "rustc"])

    def build(self):
        # A copy: cargo writes Cargo.lock beside its manifest.
        source = os.path.join(self.dir, "source")
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(os.path.join(PEERS, "tokio"), source)
        env = {k: v for k, v in os.environ.items() if k not in ("RUSTFLAGS", "CARGO_TARGET_DIR")}
        features = ["--features", "mimalloc"] if has_mimalloc() else []
        execute(["cargo", "build", "--release", "--offline", "--target-dir",
                 os.path.join(self.dir, "target")] + features, self.log, cwd=source, env=env)
        shutil.copy2(os.path.join(self.dir, "target", "release", "bench_tokio"), self.dir)

    def command(self, workload, workers, scale):
        return super().command(workload, workers, scale) + [self.kind]

    def version(self):
        lock = read(os.path.join(self.dir, "source", "Cargo.lock"))
        number = re.search(r'name = "tokio"\nversion = "([^"]*)"', lock)
        return "%s, %s%s" % (number.group(1) if number else "?", ask("rustc", "--version"),
                             ", mimalloc" if has_mimalloc() else ", glibc's malloc")


class TokioCurrent(Tokio):
    key, title, kind = "tokio-ct", "tokio, current_thread", "current"
    idiom = "the same program on the current_thread runtime, which has one thread only"

    def runs(self, workload, workers):
        return workers == 1 and workload != "ask"


class Go(Program):
    key, title = "go", "Go"
    packages = ("golang-go",)
    idiom = "a goroutine and a channel, of the capacity that was fastest for each workload; " \
            "GOMAXPROCS as many as workers; the collector as Go sets it"

    def build(self):
        env = dict(os.environ, GOPROXY="off", GOTOOLCHAIN="local", GOFLAGS="",
                   GOCACHE=os.path.join(self.dir, "cache"))
        execute(["go", "build", "-o", os.path.join(self.dir, "bench_go"), "."], self.log,
                cwd=os.path.join(PEERS, "go"), env=env)

    def version(self):
        return ask("go", "version").replace("go version ", "")


class Erlang(Program):
    key, title = "erlang", "Erlang"
    packages = ("erlang-base",)
    idiom = "a process, +S as many as workers; off-heap message queues for who is flooded; " \
            "ask by a monitor with an alias, as gen_server:call does it"

    def build(self):
        shutil.copy2(os.path.join(PEERS, "erlang", "bench"), os.path.join(self.dir, "bench_erlang"))
        execute(["erlc", "-o", self.dir, os.path.join(PEERS, "erlang", "bench.erl")], self.log)

    def version(self):
        return "OTP %s (%s)" % (
            ask("erl", "-noshell", "-eval",
                'io:format("~s, ~s",[erlang:system_info(otp_release),'
                'erlang:system_info(emu_flavor)]),halt().'),
            package_version("erlang-base"))


class Caf(Program):
    key, title = "caf", "CAF"
    packages = ("libcaf-dev", "g++", "libmimalloc-dev")
    scale = {"fork": 0.1}
    idiom = "a class on the work-stealing scheduler, max-threads as many as workers; mimalloc, " \
            "LTO of our part, native instructions"

    def build(self):
        source = os.path.join(PEERS, "caf")
        files = [os.path.join(source, f) for f in sorted(os.listdir(source)) if f.endswith(".cpp")]
        # Nothing of mimalloc is named in the program: it has to be linked against its will.
        mimalloc = ["-Wl,--no-as-needed", "-lmimalloc"] if has_mimalloc() else []
        execute(["g++", "-std=c++17", "-O2", "-DNDEBUG", "-march=native", "-flto=auto"] + files +
                ["-o", os.path.join(self.dir, "bench_caf"), "-lcaf_core"] + mimalloc +
                ["-lpthread"], self.log)

    def version(self):
        return "%s, %s%s" % (package_version("libcaf-dev"), ask("g++", "--version"),
                             ", mimalloc" if has_mimalloc() else ", glibc's malloc")


ALL = [Troupe, Tokio, TokioCurrent, Go, Erlang, Caf]
OURS = Troupe.key
PEER_KEYS = [program.key for program in ALL if program is not Troupe]
