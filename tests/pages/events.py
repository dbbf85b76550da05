"""The events of the pages."""

# Result types by their numbers in the datagram.
STARTTLS, HOST_MISMATCH, NOT_TRUSTED, EXPIRED, VALIDATION = range(201, 206)
STS_FETCH, STS_INVALID, STS_WEBPKI, TLSA_INVALID, DNSSEC_INVALID, DANE_REQUIRED = range(301, 307)

LONG = ".".join(["a-very-long-label-that-no-layout-expects-to-be-so-long-and-wide"] * 40) + ".example"
# The domain of the report with hostile texts. A domain that is no host name gets none.
REPORTED = "hostile.example"
# Names as a stranger may write them, and as a page must show them.
HOSTILE = {
    "<script>injected=1</script>.example": "<script>injected=1</script>.example",
    "\"><img src=/asked onerror=injected=1>.example": "\"><img src=/asked onerror=injected=1>.example",
    "</title></style><style>*{display:none}</style>.example": "</title></style><style>*{display:none}</style>.example",
    "safe.example\u202egro.live\u202c": "safe.example\\u{202e}gro.live\\u{202c}",
    "\x1b[31mred\x07\x9b.example": "\\u{1b}[31mred\\u{7}\\u{9b}.example",
    "דואר.example": "דואר.example",
    LONG: LONG[:300],
}


def event(domain, failure=None, policy="sts", **details):
    """An event of a session with a domain."""
    record = "v=TLSRPTv1;rua=mailto:tlsrpt@%s" % domain
    described = {
        "sts": {"policy-type": 2, "policy-domain": domain, "mx-host": ["*." + domain],
                "policy-string": ["version: STSv1", "mode: enforce", "mx: *." + domain, "max_age: 604800"]},
        "dane": {"policy-type": 1, "policy-domain": "mx1." + domain,
                 "policy-string": ["3 1 1 6007EEE553E85D8DF007A845D19EC343283D4E416E9A33F9EF3040C8B7C285BC"]},
        "none": {"policy-type": 9, "policy-domain": domain},
    }[policy]
    failed = int(failure is not None)
    described.update({"t": failed, "f": failed})
    if failed:
        described["failure-details"] = [{"c": failure, "s": "198.51.100.25", "n": "mx1." + domain, "r": "203.0.113.7", **details}]
    return {"dpv": "1", "d": domain, "pr": record, "policies": [described]}


# A domain, its policy, its sessions on a workday, and its failures: (the result type, the sessions, the first and the last day
# before today on which they happen).
DOMAINS = [
    ("example.org", "sts", 420, []),
    ("example.net", "dane", 310, [(EXPIRED, 38, 0, 2)]),
    ("university.example", "dane", 180, [(TLSA_INVALID, 12, 8, 11)]),
    ("shop.example", "sts", 150, [(HOST_MISMATCH, 9, 0, 29)]),
    ("refuses.example", "sts", 60, [(STS_FETCH, 4, 0, 6)]),
    ("busy.example", "none", 40, [(STARTTLS, 40, 0, 1)]),
    ("city.example", "none", 90, [(STARTTLS, 3, 4, 20)]),
    ("post.example", "dane", 75, []),
]


def of_day(days_ago):
    """The events of a day in an ordinary year: fewer on each sixth and seventh day."""
    share = 0.35 if days_ago % 7 in (2, 3) else 1 + 0.04 * (days_ago * 5 % 7)
    events = []
    for domain, policy, sessions, failures in DOMAINS:
        failing = [(kind, number) for kind, number, first, last in failures if first <= days_ago <= last]
        failed = [max(1, round(number * share)) for _, number in failing]
        events += [(event(domain, kind, policy), number) for (kind, _), number in zip(failing, failed)]
        events.append((event(domain, None, policy), max(0, round(sessions * share) - sum(failed))))
    return events


def hostile():
    """Events with hostile domains, and events of a proper domain in which all other texts are hostile."""
    texts = list(HOSTILE)
    in_report = event(REPORTED, EXPIRED, h=texts[0], a=texts[1], e=texts[2])
    in_report["policies"][0]["policy-string"] += texts
    in_report["policies"][0]["mx-host"] += texts
    by_text = [event(REPORTED, VALIDATION, "none", h=text[:200], a=text, e=text) for text in texts]
    return [*[(event(name, EXPIRED), number) for number, name in enumerate(texts, 3)],
            (in_report, 5), *[(one, 1) for one in by_text], (b"no datagram", 4)]
