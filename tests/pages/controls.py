"""Broken pages: each shows that a check of judging.py can see what it looks for."""

import re


def without_policy(page):
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)


def with_markup(markup):
    return lambda page: page.replace("</main>", markup + "</main>")


def unescaped(page):
    """The page as a template engine that does not escape would make it."""
    return re.sub(r"&lt;(script)&gt;(injected=1)&lt;(/script)&gt;", r"<\1>\2<\3>", page)


def both(first, second):
    return lambda page: second(first(page))


# (name, the page that is broken, how, a part of the problem that must be found)
CONTROLS = [
    ("a script that runs", "status-hostile", both(without_policy, unescaped), "a script of a stranger ran"),
    ("a script that the policy stops", "status-hostile", unescaped, "the console has"),
    ("an element", "status-hostile", unescaped, "it has the elements"),
    ("an attribute", "status", with_markup("<p onclick='1'>a</p>"), "it has attributes that act"),
    ("a request", "status", both(without_policy, with_markup("<img src='/asked'>")), "the server was asked for ['/control', '/asked']"),
    ("a request by name", "status", both(without_policy, with_markup("<img src='/asked'>")), "it asks for ["),
    ("no policy", "status", without_policy, "it has no Content-Security-Policy"),
    ("styles of another page", "status", lambda page: page.replace("<style>", "<style> "), "its styles are not in force"),
    ("a wide element", "status", with_markup("<svg width='700' height='1' aria-hidden='true'></svg>"), "it is 7"),
    ("faint text", "status", both(without_policy, with_markup("<p style='color: #ccc'>a</p>")), "contrast under"),
    ("a plot without a title", "status", with_markup("<svg><title></title></svg>"), "plots without a title"),
    ("a plot that is too high", "status", both(without_policy, lambda page: page.replace("minmax(0, 1fr) / ", "auto / ", 1)
        .replace("height: 100%", "height: 20rem")), "plots larger than their place"),
    ("a table without headings", "status", with_markup("<table><tr><td>1</table>"), "1 tables without headings"),
    ("a day in lines", "status", both(without_policy, with_markup("<p style='width: 3rem'>2026-11-24</p>")),
     "days that are broken into lines"),
    ("two main headings", "status", with_markup("<h1>a</h1>"), "it has 2 main headings"),
    ("an unprintable character", "status", with_markup("<p>\u202e</p>"), "it shows the characters ['0x202e']"),
    ("one scheme for all", "status", lambda page: page.replace("--back: #f6f7f9", "--back: #000")
        .replace("<meta http-equiv", "<meta name"), "light, and its background is"),
]
