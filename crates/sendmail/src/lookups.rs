//! Lookups that tell apart why there are no records. They block the thread, each for at most a limit.

use std::{collections::BTreeSet, io, net::IpAddr, time::Duration};

use simple_dns::{RCODE, TYPE, rdata::RData};

use crate::{
    records::within,
    resolver::{Resolver, joined},
};

/// The records of one type that a name has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<R> {
    /// The records. Without one, see [`Found::name_exists`].
    pub records: Vec<R>,
    /// Whether there is such a name, with these or with other records.
    pub name_exists: bool,
    /// The name that the question's name is an alias of (CNAME).
    pub alias_of: Option<String>,
}

/// A host that takes the mail of a domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MailHost {
    /// A lower one is tried first.
    pub preference: u16,
    /// The name of the host; empty if the domain takes no mail (RFC 7505).
    pub name: String,
}

/// The TXT records of a name, each with its strings joined.
///
/// # Errors
///
/// DNS gives no answer in that time, or the system gives no sockets.
pub fn texts(resolver: &Resolver, name: &str, limit: Duration) -> io::Result<Found<Vec<u8>>> {
    within(
        limit,
        find(resolver, name, TYPE::TXT, |data| match data {
            RData::TXT(text) => Some(joined(text)),
            _ => None,
        }),
    )
}

/// The MX records of a domain, the preferred first.
///
/// # Errors
///
/// As for [`texts`].
pub fn mail_hosts(resolver: &Resolver, domain: &str, limit: Duration) -> io::Result<Found<MailHost>> {
    let mut found = within(
        limit,
        find(resolver, domain, TYPE::MX, |data| match data {
            RData::MX(mx) => Some(MailHost { preference: mx.preference, name: mx.exchange.to_string() }),
            _ => None,
        }),
    )?;
    found.records.sort();
    Ok(found)
}

/// The IPv4 and IPv6 addresses of a host, each once. One family is enough: the other may get no answer.
///
/// # Errors
///
/// As for [`texts`], for both families.
pub fn addresses(resolver: &Resolver, host: &str, limit: Duration) -> io::Result<Found<IpAddr>> {
    let both = async {
        let v4 = find(resolver, host, TYPE::A, |data| match data {
            RData::A(record) => Some(IpAddr::V4(record.address.into())),
            _ => None,
        });
        let v6 = find(resolver, host, TYPE::AAAA, |data| match data {
            RData::AAAA(record) => Some(IpAddr::V6(record.address.into())),
            _ => None,
        });
        match (v4.await, v6.await) {
            (Ok(v4), Ok(v6)) => {
                let all: BTreeSet<_> = v4.records.into_iter().chain(v6.records).collect();
                let name_exists = v4.name_exists || v6.name_exists;
                Ok(Found { records: all.into_iter().collect(), name_exists, alias_of: v4.alias_of })
            }
            (Ok(one), Err(_)) | (Err(_), Ok(one)) if !one.records.is_empty() => Ok(one),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    };
    within(limit, both)
}

async fn find<R>(
    resolver: &Resolver,
    name: &str,
    kind: TYPE,
    of: impl Fn(RData<'_>) -> Option<R>,
) -> io::Result<Found<R>> {
    let answer = resolver.ask(name, kind).await?;
    let answer = answer.parse()?;
    let name_exists = answer.rcode() != RCODE::NameError;
    let mut found = Found { records: Vec::new(), name_exists, alias_of: None };
    for record in answer.answers {
        match record.rdata {
            RData::CNAME(target) => {
                if found.alias_of.is_none() {
                    found.alias_of = Some(target.0.to_string());
                }
            }
            data => found.records.extend(of(data)),
        }
    }
    Ok(found)
}
