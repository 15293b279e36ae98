"""Whom to believe that a server is who it says: authorities, our own certificate, and hosts that are not checked.

* Authorities come from one place: `--cert`, else SSL_CERT_FILE and SSL_CERT_DIR,
  else REQUESTS_CA_BUNDLE, else CURL_CA_BUNDLE, else the system's store.  A place
  that holds none means that nobody is trusted; no other place takes its part.
* The system's store is the system's own on macOS and Windows, elsewhere the
  default paths of OpenSSL, and where these are empty those of the distributions.
* TLS 1.2 or newer.
* Reading a bundle of authorities takes 40 ms, so it happens in a thread that
  `start` begins, beside the imports, and only for what is asked over https.

Source: RFC 5280; RFC 8996, "Deprecating TLS 1.0 and TLS 1.1".
"""

import os
import ssl
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from engine.errors import ConfigurationError
from engine.network.origin import Origin
from engine.options import NetworkOptions

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

#: Verification failures by their number, and what to do about them.
_ADVICE = {
    10: "the certificate has expired, or the clock of this machine is wrong",
    9: "the certificate is not valid yet, or the clock of this machine is wrong",
    62: "the certificate is for another host",
    64: "the certificate is for another host",
    66: "the key of the certificate is too weak",
    67: "the key of an authority is too weak",
    68: "the certificate is signed with a weak algorithm",
}


class Authorities(NamedTuple):
    """Where authorities are read from: a file, a folder or both, and who names them.  All "": the system's store."""

    file: str
    folder: str
    source: str


def authorities(option: str | None, environ: Mapping[str, str]) -> Authorities:
    """Returns where authorities are read from.

    Args:
        option: what `--cert` names, or None.
        environ: the environment variables.
    """
    if option is not None:
        return _place(option, "--cert")
    file, folder = environ.get("SSL_CERT_FILE") or "", environ.get("SSL_CERT_DIR") or ""
    if file or folder:
        return Authorities(file, folder, "SSL_CERT_FILE" if file else "SSL_CERT_DIR")
    for variable in _BUNDLES:
        if path := environ.get(variable):
            return _place(path, variable)
    return Authorities("", "", "")


def _place(path: str, source: str) -> Authorities:
    return Authorities("", path, source) if os.path.isdir(path) else Authorities(path, "", source)


