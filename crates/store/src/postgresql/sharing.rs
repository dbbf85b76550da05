//! What a collector does with the store besides adding batches.

use super::{columns::number, database::Postgresql};
use crate::{Error, HostState, SharedStore, day};

impl SharedStore for Postgresql {
    fn last_batch(&mut self, writer: &str) -> Result<u64, Error> {
        let row = self.on_link(|link| link.row("SELECT last_batch($1)", &[&writer]))?;
        Ok(row.map_or(0, |row| row.get::<_, i64>(0).unsigned_abs()))
    }

    fn check_in(&mut self, host: &HostState) -> Result<(), Error> {
        let HostState { name, now, complete_before, last_batch, spool_batches, spool_bytes } = host;
        self.on_link(|link| {
            link.rows(
                "SELECT check_in($1, $2, $3, $4, $5, $6)",
                &[
                    name,
                    &now.as_millisecond(),
                    &day::to_number(*complete_before),
                    &last_batch.map(|at| at.as_second()),
                    &number(*spool_batches),
                    &number(*spool_bytes),
                ],
            )
        })?;
        Ok(())
    }
}
