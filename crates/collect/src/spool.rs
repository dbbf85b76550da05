//! The spool of this host, which the keeping thread fills and the passing thread empties.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tlsrpt_store::{
    Added, Batch, Error, ErrorKind, KeptDays, Purged, SpoolOptions, SpoolState, Store, set_spool_aside,
};

/// The file, which is open while it works. The threads share one connection: each holds the lock only as long as it uses
/// the file, and never while it uses the network.
#[derive(Debug, Clone)]
pub(crate) struct Spool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    options: SpoolOptions,
    open: Mutex<Option<tlsrpt_store::Spool>>,
}

impl Spool {
    pub(crate) fn new(path: &Path, options: SpoolOptions) -> Self {
        Self(Arc::new(Shared { path: path.into(), options, open: Mutex::new(None) }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Uses the file. Opens it if it is not open, and after an error.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut tlsrpt_store::Spool) -> Result<T, Error>) -> Result<T, Error> {
        let mut open = self.lock();
        let mut spool = match open.take() {
            Some(spool) => spool,
            None => tlsrpt_store::Spool::open(&self.0.path, self.0.options)?,
        };
        let outcome = work(&mut spool);
        // Any other error may be in the open connection.
        if outcome.as_ref().map_or_else(|error| is_outside(error.kind()), |_| true) {
            *open = Some(spool);
        }
        outcome
    }

    /// What waits in the spool. None if it cannot be read, or if another thread uses it now.
    pub(crate) fn state_at_once(&self) -> Option<SpoolState> {
        let mut open = match self.0.open.try_lock() {
            Ok(open) => open,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return None,
        };
        open.as_mut()?.state().ok()
    }

    /// Renames the damaged file, unless another thread has opened it without an error meanwhile: it may be a new one.
    pub(crate) fn set_aside(&self, stamp: &str) -> Result<Option<PathBuf>, Error> {
        let open = self.lock();
        if open.is_some() { Ok(None) } else { set_spool_aside(&self.0.path, stamp).map(Some) }
    }

    /// A poisoned lock is used as it is: a connection is taken out while it is used.
    fn lock(&self) -> MutexGuard<'_, Option<tlsrpt_store::Spool>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the reason of an error is outside the connection.
fn is_outside(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Locked | ErrorKind::Full)
}

/// The spool as the keeping thread sees it.
#[derive(Debug)]
pub(crate) struct AddsToSpool(Spool);

impl AddsToSpool {
    /// Opens the file, unless it is open.
    pub(crate) fn open(spool: &Spool) -> Result<Self, Error> {
        spool.with(|_| Ok(()))?;
        Ok(Self(spool.clone()))
    }
}

impl Store for AddsToSpool {
    fn add(&mut self, batch: &Batch) -> Result<Added, Error> {
        self.0.with(|spool| spool.add(batch))
    }

    fn purge(&mut self, kept: KeptDays) -> Result<Purged, Error> {
        self.0.with(|spool| spool.purge(kept))
    }
}
