//! `tlsrpt collect`, from senders to the store. It has its own `main`: the program is also the senders, and the cases run one
//! after the other, because each needs the whole machine.

mod counting;
mod faults;
mod hostile;
mod manager;
mod memory;
mod power;
mod purging;
mod sender;
mod support;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == sender::ROLE) {
        return sender::run(&arguments[1..]);
    }
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let cases: &[(&str, fn())] = &[
        ("nothing_is_lost_with_a_queue_of_10", counting::nothing_is_lost_with_a_queue_of_10),
        ("nothing_is_lost_with_a_queue_of_512", counting::nothing_is_lost_with_a_queue_of_512),
        ("nothing_is_lost_through_restarts", counting::nothing_is_lost_through_restarts),
        ("a_kill_loses_only_uncommitted_datagrams", counting::a_kill_loses_only_uncommitted_datagrams),
        ("a_socket_of_its_own", counting::a_socket_of_its_own),
        ("the_collector_waits_for_a_locked_store", faults::the_collector_waits_for_a_locked_store),
        (
            "datagrams_that_do_not_fit_the_buffer_are_counted_and_logged",
            faults::datagrams_that_do_not_fit_the_buffer_are_counted_and_logged,
        ),
        ("the_collector_waits_for_space_on_a_full_disk", faults::the_collector_waits_for_space_on_a_full_disk),
        ("the_collector_waits_for_a_read_only_store", faults::the_collector_waits_for_a_read_only_store),
        ("a_nearly_full_disk_needs_attention", faults::a_nearly_full_disk_needs_attention),
        ("a_power_cut_loses_no_committed_event", power::a_power_cut_loses_no_committed_event),
        ("a_removed_store_is_created_again", faults::a_removed_store_is_created_again),
        ("a_damaged_store_is_set_aside", faults::a_damaged_store_is_set_aside),
        ("a_file_that_was_never_a_store_is_not_renamed", faults::a_file_that_was_never_a_store_is_not_renamed),
        ("a_store_of_a_later_version_is_refused", faults::a_store_of_a_later_version_is_refused),
        (
            "datagrams_that_are_not_committed_at_the_end_are_an_error",
            faults::datagrams_that_are_not_committed_at_the_end_are_an_error,
        ),
        (
            "a_day_that_is_removed_before_its_report_is_a_warning",
            purging::a_day_that_is_removed_before_its_report_is_a_warning,
        ),
        ("arbitrary_datagrams_do_not_end_the_collector", hostile::arbitrary_datagrams_do_not_end_the_collector),
        ("invalid_datagrams_are_kept", hostile::invalid_datagrams_are_kept),
        ("each_reached_limit_is_logged", hostile::each_reached_limit_is_logged),
        ("long_texts_do_not_fill_the_disk", hostile::long_texts_do_not_fill_the_disk),
        ("the_service_manager_gets_the_state", manager::the_service_manager_gets_the_state),
        ("the_journal_gets_priorities", manager::the_journal_gets_priorities),
        ("memory_stays_small", memory::memory_stays_small),
    ];
    let mut ran = 0;
    for (name, case) in cases.iter().filter(|(name, _)| wanted.is_none_or(|wanted| name.contains(&**wanted))) {
        println!("{name} ...");
        case();
        ran += 1;
    }
    println!("{ran} passed");
}
