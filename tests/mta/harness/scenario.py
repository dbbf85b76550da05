"""A scenario: functions that run in namespaces, each with one library, and a function that judges their observations."""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from harness import namespace

REFERENCE, CANDIDATE = "the C library", "ours"


class Problem(Exception):
    """A scenario failed. The text describes the difference in full."""


@dataclass
class Context:
    """The arguments of all scenarios."""

    libraries: dict  # label: shared library file
    checkout: str
    slots: object  # a semaphore: the number of namespaces that may work at once
    versions: dict = field(default_factory=dict)  # exact versions, for the log of the run

    def reference_version(self):
        """The version that the C library returns."""
        version = ctypes.CDLL(self.libraries[REFERENCE]).tlsrpt_version
        version.restype = ctypes.c_char_p
        return version().decode()

    def call(self, function, **arguments):
        """Calls a function in namespaces of its own as soon as a slot is free."""
        with self.slots:
            return namespace.call(function, arguments)

    def call_with_each(self, function, libraries=None, **arguments):
        """Calls a function once with each library, at the same time if slots are free: {label: result}.

        LIBRARIES is {label: file}; by default the two libraries that are compared.
        """
        with ThreadPoolExecutor() as pool:
            calls = {label: pool.submit(self.call, function, library=library, **arguments)
                     for label, library in (libraries or self.libraries).items()}
            return {label: call.result() for label, call in calls.items()}


@dataclass
class Row:
    """A scenario's line in the table: the programs with their versions, and what was compared."""

    run: str
    compared: str
    tables: dict = field(default_factory=dict)  # other tables of the documentation: {name: text}, see table.py


@dataclass
class Scenario:
    """The name on the command line, a line about it, and a function of a Context that returns a Row or raises Problem."""

    name: str
    about: str
    check: object
