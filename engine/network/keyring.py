"""Passwords from the command `keyring`, which asks the system's store.

Asked only after a server has refused, and once for each origin: it starts a
process, and that process may ask a person.  Where no user name is known it is
asked only if the user wants it by `subprocess`, and for both at once; old
versions of the command cannot do that, and then there is none.
"""

import os
from collections.abc import Mapping

from engine.limits import KEYRING_SECONDS
from engine.network.origin import Credentials, Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio


class Keyring:
    """The keyring of a run.

    Args:
        provider: one of `engine.options.KEYRING_PROVIDERS`; `subprocess` warns where the command is not there.
        environ: the environment variables.
        warnings: gets a line when the command fails.
        timeout_seconds: how long one question may take.
    """

    def __init__(
        self,
        provider: str,
        environ: Mapping[str, str],
        warnings: list[str],
        *,
        timeout_seconds: float = KEYRING_SECONDS,
    ) -> None:
        self._provider = provider
        self._environ = environ
        self._warnings = warnings
        self._timeout_seconds = timeout_seconds
        self._answers: dict[tuple[Origin, str | None], Credentials | None] = {}
        self._turn: asyncio.Lock | None = None

    async def find(self, url: str, origin: Origin, username: str | None) -> Credentials | None:
        """Returns name and password of a user: for the URL, else for the host; None where there is none.

        Args:
            url: without credentials.
            origin: of the URL.
            username: whose password is wanted; None for that of anybody.
        """
        # A word that starts with a hyphen would be an option of the command.
        if self._provider == "disabled" or username == "" or f"{username}".startswith("-") or origin.host[0] == "-":
            return None
        if username is None and self._provider != "subprocess":
            return None
        if self._turn is None:
            import asyncio  # 30 ms, before the first question to an index

            self._turn = asyncio.Lock()
        key = (origin, username)
        async with self._turn:
            if key not in self._answers:
                self._answers[key] = await self._ask(url, origin, username)
            return self._answers[key]

    async def _ask(self, url: str, origin: Origin, username: str | None) -> Credentials | None:
        import shutil  # 4 ms, before the first question to an index

        command = shutil.which("keyring", path=self._environ.get("PATH", os.defpath))
        if command is None:
            if self._provider == "subprocess":
                self._warnings.append("there is no command keyring on PATH to ask for passwords")
            return None
        for service in (url, origin.host):
            if username is None:
                name, newline, password = (await self._run(command, "--mode", "creds", "get", service) or "").partition(
                    "\n"
                )
                if name and newline and password:
                    return Credentials(name.rstrip("\r"), password, "keyring")
                continue
            if password := await self._run(command, "get", service, username) or "":
                return Credentials(username, password, "keyring")
        return None

    async def _run(self, *command: str) -> str | None:
        import asyncio

        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={**self._environ, "PYTHONIOENCODING": "utf-8"},
            )
        except OSError as exc:
            self._warnings.append(f"{command[0]} cannot be started: {exc.strerror}")
            return None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                output, _ = await process.communicate()
        except TimeoutError:
            self._warnings.append(f"{command[0]} did not answer within {self._timeout_seconds:g} seconds")
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return output.decode("utf-8", "replace").strip("\r\n") if process.returncode == 0 else None
