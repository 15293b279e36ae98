"""What an interpreter can do: its version, tags, markers and installation paths.

Owns the facts and how to get them: a child process runs `probe.py` under the
interpreter in question.  Does not look for interpreters and does not touch the
cache: it takes and returns bytes.  Rules:

* The child is started at once and asked for its answer later, so that it runs
  beside the caller's own imports.
* Facts of a virtual environment say nothing about that one environment: its
  paths are relative, and all environments of one base share them.
* Whether an environment is externally managed is not a fact to remember: people
  delete that file.

Source: PEP 425, PEP 508, PEP 668.
"""

import os
import subprocess
from typing import NamedTuple

from engine.environment.probe import BEGIN, END
from engine.environment.target import is_executable
from engine.errors import InvalidEnvironment

FORMAT = 2
_TEXTS = ("version", "implementation", "executable", "prefix", "stdlib", "cache_tag", "bytecode_magic")
_SCHEME_KEYS = ("purelib", "platlib", "scripts", "headers", "data")
_ASK_IDENTITY = (
    "import os, sys; sys.stdout.buffer.write(os.fsencode('\\0'.join((sys.executable, sys.implementation.name,"
    " '.'.join(map(str, sys.version_info[:3]))))))"
)
_ASK_TIMEOUT_SECONDS = 30
_MANAGED_BY_OTHERS = "This environment is managed by something else."


class Interpreter(NamedTuple):
    """The facts of one interpreter.

    Attributes:
        version: such as `3.12.1`.
        implementation: such as `cpython`.
        executable: absolute path; of the base interpreter if `is_virtual`.
        prefix: the interpreter's own; of the base interpreter if `is_virtual`.
        stdlib: folder of the standard library.
        cache_tag: what compiled files are named by, such as `cpython-312`; "" when it keeps none.
        bytecode_magic: the number of its bytecode's format in hex.
        is_virtual: the facts are about virtual environments of this interpreter.
        schemes: folders for `purelib`, `platlib`, `scripts`, `headers` (without
            the project's name) and `data`; relative to the environment with `/`
            between parts if `is_virtual`, else absolute.
        markers: the complete marker environment, without `extra`.
        tags: what wheels it takes, best first, such as `py3-none-any`.
    """

    version: str
    implementation: str
    executable: str
    prefix: str
    stdlib: str
    is_virtual: bool
    schemes: dict[str, str]
    markers: dict[str, str]
    tags: tuple[str, ...]
    cache_tag: str = ""
    bytecode_magic: str = ""

    @property
    def tag_priority(self) -> dict[str, int]:
        """The position of each tag in `tags`; lower is better."""
        return {tag: place for place, tag in enumerate(self.tags)}

    @property
    def externally_managed(self) -> str | None:
        """Why this interpreter's own environment may not be changed, or None; reads the disk each time.

        Source: PEP 668, "Marking an interpreter as using an external package manager".
        """
        return None if self.is_virtual else read_externally_managed(self.stdlib)

    def to_json(self) -> bytes:
        """Returns the bytes that `from_json` reads back."""
        import json

        fields = {text: getattr(self, text) for text in _TEXTS}
        fields |= {"is_virtual": self.is_virtual, "schemes": self.schemes, "markers": self.markers, "tags": self.tags}
        return json.dumps({"format": FORMAT, **fields}, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, body: bytes) -> "Interpreter | None":
        """Reads facts; None if the bytes are damaged or of another format."""
        import json

        try:
            fields = json.loads(body)
            if fields["format"] != FORMAT:
                return None
            return _from_fields(fields)
        except (ValueError, KeyError, TypeError):
            return None


class Probe:
    """A child process that is finding out about an interpreter.

    Either `result` or `cancel` must be called; afterwards no child is left.
    """

    def __init__(self, executable: str, process: "subprocess.Popen[bytes]") -> None:
        self._executable = executable
        self._process = process

    def result(self, timeout_seconds: float = 60) -> Interpreter:
        """Waits for the child and returns the facts.

        Raises:
            InvalidEnvironment: when the interpreter fails, answers with something
                else, or takes longer than `timeout_seconds`.
        """
        try:
            stdout, stderr = self._process.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            raise _unusable(self._executable, f"no answer within {timeout_seconds:g} seconds") from None
        finally:
            self.cancel()
        if self._process.returncode:
            raise _unusable(self._executable, last_line(stderr) or f"exit status {self._process.returncode}")
        try:
            return parse_probe(stdout)
        except ValueError:
            reason = last_line(stderr) or "it does not answer as a Python interpreter does"
            raise _unusable(self._executable, reason) from None

    def cancel(self) -> None:
        """Ends the child, if it still runs; may be called at any time."""
        with self._process as process:
            if process.poll() is None:
                process.kill()


