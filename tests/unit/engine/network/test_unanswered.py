"""What is told of a question without an answer, and whether it may be asked again."""

import errno
import socket
import ssl

import pytest

from engine.errors import ConfigurationError, IndexUnavailable
from engine.network.interrupted import Interrupted
from engine.network.unanswered import Unanswered


@pytest.mark.parametrize(
    ("error", "is_connected", "words", "server_wide"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), False, "connection refused", True),
        (socket.gaierror(-2, "unknown"), False, "the name example.com cannot be resolved", True),
        (TimeoutError(), False, "no connection within 15 seconds", True),
        (OSError("odd"), False, "there is no connection", True),
        (ConnectionResetError(errno.ECONNRESET, "x"), True, "the connection broke: connection reset by peer", False),
        (None, True, "the server closed the connection without an answer", False),
    ],
)
def test_what_may_pass_is_told_in_words(
    error: Exception | None, is_connected: bool, words: str, server_wide: bool
) -> None:
    found = Unanswered(error, is_connected=is_connected).explained("cannot fetch it", "example.com", 15)
    assert isinstance(found, Interrupted) and str(found) == words and found.server_wide is server_wide


def test_who_cannot_be_believed_is_not_asked_again() -> None:
    with pytest.raises(ssl.SSLError) as caught:
        ssl.create_default_context(cadata="no certificate")
    error = caught.value
    found = Unanswered(error, is_connected=False).explained("cannot fetch it", "example.com", 15)
    assert isinstance(found, IndexUnavailable) and found.message.startswith("cannot fetch it: ") and found.server_wide


def test_an_error_of_ours_stays_what_it_is() -> None:
    error = ConfigurationError("--cert names nothing")
    assert Unanswered(error, is_connected=False).explained("cannot fetch it", "example.com", 15) is error
