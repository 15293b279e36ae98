"""What a plain question that got no answer means: that it may be repeated, or not."""

import os
import socket
import ssl

from engine.errors import EngineError, IndexUnavailable
from engine.network.interrupted import Interrupted
from engine.network.trust import explain


class Unanswered(Exception):
    """A server could not be reached, or broke the first question off.

    Attributes:
        error: what the system, or TLS, said; None where the server closed the connection.
        is_connected: whether there was a connection.
    """

    def __init__(self, error: Exception | None, *, is_connected: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.is_connected = is_connected

    def explained(self, what: str, host: str, connect_seconds: float) -> Interrupted | EngineError:
        """Returns it in words.

        Args:
            what: what could not be done, and the address without credentials.
            host: that was asked.
            connect_seconds: how long a connection may take.
        """
        error = self.error
        if isinstance(error, EngineError):
            return error
        if isinstance(error, ssl.SSLError):
            reason, hint = explain(error)
            failure = IndexUnavailable(f"{what}: {reason}", hint=hint)
            failure.server_wide = True
            return failure
        number = error.errno if isinstance(error, OSError) else None
        said = os.strerror(number).lower() if number is not None and number > 0 else ""
        if self.is_connected:
            return Interrupted(
                f"the connection broke: {said}" if said else "the server closed the connection without an answer"
            )
        if isinstance(error, socket.gaierror):
            return Interrupted(f"the name {host} cannot be resolved", server_wide=True)
        if isinstance(error, TimeoutError):
            return Interrupted(
                f"no connection within {connect_seconds:g} seconds",
                hint="check the address and the network; --connect-timeout waits longer",
                server_wide=True,
            )
        return Interrupted(said or "there is no connection", server_wide=True)
