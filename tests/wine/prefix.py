"""wine prefixes, each a layer over one that is made once, with a server of its own in a network namespace of its own.

A program under wine does its input and output where the wineserver runs, not where it was started. So the server is started here,
in the namespace and in the foreground, and nothing is run unless that very process is alive and there: another server for the
same prefix would make it exit at once.
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

LOADER = next((path for path in ["/usr/lib/wine/wine64"] if os.path.exists(path)), "wine")
# wine needs certain addresses. Where the kernel has put something else there, which it does by chance, no program starts: "failed to
# map the shared user data", and status 1 without a word where wine is to be quiet. A container may forbid to leave chance out.
WITHOUT_CHANCE = ["setarch", "--addr-no-randomize"]
STARTED = [*(WITHOUT_CHANCE if subprocess.run([*WITHOUT_CHANCE, "true"], check=False).returncode == 0 else []), LOADER]
SERVER = next((path for path in ["/usr/lib/wine/wineserver64"] if os.path.exists(path)), "wineserver")
# A server that was started a moment ago listens within this many seconds, on a busy machine too.
STARTING = 60
# The variable that names a prefix that is there already.
MADE = "AMPLS_WINE_BASE"
# In a prefix: what is loaded before wine, see `mend`.
MENDED = "closed-once.so"

# What wine's own `start` writes on standard output, with status 1, where wine did not take the file that it was given for a program.
NOT_STARTED = b"Application could not be started"
# So often in one prefix that is tried again.
AGAIN = 3


class Refused(Exception):
    """What was to be run would not have run where it should."""


def namespace_of(process: int | str, kind: str = "net") -> str:
    return os.readlink(f"/proc/{process}/ns/{kind}")


class Namespace:
    """A network namespace with nothing but a loopback interface."""

    def __init__(self, name: str):
        self.name = f"wine-{os.getpid()}-{name}"
        self.outside = namespace_of("self")

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        self.id = subprocess.run(
            [*self.enter(), "readlink", "/proc/self/ns/net"], check=True, capture_output=True, text=True
        ).stdout.strip()
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def enter(self) -> list[str]:
        return ["ip", "netns", "exec", self.name]


class Here:
    """The namespace that this process is in, which must not be `outside`, that of the machine."""

    def __init__(self, outside: str):
        self.outside = outside

    def __enter__(self):
        self.id = namespace_of("self")
        return self

    def __exit__(self, *_):
        pass

    def enter(self) -> list[str]:
        return []


class Prefix:
    """A prefix over another one, or a new one, whose server runs in a namespace."""

    def __init__(self, namespace, below: pathlib.Path | None = None):
        self.namespace, self.below, self.again = namespace, below, AGAIN

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ampls-wine-"))
        self.path = self.folder / "prefix"
        self.path.mkdir()
        self.server = None
        keep = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ}
        # Menus and the like belong to nobody's home.
        self.environment = keep | {
            "HOME": str(self.folder),
            "WINEPREFIX": str(self.path),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
        }
        try:
            if self.below:
                for layer in ("upper", "work"):
                    (self.folder / layer).mkdir()
                layers = f"lowerdir={self.below},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
                subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, str(self.path)], check=True)
                if not (self.path / MENDED).exists():
                    raise Refused("the prefix below is of an earlier version: make it anew")
                self.environment["LD_PRELOAD"] = str(self.path / MENDED)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        self.c = self.path / "drive_c"
        return self

    def start(self):
        # The server ends with the process that started it, however that ends.
        words = [*self.namespace.enter(), "setpriv", "--pdeathsig", "KILL", SERVER, "-f", "-p"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.server = subprocess.Popen(words, env=self.environment, **quiet)
        began = time.monotonic()
        while not (self.sockets() / "socket").exists():
            if self.server.poll() is not None or time.monotonic() - began > STARTING:
                raise Refused("the wineserver does not start, or there is one for this prefix elsewhere")
            time.sleep(0.05)

    def sockets(self) -> pathlib.Path:
        """Where the server of the prefix listens: Debian's wine writes a name of its own for that into the prefix."""
        seen, named = self.path.stat(), self.path / "wineserver"
        folder = named.read_text().strip() if named.exists() else f".wine-{os.getuid()}"
        return pathlib.Path("/tmp") / folder / f"server-{seen.st_dev:x}-{seen.st_ino:x}"

    def guard(self):
        """Called before anything is run."""
        if self.server.poll() is not None:
            raise Refused("the wineserver has ended: the next one would start wherever it is asked for")
        if namespace_of(self.server.pid) != self.namespace.id:
            raise Refused("the wineserver is not in the namespace")
        if self.namespace.id == self.namespace.outside:
            raise Refused("the namespace is the machine's own")

    def run(self, *words: str, timeout: float = 300, cwd: str | None = None, pass_on: bool = False, variables=()):
        """Runs a program of Windows and gives what `subprocess.run` does; `TimeoutExpired` where it does not end.

        What it says goes into files: services that it starts keep a pipe open for as long as the server lives.

        Where wine runs its own `start` in place of the program, that is said, and the program is run again. What a program of
        ours writes or leaves out is never a reason.
        """
        while True:
            done = self.once(words, timeout, cwd, pass_on, variables)
            if done.returncode != 1 or not done.stdout.startswith(NOT_STARTED) or self.again == 0:
                return done
            self.again -= 1
            print(f"wine did not start it, and it is run again: {' '.join(words)}", flush=True)

    def once(self, words, timeout: float, cwd: str | None, pass_on: bool, variables):
        self.guard()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            said = {} if pass_on else {"stdout": out, "stderr": err}
            done = subprocess.run(
                [*self.namespace.enter(), *STARTED, *words],
                env=self.environment | dict(variables),
                stdin=subprocess.DEVNULL,
                timeout=timeout,
                check=False,
                cwd=cwd,
                **said,
            )
            out.seek(0)
            err.seek(0)
            done.stdout, done.stderr = out.read(), err.read()
        return done

    def forget(self):
        """Removes where the server listened; of the folder of all servers only an empty one goes."""
        subprocess.run(["rm", "-rf", str(self.sockets())], check=False)
        subprocess.run(["rmdir", str(self.sockets().parent)], stderr=subprocess.DEVNULL, check=False)

    def end_all(self):
        """Drivers and services outlive their server; they are known by the prefix, which is in no other program's environment."""
        own = f"WINEPREFIX={self.path}".encode()
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if own in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue

    def __exit__(self, *_):
        if self.server:
            self.server.kill()
            self.server.wait()
            self.end_all()
            self.forget()
        if os.path.ismount(self.path):
            subprocess.run(["umount", "--lazy", str(self.path)], check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", str(self.folder)], check=False)


class Base:
    """A prefix of Windows 10, made once: a layer over it starts in seconds. `all` makes one for every runner."""

    def __enter__(self):
        self.prefix = None
        if MADE in os.environ:
            self.path = pathlib.Path(os.environ[MADE])
            return self
        self.namespace = Namespace("base").__enter__()
        try:
            self.prefix = Prefix(self.namespace).__enter__()
        except BaseException:
            self.namespace.__exit__()
            raise
        try:
            self.prefix.run("wineboot", "--init", timeout=900)
            self.prefix.run("winecfg", "-v", "win10")
            shim(self.prefix.c / "windows/system32/bcryptprimitives.dll")
            mend(self.prefix.path / MENDED)
            # What the server holds in memory is written when it is asked to end.
            ended = subprocess.run([SERVER, "-k15"], env=self.prefix.environment, check=False)
            self.prefix.server.wait(timeout=120)
            if ended.returncode or not (self.prefix.path / "system.reg").exists():
                raise Refused("no prefix could be made")
            # A layer's server is another one.
            self.prefix.forget()
            (self.prefix.path / "wineserver").unlink(missing_ok=True)
        except BaseException:
            self.__exit__()
            raise
        self.path = self.prefix.path
        return self

    def __exit__(self, *_):
        if self.prefix:
            self.prefix.__exit__()
            self.namespace.__exit__()


def shim(path: pathlib.Path):
    """Debian's wine lacks this library, without which no Rust program starts; it passes on to the one that wine has."""
    source = path.with_suffix(".c")
    source.write_text(
        "#include <windows.h>\n"
        "BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);\n"
        "__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE b, SIZE_T n){\n"
        "  while(n){ ULONG c = n > 0x1000000 ? 0x1000000 : (ULONG)n;\n"
        "    if(!SystemFunction036(b,c)) return FALSE; b+=c; n-=c; } return TRUE; }\n"
    )
    command = ["x86_64-w64-mingw32-gcc", "-shared", "-O2", "-s", "-o", str(path), str(source), "-ladvapi32"]
    subprocess.run(command, check=True)


def mend(path: pathlib.Path):
    """wine's crypt32 gives the file of root certificates to `fdopen`, closes what that made, and then the file once more. In
    between another thread may have opened something, and that is closed: reading a file fails with `invalid handle`, once in some
    hundred runs. Here `fdopen` gets a duplicate for it, so that each is closed once.
    Source: `import_certs_from_path` and `import_certs_from_file` in dlls/crypt32/unixlib.c of wine 8.0
    """
    if not list(pathlib.Path("/usr/lib").glob("**/wine/*-unix/crypt32.so")):
        raise Refused("wine has no crypt32.so of that name: look how it closes its files now")
    source = path.with_suffix(".c")
    source.write_text(
        "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stdio.h>\n#include <string.h>\n#include <unistd.h>\n"
        "FILE *fdopen(int file, const char *mode) {\n"
        "  FILE *(*next)(int, const char *) = (FILE *(*)(int, const char *))dlsym(RTLD_NEXT, \"fdopen\");\n"
        "  Dl_info asks;\n"
        "  int known = dladdr(__builtin_return_address(0), &asks) && asks.dli_fname;\n"
        "  return next(known && strstr(asks.dli_fname, \"/crypt32.\") ? dup(file) : file, mode);\n"
        "}\n"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-s", "-o", str(path), str(source)], check=True)


def finish(faults: dict[str, list[str]]) -> int:
    """Prints what differs, and gives the status."""
    for name, found in faults.items():
        for fault in found:
            print(f"{name}: {fault}")
    failed = sum(1 for found in faults.values() if found)
    print(f"{len(faults) - failed} passed, {failed} failed")
    return 1 if failed else 0


def as_root():
    if os.getuid() != 0:
        sys.exit("namespaces and layers need root")
