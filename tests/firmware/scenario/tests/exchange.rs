//! The exchange finds what goes wrong, or a firmware's success would mean nothing.

use firmware_scenario::payload::{self, Damage, Origin};
use firmware_scenario::{Exchange, Fault, Outgoing, Progress, Target};

/// Sends what there is to send; each is acknowledged.
fn send(exchange: &mut Exchange) -> Vec<Outgoing> {
    let mut sent = Vec::new();
    while let Some(outgoing) = exchange.next() {
        exchange.sent(outgoing);
        exchange.acknowledged().unwrap();
        sent.push(outgoing);
    }
    sent
}

/// What comes back for it.
fn answer(outgoing: Outgoing) -> [u8; payload::LEN] {
    match outgoing.target {
        Target::Own => outgoing.payload(),
        Target::Peer => payload::of(Origin::Host, outgoing.number),
    }
}

#[test]
fn it_ends_when_all_has_come_back_and_not_before() {
    let mut exchange = Exchange::new(200, true, false);
    let mut count = 0;
    loop {
        let sent = send(&mut exchange);
        assert!(sent.len() <= 4, "more than fits");
        if sent.is_empty() {
            break;
        }
        for outgoing in sent {
            assert!(!exchange.is_done());
            exchange.received(&answer(outgoing)).unwrap();
            count += 1;
        }
    }
    assert!(exchange.is_done());
    assert_eq!((count, exchange.own().count(), exchange.peer().count()), (400, 200, 200));
}

#[test]
fn it_does_not_end_without_the_last_message_or_its_acknowledgement() {
    let mut exchange = Exchange::new(2, false, false);
    let sent = send(&mut exchange);
    exchange.received(&answer(sent[0])).unwrap();
    assert!(!exchange.is_done());

    let mut exchange = Exchange::new(1, false, false);
    let outgoing = exchange.next().unwrap();
    exchange.sent(outgoing);
    exchange.received(&answer(outgoing)).unwrap();
    assert!(!exchange.is_done());
    exchange.acknowledged().unwrap();
    assert!(exchange.is_done());
}

#[test]
fn every_changed_byte_is_found() {
    let right = payload::of(Origin::Own, 0);
    assert_eq!(payload::read(&right), Ok((Origin::Own, 0)));
    for at in 0..right.len() {
        let mut wrong = right;
        wrong[at] ^= 1;
        assert!(payload::read(&wrong).is_err(), "byte {at}");
    }
    assert_eq!(payload::read(&right[..999]), Err(Damage::Length(999)));
}

#[test]
fn no_two_payloads_are_alike() {
    let all = [Origin::Own, Origin::Firmware, Origin::Host].into_iter().flat_map(|origin| {
        (0..payload::MAX_MESSAGES).map(move |number| payload::of(origin, number)[3..].to_vec())
    });
    let all: std::collections::HashSet<_> = all.collect();
    assert_eq!(all.len(), 3 * 256);
}

#[test]
fn a_message_that_was_never_sent_is_a_fault_and_one_that_comes_again_is_counted() {
    let mut exchange = Exchange::new(10, true, false);
    let sent = send(&mut exchange);
    assert_eq!(exchange.received(&payload::of(Origin::Own, 9)), Err(Fault::Unexpected(Origin::Own, 9)));
    assert_eq!(exchange.received(&payload::of(Origin::Host, 0)), Err(Fault::Unexpected(Origin::Host, 0)));
    assert_eq!(
        exchange.received(&payload::of(Origin::Firmware, 0)),
        Err(Fault::Unexpected(Origin::Firmware, 0))
    );
    exchange.received(&answer(sent[1])).unwrap();
    exchange.received(&answer(sent[1])).unwrap();
    assert_eq!((exchange.own().count(), exchange.own().duplicates()), (1, 1));
}

#[test]
fn it_pauses_with_nothing_under_way_until_it_is_told_to_go_on() {
    let mut exchange = Exchange::new(4, false, true);
    let sent = send(&mut exchange);
    assert_eq!(sent.len(), 2);
    assert_eq!(exchange.received(&answer(sent[0])), Ok(None));
    assert_eq!(exchange.received(&answer(sent[1])), Ok(Some(Progress::Paused)));
    assert_eq!(exchange.next(), None);
    assert_eq!(exchange.received(payload::GO), Ok(Some(Progress::GoesOn)));
    assert_eq!(exchange.received(payload::GO), Ok(None));
    assert_eq!(send(&mut exchange).len(), 2);
}

#[test]
fn an_acknowledgement_too_many_is_a_fault() {
    assert_eq!(Exchange::new(1, false, false).acknowledged(), Err(Fault::Acknowledged));
}
