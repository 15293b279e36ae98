"""Keeps user names, passwords and the values of queries of URLs out of messages.

Pure, and on the warm path: it imports nothing.
"""

#: What ends a query, besides white space: quotes and brackets may be a part of it, and of a secret.
_ENDS = "#"

#: What belongs to the sentence where it stands at the end.
_MARKS = ").,:;\"'>`"


def without_credentials(text: str) -> str:
    """Returns `text` with nothing in its URLs that may let somebody in: for all that is shown or reported.

    The `user:password@` becomes `***@`, and so does every value of a query, since signed addresses have their secret
    there: `?a=1&b=2` becomes `?a=***&b=***`.

    Args:
        text: a URL, or a line that may have URLs in it.
    """
    text = without_userinfo(text)
    return without_query_values(text) if "?" in text else text


def without_userinfo(text: str) -> str:
    """Returns `text` with the `user:password@` of every URL in it replaced by `***@`: tells places apart.

    Where there is no `://`, it may have been forgotten: then each part of a path that looks like
    `user:password@host` is treated alike.

    Args:
        text: a URL, or a line that may have URLs in it.

    Source: RFC 3986, section 3.2.1, "User Information".
    """
    if "@" not in text:
        return text
    if "://" not in text:
        return _without_userinfo(text)
    pieces = text.split("://")
    for number in range(1, len(pieces)):
        piece = pieces[number]
        end = next((at for at, character in enumerate(piece) if character in "/?#" or character.isspace()), len(piece))
        port = piece[:end].rpartition(":")[2]
        if "@" not in piece[:end] and ":" in piece[:end] and not piece.startswith("[") and not port.isdigit():
            # No port: a password that was not percent-encoded, and goes on to the last "@".
            end = next((at for at, character in enumerate(piece) if character.isspace()), len(piece))
        at_sign = piece.rfind("@", 0, end)
        if at_sign >= 0:
            pieces[number] = "***" + piece[at_sign:]
    return "://".join(pieces)


def without_query_values(text: str) -> str:
    """Returns `text` with every value of a query of a URL in it replaced by `***`."""
    shown, position = [], 0
    while (mark := text.find("?", position)) >= 0:
        end = next((at for at in range(mark, len(text)) if text[at].isspace() or text[at] in _ENDS), len(text))
        # "(see https://example.com/?a=1)."
        while text[end - 1] in _MARKS and end > mark + 1:
            end -= 1
        start = max((at + 1 for at in range(position, mark) if text[at].isspace()), default=position)
        is_url = "://" in text[start:mark]
        parts = [_without_value(part, is_url=is_url) for part in text[mark + 1 : end].split("&")]
        shown.append(text[position : mark + 1] + "&".join(parts))
        position = end
    return "".join(shown) + text[position:]


def _without_value(part: str, *, is_url: bool) -> str:
    name, equals, value = part.partition("=")
    if equals:
        return f"{name}=***" if value else part
    return "***" if part and is_url else part


def _without_userinfo(text: str) -> str:
    parts = text.split("/")
    for number, part in enumerate(parts):
        at_sign = part.rfind("@")
        start = next((at + 1 for at in range(at_sign - 1, -1, -1) if part[at].isspace()), 0)
        if part.find(":", start, max(at_sign, 0)) > start and not part.startswith("file:", start):
            parts[number] = f"{part[:start]}***{part[at_sign:]}"
    return "/".join(parts)
