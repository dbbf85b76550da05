"""What a scenario is: parts that run in namespaces, each with one library, and a judgement of what they observed."""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from harness import namespace

REFERENCE, CANDIDATE = "the C library", "ours"


class Problem(Exception):
    """A scenario found something wrong; the text says what, with all that is needed to understand it."""


@dataclass
class Context:
    """What scenarios are run with."""

    libraries: dict  # label: shared library file
    checkout: str
    slots: object  # a semaphore: how many namespaces may work at once
    versions: dict = field(default_factory=dict)  # exact versions seen, for the log of the run

    def reference_version(self):
        """The version that the C library says it is."""
        version = ctypes.CDLL(self.libraries[REFERENCE]).tlsrpt_version
        version.restype = ctypes.c_char_p
        return version().decode()

    def call(self, function, **arguments):
        """Calls a function in namespaces of its own as soon as there is a free slot."""
        with self.slots:
            return namespace.call(function, arguments)

    def call_with_each(self, function, libraries=None, **arguments):
        """Calls a function once with each library, at the same time if there are slots: {label: what it returned}.

        Without LIBRARIES, which is {label: file}, these are the two that are compared.
        """
        with ThreadPoolExecutor() as pool:
            calls = {label: pool.submit(self.call, function, library=library, **arguments)
                     for label, library in (libraries or self.libraries).items()}
            return {label: call.result() for label, call in calls.items()}


@dataclass
class Row:
    """A scenario's line in the table of what was run with which versions and what was compared."""

    run: str
    compared: str
    tables: dict = field(default_factory=dict)  # other tables of the documentation: {name: text}, see table.py


@dataclass
class Scenario:
    """NAME on the command line, one line ABOUT it, and a function of a Context that returns a Row or raises Problem."""

    name: str
    about: str
    check: object
