"""The events of the cases: a few domains with every kind of policy and with failures of all sizes."""

import json

DOMAINS = ("sts.test", "dane.test", "plain.test", "both.test")
STS = {"policy-type": 2, "policy-domain": "sts.test", "policy-string": ["version: STSv1", "mode: enforce", "mx: *.sts.test", "max_age: 1"],
       "mx-host": ["*.sts.test"]}
DANE = {"policy-type": 1, "policy-domain": "mx.dane.test", "policy-string": ["3 1 1 2B850457"]}
NONE = {"policy-type": 9, "policy-domain": "plain.test"}
EXPIRED = {"c": 202, "s": "192.0.2.1", "n": "mx.sts.test", "h": "mx.sts.test", "r": "2001:db8::25", "a": "https://sts.test/",
           "f": "caf\u00e9 \u2713"}
UNTRUSTED = {"c": 203, "s": "192.0.2.1", "r": "192.0.2.2"}
NO_TLS = {"c": 201}


def record(domain, *more):
    return "v=TLSRPTv1; rua=" + ",".join(("mailto:tls@" + domain,) + more)


def policy(description, failures=()):
    return dict(description, **{"failure-details": list(failures), "t": len(failures), "f": 1 if failures else 0})


def event(domain, *policies):
    return json.dumps({"dpv": "1", "d": domain, "pr": record(domain.lower()), "policies": list(policies)})


def first_half():
    return (3 * [event("sts.test", policy(STS))] + 2 * [event("sts.test", policy(STS, [EXPIRED]))]
            + [event("sts.test", policy(STS, [EXPIRED, UNTRUSTED, EXPIRED]))] + 4 * [event("dane.test", policy(DANE))]
            + [event("plain.test", policy(NONE))] + [event("both.test", policy(STS, [NO_TLS]), policy(DANE, [UNTRUSTED]))])


def second_half():
    return (2 * [event("sts.test", policy(STS, [UNTRUSTED]))] + 5 * [event("STS.test", policy(STS))]
            + [event("dane.test", policy(DANE, [NO_TLS]))] + 2 * [event("plain.test", policy(NONE))]
            + [event("both.test", policy(STS), policy(DANE))])


def day():
    return first_half() + second_half()


