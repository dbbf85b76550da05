//! What each role of docs/many-hosts.md can do.

use tlsrpt_store::{
    ErrorKind, HostState, Limits, PostgresqlUrl, SharedStore, Timestamp, Url, open_reader, open_shared,
};

use crate::{
    behaviour::batches::{DAY, GOOD, batch, day, event},
    place::{Place, server},
};

pub(crate) fn shared(place: &Place) -> Box<dyn SharedStore> {
    open_shared(&url(place, "tlsrpt_collector"), Limits::default()).unwrap()
}

fn url(place: &Place, role: &str) -> PostgresqlUrl {
    server().url(role, &place.database).parse().unwrap()
}

#[test]
fn a_collector_adds_and_checks_in_and_reads_nothing() {
    let place = Place::new();
    let mut collector = shared(&place);
    assert_eq!(collector.last_batch("test"), Ok(0));
    collector.add(&batch(7, DAY, &[(event("a.example", "r", &[GOOD]), 1)])).unwrap();
    assert_eq!(collector.last_batch("test"), Ok(7));
    let error = collector.purge(tlsrpt_store::KeptDays::last(30, day(DAY))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("permission denied for table day"), "{error}");
    let read_as = |role: &str| open_reader(&Url::Postgresql(Box::new(url(&place, role))));
    let error = read_as("tlsrpt_collector").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::AddsOnly, "{error}");
    let expected = "the role tlsrpt_collector adds counts and may not read them; the role tlsrpt_status may: ";
    assert!(error.to_string().contains(expected), "{error}");
    // A role that is of no use for a collector either is in the wrong place.
    place.sql("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA tlsrpt FROM tlsrpt_collector");
    let error = read_as("tlsrpt_collector").unwrap().domains(day(DAY), "", 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    place.sql("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tlsrpt TO tlsrpt_collector");
    // Without a role that only reads, the owner of the tables is named.
    place.sql("REVOKE SELECT ON day FROM tlsrpt_status");
    let error = read_as("tlsrpt_collector").err().unwrap();
    assert!(error.to_string().contains("; the role tlsrpt_reporter may: "), "{error}");
    place.sql("GRANT SELECT ON day TO tlsrpt_status");
    let mut reading = open_shared(&url(&place, "tlsrpt_status"), Limits::default()).unwrap();
    let error = reading.add(&batch(1, DAY, &[])).unwrap_err();
    assert!(error.to_string().contains("permission denied for function add_batch; the role of the URL"), "{error}");
    // The positive control.
    assert_eq!(place.reader().domains(day(DAY), "", 1).unwrap().len(), 1);
}

/// Each table and column, and what each role may do with it by the catalogue of the server.
#[test]
fn the_roles_have_no_other_privileges() {
    let place = Place::new();
    let privileges = |role: &str, kinds: &str| {
        place.sql(&format!(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'tlsrpt'::regnamespace AND relkind = 'r' \
             AND has_table_privilege('{role}', oid, '{kinds}')"
        ))
    };
    let writing = "INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER";
    assert_eq!(privileges("tlsrpt_collector", &format!("SELECT, {writing}")), "0");
    assert_eq!(privileges("tlsrpt_status", writing), "0");
    let tables =
        place.sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'tlsrpt'::regnamespace AND relkind = 'r'");
    assert_eq!(privileges("tlsrpt_status", "SELECT"), tables);
    assert_eq!(privileges("tlsrpt_reporter", writing), tables);
    for role in ["tlsrpt_collector", "tlsrpt_status"] {
        assert_eq!(place.sql(&format!("SELECT has_schema_privilege('{role}', 'tlsrpt', 'CREATE')")), "f", "{role}");
        let database = format!("SELECT has_database_privilege('{role}', '{}', 'CREATE, TEMPORARY')", place.database);
        assert_eq!(place.sql(&database), "f", "{role}");
    }
    let functions = |role: &str| {
        place.sql(&format!(
            "SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc WHERE pronamespace = 'tlsrpt'::regnamespace \
             AND has_function_privilege('{role}', oid, 'EXECUTE')"
        ))
    };
    assert_eq!(functions("tlsrpt_status"), "schema_version server_time");
    assert_eq!(functions("tlsrpt_collector"), "add_batch check_in last_batch schema_version server_time");
    // Whoever may connect must not take a function's place by one of their own.
    let unsafe_functions = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'tlsrpt'::regnamespace AND prosecdef \
                            AND NOT 'search_path=tlsrpt, pg_temp' = ANY (proconfig)";
    assert_eq!(place.sql(unsafe_functions), "0");
    assert_eq!(place.sql(&unsafe_functions.replace("AND NOT", "AND")), "4");
}

#[test]
fn hosts_register_themselves_and_are_forgotten() {
    let place = Place::new();
    let mut collector = shared(&place);
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let state = |name: &str, hours: i64| HostState {
        name: name.into(),
        now: Timestamp::from_second(now.as_second() + hours * 3600).unwrap(),
        complete_before: day(DAY),
        last_batch: None,
        spool_batches: 3,
        spool_bytes: 4096,
    };
    collector.check_in(&state("mx2.example", 0)).unwrap();
    collector.check_in(&state("mx1.example", -1)).unwrap();
    let later = HostState {
        complete_before: day(DAY).tomorrow().unwrap(),
        last_batch: Some(now),
        spool_batches: 0,
        spool_bytes: 0,
        ..state("mx2.example", 2)
    };
    collector.check_in(&later).unwrap();
    let hosts = place.reader().hosts().unwrap();
    assert_eq!(hosts.iter().map(|host| host.state.clone()).collect::<Vec<_>>(), [state("mx1.example", -1), later]);
    let hours: Vec<_> = hosts.iter().map(|host| (host.clock_difference.as_secs() + 1800).div_euclid(3600)).collect();
    assert_eq!(hours, [-1, 2]);
    let mut reports = place.reports();
    assert_eq!(reports.forget_host("mx1.example"), Ok(true));
    assert_eq!(reports.forget_host("mx1.example"), Ok(false));
    assert_eq!(place.reader().hosts().unwrap().len(), 1);
}
