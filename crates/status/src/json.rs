//! For scripts: JSON.

use serde_json::{Map, Value, json};
use tlsrpt_format::datagram::PolicyDescription;
use tlsrpt_store::{Alert, DayCounts, Error, FailureCounts, Host, PolicyCounts, SpoolState, result_type};

use crate::{Domain, DomainDay, InvalidOfDay, Reason, Reports, Status, Stored, Worst, collector::Collector};

/// The whole host. `days` are newest first.
#[must_use]
pub fn status(status: &Status) -> Value {
    let stored = status.stored.as_ref();
    let days: Vec<_> = stored.map(|stored| stored.days.iter().map(day).collect()).unwrap_or_default();
    let worst: Vec<_> = stored.map(|stored| stored.worst.iter().map(worst).collect()).unwrap_or_default();
    let invalid: Vec<_> = stored.map(|stored| stored.invalid.iter().map(invalid).collect()).unwrap_or_default();
    let alerts: Vec<_> = stored.map(|stored| stored.alerts.iter().map(alert).collect()).unwrap_or_default();
    let hosts: Vec<_> = stored.map(|stored| stored.hosts.iter().map(host).collect()).unwrap_or_default();
    json!({
        "time": status.now.to_string(),
        "collector": collector(status),
        "store": store(status),
        "spool": status.spool.as_ref().map(|found| spool(status, found)),
        "last-event": stored.ok().and_then(|stored| stored.last_event).map(|last| last.to_string()),
        "seconds-since-last-event": status.age(),
        "reports": stored.ok().map(|stored| reports(&stored.reports)),
        "days": days,
        "most-failures": worst,
        "invalid": invalid,
        "hosts": hosts,
        "alerts": alerts,
        "attention": status.attention,
        "notes": status.notes,
    })
}

fn collector(status: &Status) -> Value {
    let reason = match &status.collector {
        Collector::Listening | Collector::QueueFull => None,
        Collector::NotListening(reason) | Collector::Unknown(reason) => Some(reason),
    };
    json!({"state": status.collector.word(), "socket": status.place.socket.to_string_lossy(), "reason": reason})
}

fn store(status: &Status) -> Value {
    let url = status.place.store.to_string();
    match &status.stored {
        Ok(Stored { size, disk, damage, .. }) => json!({
            "url": url,
            "bytes": size,
            "free-bytes": disk.map(|disk| disk.free),
            "damage": damage,
            "readable": true,
            "error": null,
        }),
        Err(_) if status.store_works() => json!({"url": url, "readable": false, "error": null}),
        Err(error) => json!({"url": url, "readable": false, "error": error.to_string()}),
    }
}

fn spool(status: &Status, found: &Result<SpoolState, Error>) -> Value {
    let file = status.place.spool.to_string_lossy();
    match found {
        Ok(SpoolState { batches, bytes, oldest, unreadable, .. }) => json!({
            "file": file,
            "batches": batches,
            "bytes": bytes,
            "oldest": oldest.map(|oldest| oldest.to_string()),
            "unreadable-batches": unreadable,
            "error": null,
        }),
        Err(error) => json!({"file": file, "error": error.to_string()}),
    }
}

fn reports(reports: &Reports) -> Value {
    let deliveries: Map<_, _> =
        reports.deliveries.iter().map(|(state, number)| (state.name().to_string(), Value::from(*number))).collect();
    json!({"day": reports.day.to_string(), "made": reports.made, "deliveries": deliveries})
}

fn day(counts: &DayCounts) -> Value {
    let DayCounts { day, events, failed, domains, policies, failures, invalid, dropped, .. } = counts;
    json!({
        "day": day.to_string(),
        "events": events,
        "failed": failed,
        "domains": domains,
        "policies": policies,
        "failures": failures,
        "invalid": invalid,
        "dropped": dropped,
    })
}

fn worst(worst: &Worst) -> Value {
    let Worst { domain, events, failed, reasons } = worst;
    let reasons: Vec<_> = reasons
        .iter()
        .map(|Reason { result_type, times }| json!({"result-type": result_type, "times": times}))
        .collect();
    json!({"domain": domain, "events": events, "failed": failed, "reasons": reasons})
}

fn invalid(invalid: &InvalidOfDay) -> Value {
    json!({"day": invalid.day.to_string(), "reason": invalid.reason, "datagrams": invalid.datagrams})
}

fn alert(alert: &Alert) -> Value {
    let Alert { domain, begun, events, failed, reasons, told, problem } = alert;
    json!({
        "domain": domain,
        "begun": begun.to_string(),
        "events": events,
        "failed": failed,
        "reasons": reasons,
        "told": told.map(|told| told.to_string()),
        "problem": problem,
    })
}

fn host(host: &Host) -> Value {
    let Host { state, checked_in, silent_for, clock_difference } = host;
    json!({
        "name": state.name,
        "seen": checked_in.to_string(),
        "seconds-since-seen": silent_for.as_secs(),
        "last-batch": state.last_batch.map(|last| last.to_string()),
        "waiting-batches": state.spool_batches,
        "waiting-bytes": state.spool_bytes,
        "complete-before": state.complete_before.to_string(),
        "clock-difference-seconds": clock_difference.as_secs_f64(),
    })
}

/// One domain.
#[must_use]
pub fn domain(domain: &Domain) -> Value {
    let day = |DomainDay { day, policies }: &DomainDay| json!({"day": day.to_string(), "policies": policies.iter().map(policy).collect::<Vec<_>>()});
    json!({"domain": domain.name, "days": domain.days.iter().map(day).collect::<Vec<_>>()})
}

fn policy(counts: &PolicyCounts) -> Value {
    json!({
        "record": counts.record,
        "policy": counts.policy.as_ref().map(description),
        "succeeded": counts.succeeded,
        "failed": counts.failed,
        "failures": counts.failures.iter().map(failure).collect::<Vec<_>>(),
    })
}

fn description(policy: &PolicyDescription) -> Value {
    let kind = policy.policy_type().map_or_else(|number| number.into(), Value::from);
    let mut members = Map::from_iter([("policy-type".to_string(), kind)]);
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(name.into(), value);
        }
    };
    add("policy-domain", policy.policy_domain.clone().map(Value::from));
    add("policy-string", policy.policy_string.clone().map(Value::from));
    add("mx-host", policy.mx_host.clone().map(Value::from));
    for (name, value) in &policy.others {
        add(name, Some(value.clone()));
    }
    Value::Object(members)
}

fn failure(counts: &FailureCounts) -> Value {
    let Some(failure) = &counts.failure else { return json!({"result-type": null, "times": counts.times}) };
    let mut members = Map::from_iter([("result-type".to_string(), Value::from(result_type(failure)))]);
    members.extend(failure.details.known().map(|(member, value)| (member.rfc_name().to_string(), Value::from(value))));
    members.insert("times".into(), counts.times.into());
    Value::Object(members)
}
