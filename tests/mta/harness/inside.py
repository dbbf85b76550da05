"""The first process of a namespace (see namespace.py). Calls the function that argv names, with arguments in JSON from
standard input, and prints the result in JSON."""

import importlib
import json
import os
import sys


def main():
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    module, _, name = sys.argv[1].partition(":")
    arguments = json.load(sys.stdin)
    # Standard output carries the result alone: the output of programs started from here goes to standard error.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    result = getattr(importlib.import_module(module), name)(**arguments)
    json.dump(result, answer)
    answer.flush()


if __name__ == "__main__":
    main()
