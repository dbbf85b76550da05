//! The store in a database of a PostgreSQL server: any number of hosts add to it, and any number of reporters work on it.

mod url;

pub use url::PostgresqlUrl;
