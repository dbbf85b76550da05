//! The queue between the map server and the tasks that send events, with tasks that panic, hang or fail.

use std::{
    future,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use tlsrpt_sendmail::{
    handshake::Handshake,
    reporter::{Complain, LONGEST_QUEUE, MOST_TASKS, Reporter},
};

/// The deadline of each wait. Only a failing test waits so long.
const BOUND: Duration = Duration::from_secs(60);
const AT_ONCE: Duration = Duration::ZERO;

fn handshake(domain: &str) -> Handshake {
    Handshake::read(format!("tlsrpt OK;{domain};mx.example.org;192.0.2.25;;?;").as_bytes()).unwrap()
}

/// Starts a reporter whose tasks hang, panic, fail or succeed by their domain. The receiver gets the domains of the tasks that
/// have succeeded.
fn start(complain: Complain) -> (Reporter, mpsc::Receiver<String>) {
    let (done, ended) = mpsc::channel();
    let work = move |handshake: Handshake| {
        let done = done.clone();
        async move {
            match handshake.domain.as_str() {
                "hang.example" => future::pending().await,
                "panic.example" => panic!("on purpose"),
                "fail.example" => Err("no\u{1b}way".into()),
                _ => {
                    done.send(handshake.domain).unwrap();
                    Ok(())
                }
            }
        }
    };
    (Reporter::start(work, complain).unwrap(), ended)
}

fn silent() -> Complain {
    Arc::new(|_| ())
}

fn collecting() -> (Complain, mpsc::Receiver<String>) {
    let (message, messages) = mpsc::channel();
    (Arc::new(move |text: &str| message.send(text.into()).unwrap()), messages)
}

#[test]
fn tasks_that_hang_do_not_delay_others() {
    let (reporter, ended) = start(silent());
    for _ in 0..MOST_TASKS - 1 {
        reporter.take(handshake("hang.example")).unwrap();
    }
    reporter.take(handshake("good.example")).unwrap();
    assert_eq!(ended.recv_timeout(BOUND).unwrap(), "good.example");
}

#[test]
fn a_task_that_panics_is_logged_and_does_not_end_others() {
    let (complain, messages) = collecting();
    let (reporter, ended) = start(complain);
    for _ in 0..2 * MOST_TASKS {
        reporter.take(handshake("panic.example")).unwrap();
        let message = messages.recv_timeout(BOUND).unwrap();
        assert_eq!(message, "no event for panic.example: a task failed by a mistake in this program");
    }
    reporter.take(handshake("good.example")).unwrap();
    assert_eq!(ended.recv_timeout(BOUND).unwrap(), "good.example");
    assert_eq!(reporter.finish(BOUND), 0);
}

#[test]
fn control_characters_in_messages_are_escaped() {
    let (complain, messages) = collecting();
    let (reporter, _) = start(complain);
    reporter.take(handshake("fail.example")).unwrap();
    assert_eq!(messages.recv_timeout(BOUND).unwrap(), "no event for fail.example: no\\u{1b}way");
}

#[test]
fn at_the_end_queued_events_are_sent_or_counted() {
    let (reporter, ended) = start(silent());
    for number in 0..1000 {
        reporter.take(handshake(&format!("{number}.example"))).unwrap();
    }
    for _ in 0..3 {
        reporter.take(handshake("hang.example")).unwrap();
    }
    let sent: Vec<_> = (0..1000).map(|_| ended.recv_timeout(BOUND).unwrap()).collect();
    assert_eq!((sent[0].as_str(), sent[999].as_str()), ("0.example", "999.example"));
    // The reporter counts a task as ended shortly after the receiver has its domain.
    let end = Instant::now() + BOUND;
    while reporter.finish(AT_ONCE) > 3 {
        assert!(Instant::now() < end, "more events are left than the three that hang");
        thread::yield_now();
    }
    assert_eq!(reporter.finish(AT_ONCE), 3);
    let refused = reporter.take(handshake("good.example")).unwrap_err();
    assert_eq!(refused, "no event for good.example: the map server is ending");
}

#[test]
fn the_end_waits_for_events_that_are_under_way() {
    let (reporter, ended) = start(silent());
    for number in 0..1000 {
        reporter.take(handshake(&format!("{number}.example"))).unwrap();
    }
    assert_eq!(reporter.finish(BOUND), 0);
    assert_eq!(ended.try_iter().count(), 1000);
}

#[test]
fn a_full_queue_refuses_events_with_a_message() {
    let (reporter, _) = start(silent());
    let take = |_: usize| reporter.take(handshake("hang.example"));
    // One event more than the tasks leaves the queue: it waits for a free task.
    let taken = (0..MOST_TASKS + LONGEST_QUEUE + 2).map(take);
    let refused: Vec<_> = taken.filter_map(Result::err).collect();
    assert!(!refused.is_empty());
    assert_eq!(refused[0], "no event for hang.example: too many connections wait for DNS");
}
