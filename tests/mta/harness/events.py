"""The content of an event in the words of RFC 8460, and the check of each member."""

import json

from harness import domains

POLICIES = {1: "tlsa", 2: "sts", 9: "no-policy-found"}
FAILURES = {201: "starttls-not-supported", 202: "certificate-host-mismatch", 203: "certificate-not-trusted",
            204: "certificate-expired", 205: "validation-failure", 304: "tlsa-invalid", 305: "dnssec-invalid",
            306: "dane-required"}
SUCCESS = "success"
WITH_REASON = "validation-failure"
# The mail server makes no connection where the required DANE is not available.
WITHOUT_CONNECTION = ("dane-required", "dnssec-invalid")


def domain_of(datagram):
    """The recipient domain of an event."""
    return json.loads(datagram)["d"]


def summary(datagram):
    """The policy and the result of an event."""
    policy, = json.loads(datagram)["policies"]
    failures = [FAILURES[failure["c"]] for failure in policy.get("failure-details", [])]
    return "%s %s" % (POLICIES[policy["policy-type"]], " ".join(failures) or SUCCESS)


def mistakes(datagram, the_world, sending_ip, greeting):
    """The wrong members of an event: record, policy, failures, addresses. GREETING: the host reports the EHLO reply."""
    event = json.loads(datagram)
    domain = domains.BY_NAME[event["d"]]
    policy, = event["policies"]
    by_dane = POLICIES[policy["policy-type"]] == "tlsa"
    failures = policy.get("failure-details", [])
    wanted = {"dpv": "1", "d": domain.name, "pr": domain.record[0]}
    policy_wanted = {"policy-domain": domain.server if by_dane else domain.name,
                     "t": len(failures), "f": 1 if failures else 0}
    if by_dane and domain.tlsa:
        policy_wanted["policy-string"] = [tlsa_string(the_world.tlsa(domain))]
    found = dict(event, policies=None), {name: policy[name] for name in policy
                                         if name not in ("policy-type", "failure-details")}
    wrong = [] if found == (dict(wanted, policies=None), policy_wanted) else ["wanted %s and %s" % (wanted, policy_wanted)]
    for failure in failures:
        wrong += failure_mistakes(failure, domain, the_world, sending_ip, greeting)
    return wrong


def failure_mistakes(failure, domain, the_world, sending_ip, greeting):
    name = FAILURES[failure["c"]]
    connected = name not in WITHOUT_CONNECTION
    wanted = {"n": domain.server, "r": the_world.addresses[domain.name]}
    if connected:
        wanted["s"] = sending_ip(domain)
    wrong = ["wanted %s: %r" % (key, value) for key, value in wanted.items() if failure.get(key) != value]
    if (failure.get("h", "").startswith("250-" + domain.server)) != (greeting and connected):
        wrong.append("the greeting: %r" % failure.get("h"))
    if bool(failure.get("f")) != (name == WITH_REASON):
        wrong.append("the reason: %r" % failure.get("f"))
    return wrong


def tlsa_string(record):
    """A TLSA record in the form that Postfix writes into a policy."""
    return "%d %d %d %s" % (record[0], record[1], record[2], record[3].upper())
