//! The leases of reporters on deliveries whose attempt is under way.
//!
//! The clock of the server decides. A reporter renews its leases while it works; what it leaves when it dies is taken over
//! when its lease has ended. A reporter that was only cut off from the server keeps the outcome of its attempts afterwards,
//! for which it has time: the next attempt is due some time after the end of the lease.

use super::{database::Postgresql, failure::Failed, link::Link};
use crate::{Error, ErrorKind, Leases};

/// The length of a lease, in seconds: four times as long as leases are renewed, see [`crate::RENEWAL`].
pub(super) const LEASE: i64 = 60;
/// How long after the end of a lease its delivery is tried again.
const AFTERWARDS: i64 = 60;
/// How long the attempts at destinations in an hour are remembered, from its beginning.
const HOURS: i64 = 2 * 60 * 60;

impl Postgresql {
    /// Takes a name that no other process has.
    pub(super) fn become_one_of_the_reporters(&mut self) -> Result<u64, Error> {
        let random = getrandom::u64()
            .map_err(|error| Error::new(ErrorKind::Other, format!("no random numbers from the system: {error}")))?;
        let host = nix::unistd::gethostname().unwrap_or_default();
        self.reporter = format!("{}-{}-{random:016x}", host.to_string_lossy(), std::process::id());
        let reporter = self.reporter.clone();
        self.on_link(|link| {
            works_on(link, &reporter)?;
            take_over(link)
        })
    }

    pub(super) fn renew(&mut self, attempts: &[i64]) -> Result<Leases, Error> {
        let reporter = self.reporter.clone();
        self.on_link(|link| {
            let held = link.rows(
                "UPDATE delivery SET leased_until = server_time() + $1 WHERE id = ANY ($2) AND reporter = $3 RETURNING id",
                &[&LEASE, &attempts, &reporter],
            )?;
            let held = held.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<i64>, Failed>>()?;
            works_on(link, &reporter)?;
            link.execute("DELETE FROM destination_hour WHERE hour < server_time() - $1", &[&HOURS])?;
            let lost = attempts.iter().filter(|id| !held.contains(id)).copied().collect();
            Ok(Leases { lost, taken_over: take_over(link)? })
        })
    }
}

fn works_on(link: &mut Link, reporter: &str) -> Result<(), Failed> {
    link.execute("DELETE FROM reporter WHERE works_until < server_time()", &[])?;
    link.execute(
        "INSERT INTO reporter (name, works_until) VALUES ($1, server_time() + $2) \
         ON CONFLICT (name) DO UPDATE SET works_until = excluded.works_until",
        &[&reporter, &LEASE],
    )?;
    Ok(())
}

/// Makes deliveries wait again whose lease has ended. How many.
fn take_over(link: &mut Link) -> Result<u64, Failed> {
    link.execute(
        "WITH ended AS MATERIALIZED \
            (SELECT id FROM delivery WHERE started IS NOT NULL AND leased_until < server_time() FOR UPDATE SKIP LOCKED) \
         UPDATE delivery AS d SET started = NULL, reporter = NULL, leased_until = NULL, unknown = true, \
            attempts = attempts + 1, first_attempt = coalesce(first_attempt, started), last_attempt = started, \
            next_attempt = CASE WHEN state = 'waiting' THEN server_time() + $1 END, \
            answer = 'the reporter was interrupted' FROM ended WHERE d.id = ended.id",
        &[&AFTERWARDS],
    )
}
