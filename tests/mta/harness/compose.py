"""A file of Docker Compose, as far as the documentation uses its language: services with texts, lists and nothing deeper."""

import re

LINE = re.compile(r"( *)(?:- (.*)|([\w.-]+):(?: (.*))?)$")
VARIABLE = re.compile(r"\$\{\w+:-([^}]*)\}")


def services(text):
    """{service: {key: text or [texts]}}."""
    found, service, key = {}, None, None
    for line in filter(str.strip, text.splitlines()):
        matched = LINE.match(line)
        if not matched:
            raise ValueError("not a line of Compose that is known here: %r" % line)
        indent, item, name, value = matched.groups()
        place = (len(indent), item is None)
        if place == (0, True) and name == "services":
            continue
        elif place == (2, True):
            service = found.setdefault(name, {})
        elif place == (4, True):
            key = name
            service[key] = [] if value is None else plain(value)
        elif place == (6, False):
            service[key].append(plain(item))
        else:
            raise ValueError("not a line of Compose that is known here: %r" % line)
    return found


def plain(text):
    """A text without its quotes, and with the defaults of its variables."""
    return VARIABLE.sub(r"\1", text.strip('"'))