def start_probe(executable: str, *, is_virtual: bool) -> Probe:
    """Starts finding out about an interpreter and returns at once.

    Args:
        executable: absolute path of the interpreter, of a virtual environment's
            one, or of a shim.
        is_virtual: the facts wanted are those of virtual environments.

    Raises:
        InvalidEnvironment: when it cannot be started.
    """
    try:
        process = subprocess.Popen(
            probe_command(executable, is_virtual=is_virtual),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment(),
        )
    except OSError as exc:
        raise _unusable(executable, exc.strerror or str(exc)) from exc
    return Probe(executable, process)


def probe_command(executable: str, *, is_virtual: bool) -> list[str]:
    """Returns the command that prints the facts; `-B`, as it would write into our `packaging`."""
    import packaging

    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe.py")
    kind = "virtual" if is_virtual else "plain"
    return [executable, "-I", "-S", "-B", script, os.path.abspath(packaging.__path__[0]), kind]


def parse_probe(stdout: bytes) -> Interpreter:
    """Returns the facts in what the probe printed, whatever else a shim printed around them.

    Raises:
        ValueError: when there are none, or they are incomplete.
    """
    import json

    body = stdout.partition(BEGIN.encode())[2].partition(END.encode())[0]
    try:
        return _from_fields(json.loads(body))
    except (KeyError, TypeError) as exc:
        raise ValueError(f"incomplete facts: {exc}") from exc


def ask_identity(path: str) -> tuple[str, str, str] | None:
    """Returns executable, implementation and version of an interpreter of Python 3, or None for anything else.

    Args:
        path: absolute path of an interpreter or of a script that starts one.
    """
    try:
        run = subprocess.run(
            [path, "-I", "-S", "-c", _ASK_IDENTITY],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_TIMEOUT_SECONDS,
            env=child_environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = os.fsdecode(run.stdout).split("\0")
    if run.returncode or len(answer) != 3 or not is_executable(answer[0]):
        return None
    return answer[0], answer[1], answer[2]


def read_externally_managed(stdlib: str) -> str | None:
    """Returns what `EXTERNALLY-MANAGED` in the folder of the standard library says, or None if it is not there.

    Source: PEP 668, "Marking an interpreter as using an external package manager".
    """
    path = os.path.join(stdlib, "EXTERNALLY-MANAGED")
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except FileNotFoundError:
        return None
    except OSError:
        return _MANAGED_BY_OTHERS
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
        return parser["externally-managed"]["error"].strip() or _MANAGED_BY_OTHERS
    except (configparser.Error, KeyError):
        return _MANAGED_BY_OTHERS


def child_environment() -> dict[str, str]:
    """Returns the environment variables for another interpreter."""
    # On macOS this one makes every interpreter take itself for the one that started us.
    return {name: value for name, value in os.environ.items() if name != "__PYVENV_LAUNCHER__"}


def last_line(output: bytes) -> str:
    """Returns the last line of a program's output that says something, or ""."""
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


def _from_fields(fields: dict[str, object]) -> Interpreter:
    texts = {text: _text(fields[text]) for text in _TEXTS}
    is_virtual, tags = fields["is_virtual"], fields["tags"]
    if not isinstance(is_virtual, bool) or not isinstance(tags, list) or not tags:
        raise TypeError("is_virtual or tags")
    schemes = _texts(fields["schemes"])
    return Interpreter(
        **texts,
        is_virtual=is_virtual,
        schemes={key: schemes[key] for key in _SCHEME_KEYS},
        markers=_texts(fields["markers"]),
        tags=tuple(_text(tag) for tag in tags),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError(f"not an object: {value!r}")
    return {_text(key): _text(item) for key, item in value.items()}


def _unusable(executable: str, reason: str) -> InvalidEnvironment:
    hint = "pass the path of a working interpreter or environment to --python"
    return InvalidEnvironment(f"the interpreter {executable} cannot be used: {reason}", hint=hint)
