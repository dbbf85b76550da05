//! One domain.

use jiff::civil::Date;
use tlsrpt_format::datagram::normalized_domain;
use tlsrpt_store::{Error, PolicyCounts, Url, open_reader};

/// The counters of a domain.
#[derive(Debug, Clone)]
pub struct Domain {
    /// Its name as the store has it.
    pub name: String,
    /// The requested days, in the requested order.
    pub days: Vec<DomainDay>,
}

/// One UTC day of it.
#[derive(Debug, Clone)]
pub struct DomainDay {
    /// The day.
    pub day: Date,
    /// Its policies. Empty if there was no session.
    pub policies: Vec<PolicyCounts>,
}

impl Domain {
    /// Reads the store. `name` may be in any case, with or without a dot at the end.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn look(store: &Url, name: &str, days: &[Date]) -> Result<Self, Error> {
        let mut reader = open_reader(store)?;
        let of_day = |day: &Date| Ok(DomainDay { day: *day, policies: reader.policies(*day, name)? });
        let days = days.iter().map(of_day).collect::<Result<_, Error>>()?;
        Ok(Self { name: normalized_domain(name), days })
    }
}
