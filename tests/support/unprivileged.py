"""Starts a program to which the permissions of files apply, whoever runs the tests."""

import os
import shutil

import pytest


def unprivileged(*command: str) -> list[str]:
    """Returns the command line that runs `command` without what lets root pass by permissions.

    Skips the test where there is no way.
    """
    if os.name != "posix":
        pytest.skip("permissions of POSIX")
    if os.geteuid() != 0:
        return list(command)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root passes by permissions, and there is no setpriv")
    return [setpriv, "--bounding-set", "-dac_override,-dac_read_search,-fowner", *command]
