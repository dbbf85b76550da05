//! The reports a second of reporters that share the work.

use std::{error::Error, path::Path, time::Instant};

use super::{
    figures::{Run, grouped},
    load::Load,
    site::Site,
};
use crate::{delivering::Sink, table};

const REPORTERS: [usize; 2] = [1, 4];
const DOMAINS: usize = 10_000;
const COLLECTORS: usize = 4;

pub(crate) fn measure(command: &Path) -> Result<String, Box<dyn Error>> {
    let mut rows = Vec::new();
    for reporters in REPORTERS {
        let site = Site::new(command, "")?;
        Run::measure(&site, Load::new(DOMAINS, DOMAINS), COLLECTORS)?;
        let (before, begin) = (site.server_seconds()?, Instant::now());
        deliver(&site, reporters, DOMAINS)?;
        let (seconds, time) = (site.server_seconds()? - before, begin.elapsed());
        rows.push(vec![
            reporters.to_string(),
            format!("{:.1} s", time.as_secs_f64()),
            format!("{:.0}", DOMAINS as f64 / time.as_secs_f64()),
            format!("{:.1} ms", seconds * 1000.0 / DOMAINS as f64),
        ]);
    }
    let explanation = format!(
        "The reports of {} domains, from their counters in PostgreSQL to the answer of a mail server on this machine that takes \
         everything.",
        grouped(DOMAINS as f64)
    );
    let header = ["reporters", "time", "reports a second", "processor time of the server for a report"];
    Ok(table::section("Reporters", &explanation, &header, &rows))
}

/// Makes and delivers the reports of a day of so many domains. Each domain has one.
pub(crate) fn deliver(site: &Site, reporters: usize, domains: usize) -> Result<(), Box<dyn Error>> {
    let sink = Sink::mail()?;
    site.deliver(reporters, sink.port, &["--day", "today"])?;
    if sink.reports() != domains {
        return Err(format!("{} of {domains} report mails arrived", sink.reports()).into());
    }
    Ok(())
}
