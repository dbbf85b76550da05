//! `tlsrpt collect`, from senders to the store. Not under the usual harness: this program is the senders too, and the cases
//! run one after the other, since each of them wants the whole machine.

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
        ("a_kill_loses_the_batch_in_hand", counting::a_kill_loses_the_batch_in_hand),
        ("a_socket_of_its_own", counting::a_socket_of_its_own),
        ("a_locked_store_is_waited_for", faults::a_locked_store_is_waited_for),
        ("a_full_buffer_is_counted_and_said", faults::a_full_buffer_is_counted_and_said),
        ("a_full_disk_is_waited_for", faults::a_full_disk_is_waited_for),
        ("a_store_that_is_read_only_is_waited_for", faults::a_store_that_is_read_only_is_waited_for),
        ("a_nearly_full_disk_needs_attention", faults::a_nearly_full_disk_needs_attention),
        ("a_power_cut_takes_nothing_that_was_committed", power::a_power_cut_takes_nothing_that_was_committed),
        ("a_store_that_is_gone_begins_anew", faults::a_store_that_is_gone_begins_anew),
        ("a_damaged_store_is_set_aside", faults::a_damaged_store_is_set_aside),
        ("a_file_of_somebody_else_is_not_touched", faults::a_file_of_somebody_else_is_not_touched),
        ("a_store_of_a_later_version_is_refused", faults::a_store_of_a_later_version_is_refused),
        ("what_is_not_committed_at_the_end_is_an_error", faults::what_is_not_committed_at_the_end_is_an_error),
        (
            "a_day_that_is_removed_before_its_report_is_a_warning",
            purging::a_day_that_is_removed_before_its_report_is_a_warning,
        ),
        ("arbitrary_datagrams_end_nothing", hostile::arbitrary_datagrams_end_nothing),
        ("invalid_datagrams_are_kept", hostile::invalid_datagrams_are_kept),
        ("a_limit_is_said", hostile::a_limit_is_said),
        ("the_service_manager_is_told", manager::the_service_manager_is_told),
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
