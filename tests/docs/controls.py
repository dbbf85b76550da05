"""Documents that must fail, each at its last block, and one that must pass: the test can tell them apart."""

import hosts
from harness import namespace

BEGIN = "# A document\n\n```sh\ntrue\n```\n\n"
# A file that is made, a key that gets a new value, an output with lines that vary, a record with what was printed.
PASSES = BEGIN + """`/etc/some/file`:

```ini
[a]
b = 1
c = 2
[d]
b = 3
```

In the same `/etc/some/file`:

```ini
[a]
b = 4
```

```sh
cat /etc/some/file; date; echo end
```

```text

[a]
b = 4
c = 2

[d]
b = 3
...
end
```

```sh
echo "v=1; p=$(hostname)"
```

```dns
name.example.net. IN TXT "v=1; p=..."
```

```sh
dig +short TXT name.example.net
```

```text
"v=1; p=mail.example.com"
```
"""
PASS = 7  # blocks
FAILS = {
    "a command that fails": "```sh\nfalse\ntrue\n```\n",
    "a command that fails in a pipe": "```sh\nfalse | true\n```\n",
    "another output": "```sh\necho one two\n```\n\n```text\none three\n```\n",
    "a line more": "```sh\necho one; echo two\n```\n\n```text\none\n```\n",
    "a file that is not written": "```sh\ncat /etc/some/file\n```\n",
    "a unit that does not start": "```sh\nsystemctl start no-such-unit\n```\n",
    "an output of nothing": "## A section\n\n```text\none\n```\n",
    "a block for no file": "```ini\na = 1\n```\n",
    "an indented block": "Text:\n\n    true\n",
}


def failures(common):
    """What is wrong with the test itself, as texts."""
    passes = "what has to pass"
    seen = namespace.call("pasting:run_texts", dict(
        common, lower=hosts.postfix_root(), texts=dict({name: BEGIN + text for name, text in FAILS.items()}, **{passes: PASSES})))
    found = []
    outcome = seen.pop(passes)
    if outcome != [PASS, None]:
        found.append("the control that has to pass: %s" % outcome)
    return found + ["the control that has to fail, %s: %s" % (name, outcome) for name, outcome in seen.items() if not outcome[1]]