class Trust:
    """The TLS settings of a run.

    Args:
        options: how to use the network.
        environ: the environment variables.

    Raises:
        ConfigurationError: when a key is named without its certificate.
    """

    def __init__(self, options: NetworkOptions, environ: Mapping[str, str]) -> None:
        self._authorities = authorities(options.cert, environ)
        self._client_cert = options.client_cert or environ.get("SSL_CLIENT_CERT") or None
        self._client_key = options.client_key
        if self._client_key is not None and self._client_cert is None:
            raise ConfigurationError(
                "--client-key names the key of a certificate that is not named",
                hint="name it with --client-cert or SSL_CLIENT_CERT",
            )
        self._unchecked_hosts = {_trusted(host) for host in options.trusted_hosts}
        self._thread: threading.Thread | None = None
        self._checked: ssl.SSLContext | ConfigurationError | None = None
        self._unchecked: ssl.SSLContext | None = None

    def trust_hosts(self, hosts: tuple[str, ...]) -> None:
        """Adds hosts that are not checked: `HOST`, `HOST:PORT`, or a URL of one."""
        self._unchecked_hosts |= {_trusted(host) for host in hosts}

    def start(self) -> None:
        """Begins to read the authorities, beside whatever else there is to do."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()

    def context(self, origin: Origin) -> ssl.SSLContext:
        """Returns the settings for connections to an origin.

        Raises:
            ConfigurationError: when a file that was named cannot be used.
        """
        if not self._unchecked_hosts.isdisjoint({(origin.host, None), (origin.host, origin.port), ("*", None)}):
            if self._unchecked is None:
                self._unchecked = _new_context()
                self._unchecked.check_hostname = False
                self._unchecked.verify_mode = ssl.CERT_NONE
                self._identify(self._unchecked)
            return self._unchecked
        if self._checked is None:
            self.start()
            assert self._thread is not None
            self._thread.join()
        assert self._checked is not None
        if isinstance(self._checked, ConfigurationError):
            raise self._checked
        return self._checked

    def _read(self) -> None:
        try:
            context = self._open()
            self._identify(context)
            self._checked = context
        except ConfigurationError as exc:
            self._checked = exc
        except Exception as exc:
            self._checked = ConfigurationError(f"TLS cannot be set up: {exc}")

    def _open(self) -> ssl.SSLContext:
        file, folder, source = self._authorities
        if source:
            context = _new_context()
            for path, load in ((file, _load_file), (folder, _load_folder)):
                if path:
                    try:
                        load(context, path)
                    except OSError as exc:
                        raise ConfigurationError(
                            f"{source} names {path}, which cannot be read: {exc.strerror or exc}"
                        ) from exc
            # What a variable names may be empty on purpose; who names a file for this one run means one with something.
            if source == "--cert" and file and not context.get_ca_certs():
                raise ConfigurationError(f"--cert names {file}, which has no certificate", hint="it has to be PEM")
            return context
        paths = ssl.get_default_verify_paths()
        file, folder = paths.openssl_cafile, paths.openssl_capath
        filed, hashed = _has_bytes(file), _has_hashed_names(folder)
        if sys.platform in ("darwin", "win32") or not (filed or hashed):
            from truststore import SSLContext

            context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.set_alpn_protocols(["http/1.1"])
            return context
        context = _new_context()
        context.load_verify_locations(cafile=file if filed else None, capath=folder if hashed else None)
        return context

    def _identify(self, context: ssl.SSLContext) -> None:
        """Gives the settings our own certificate, where there is one.

        Raises:
            ConfigurationError: when it cannot be used.
        """
        if self._client_cert is None:
            return
        try:
            context.load_cert_chain(self._client_cert, self._client_key, password=_no_password)
        except (OSError, ValueError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError) else None
            raise ConfigurationError(
                f"the client certificate {self._client_cert} cannot be used: {reason or 'it is not PEM with its key'}",
                hint="--client-cert names a PEM file, --client-key the key's where it is not in the same file; "
                "a key with a password cannot be used",
            ) from exc


def _no_password() -> str:
    raise ValueError("the key has a password")


def _new_context() -> ssl.SSLContext:
    """Returns settings that trust nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Who names an intermediate authority means it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load_file(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        if context.get_ca_certs():
            return
        with open(path, "rb"):
            return  # no certificate in it: nobody is trusted


def _load_folder(context: ssl.SSLContext, path: str) -> None:
    """Makes OpenSSL look authorities up in a folder; without hashed names in it, reads its files."""
    for folder in path.split(os.pathsep):
        names = sorted(os.listdir(folder))
        if any(_is_hashed(name) for name in names):
            context.load_verify_locations(capath=folder)
            continue
        for name in names:
            if name.endswith((".pem", ".crt", ".cer")):
                _load_file(context, os.path.join(folder, name))


def _is_hashed(name: str) -> bool:
    return len(name) == 10 and name.endswith(".0")


def _has_bytes(path: str) -> bool:
    try:
        return os.stat(path).st_size > 0
    except OSError:
        return False


def _has_hashed_names(folder: str) -> bool:
    try:
        return any(_is_hashed(name) for name in os.listdir(folder))
    except OSError:
        return False


def _trusted(text: str) -> tuple[str, int | None]:
    """Reads `HOST`, `HOST:PORT` or a URL of one; "*" is any host."""
    address = text.strip().lower().partition("://")[2] or text.strip().lower()
    address = address.partition("/")[0]
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        return host, int(port[1:]) if port[1:].isdigit() else None
    host, _, port = address.partition(":")
    return (host, int(port)) if port.isdigit() else (host if not port else address, None)


def explain(error: ssl.SSLError) -> tuple[str, str]:
    """Returns what is wrong with a server's TLS, and what to do about it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = _ADVICE.get(error.verify_code)
        if advice is not None:
            return error.verify_message.rstrip("."), advice
        return (
            error.verify_message.rstrip("."),
            "--cert or SSL_CERT_FILE names the authorities to trust; --trusted-host does without a check",
        )
    reason = (error.reason or type(error).__name__).replace("_", " ").lower()
    return reason, "the server must speak TLS 1.2 or newer with strong keys, and may ask for a --client-cert"


@contextmanager
def nothing_to_read(environ: "os._Environ[str]" = os.environ) -> Iterator[None]:
    """Keeps OpenSSL's default store empty for a moment.

    aiohttp reads it twice when it is imported, for settings that are never used: 80 ms with a bundle in one file.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR")
    before = {name: environ.get(name) for name in names}
    environ.update(dict.fromkeys(names, ""))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del environ[name]
            else:
                environ[name] = value
