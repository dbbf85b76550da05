//! What the role of a connection may do.

use tlsrpt_format::printable;

use super::{failure::Failed, link::Link};
use crate::{Error, ErrorKind};

/// The name of the role, whether it reads, whether it adds, and a role that reads: one that does nothing else before the owner
/// of the tables, which may do everything.
const PRIVILEGES: &str = "\
    SELECT current_user::text, has_table_privilege('tlsrpt.day', 'SELECT'), \
    EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'tlsrpt'::regnamespace AND proname = 'add_batch' \
        AND has_function_privilege(oid, 'EXECUTE')), \
    (SELECT rolname::text FROM pg_class \
        CROSS JOIN LATERAL aclexplode(coalesce(relacl, acldefault('r', relowner))) AS granted \
        JOIN pg_roles ON pg_roles.oid = granted.grantee \
        WHERE pg_class.oid = 'tlsrpt.day'::regclass AND granted.privilege_type = 'SELECT' \
        ORDER BY granted.grantee = relowner, rolname LIMIT 1)";

/// Refuses the role of a collector, which adds counts and may not read them.
pub(super) fn check_reading(link: &mut Link) -> Result<(), Failed> {
    let Some(row) = link.row(PRIVILEGES, &[])? else { return Ok(()) };
    let (reads, adds): (bool, bool) = (row.try_get(1)?, row.try_get(2)?);
    if reads || !adds {
        return Ok(());
    }
    let (role, other): (String, Option<String>) = (row.try_get(0)?, row.try_get(3)?);
    let other = other.map_or_else(|| "no other role".into(), |other| format!("the role {}", printable(&other)));
    let text = format!(
        "the role {} adds counts and may not read them; {other} may: name it in the url of a configuration file of its own, and \
         that file by --config, see docs/many-hosts.md",
        printable(&role)
    );
    Err(Failed::Here(Error::new(ErrorKind::AddsOnly, text)))
}
