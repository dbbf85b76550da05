//! Removes old days from a store that hosts share, where no collector may. In a thread of its own: it may take minutes, in
//! which reports are delivered.

use std::{
    io,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use tlsrpt_service::{Level, Log};
use tlsrpt_store::{KeptDays, ReportStore};

/// How often it looks whether a new day has begun.
const LOOK: Duration = Duration::from_secs(10 * 60);

/// Removes old days every day, until this is dropped.
#[derive(Debug)]
pub struct Housekeeping {
    _until_dropped: Sender<()>,
}

impl Housekeeping {
    /// Starts with this store, of which the last `keep_days` stay.
    ///
    /// # Errors
    ///
    /// The system has no thread.
    pub fn start(mut store: Box<dyn ReportStore>, keep_days: u32, log: Log) -> io::Result<Self> {
        let (until_dropped, end) = channel();
        thread::Builder::new().name("old days".into()).spawn(move || {
            let mut done = None;
            loop {
                let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
                if done != Some(today) {
                    remove(store.as_mut(), KeptDays::last(keep_days, today), log);
                    done = Some(today);
                }
                if end.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { _until_dropped: until_dropped })
    }
}

/// After an error, the next attempt is tomorrow.
fn remove(store: &mut dyn ReportStore, kept: KeptDays, log: Log) {
    match store.purge(kept) {
        Ok(purged) => {
            if let Some(line) = purged.summary() {
                log.say(Level::Info, line);
            }
            if let Some(warning) = purged.warning() {
                log.say(Level::Warning, warning);
            }
        }
        Err(error) => log.say(Level::Warning, format_args!("cannot remove old days: {error}")),
    }
}
