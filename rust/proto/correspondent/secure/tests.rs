// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::proto::crypto::tests::Sha256;
use crate::proto::session::tests::end;
use crate::proto::session::tests::pair;
use core::net::Ipv6Addr;
use core::time::Duration;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

const RTO: Duration = Duration::from_millis(400);
const OURS: Endpoint = Endpoint {
    address: core::net::IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 2, 1)),
    port: 22,
};
const UPDATE: u32 = 80;
const SEGMENT: u32 = 1500;
/// What may be sent to a new path for nothing.
const FLOOR: u32 = SEGMENT + CONFIRM_OCTETS;

fn host(number: u8) -> Endpoint {
    end(number, 40_000)
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A correspondent, and the keys of the mover it talks with, which is at host 1 at first.
struct Told {
    machine: Correspondent,
    ours: Session,
    movers: Session,
    settings: Settings,
    /// What the next challenge is made of.
    asked: u8,
}

impl Told {
    fn new() -> Self {
        let (mut movers, mut ours) = pair(1, 2, true);
        let echo = movers.echo(&Sha256).expect("the first");
        ours.hear_echo(&Sha256, &echo).expect("the client's");
        Self {
            machine: Correspondent::new(host(1)),
            ours,
            movers,
            settings: Settings::default(),
            asked: 0,
        }
    }

    fn tell(&mut self, millis: u64, event: Event) -> Result<Vec<Action>, Reject> {
        let actions =
            self.machine
                .handle(at(millis), &self.settings, &mut self.ours, &Sha256, event);
        actions.map(|actions| actions.into_iter().collect())
    }

    /// An authentic UPDATE.
    fn update(&mut self, epoch: u32, from: Endpoint) -> Event {
        let ends = Ends {
            source: from,
            destination: OURS,
        };
        self.asked += 1;
        Event::Update {
            update: self.movers.update(&Sha256, Epoch::new(epoch), false, &ends),
            ends,
            syn: None,
            octets: UPDATE,
            challenge: Challenge([self.asked; 8]),
            rto: RTO,
            segment: SEGMENT,
            unanswered: false,
        }
    }

    /// It comes, and the socket can be rebound.
    fn moved(&mut self, millis: u64, epoch: u32, to: Endpoint) -> Vec<Action> {
        let event = self.update(epoch, to);
        let rebind = Ok(vec![Action::Rebind { remote: to }]);
        assert_eq!(self.tell(millis, event), rebind);
        self.tell(millis, Event::Rebound).expect("actions")
    }

    /// The answer to the challenge made of `asked`.
    fn response(&mut self, epoch: u32, asked: u8, source: Endpoint) -> Event {
        let epoch = Epoch::new(epoch);
        let confirm = self.ours.confirm(&Sha256, epoch, Challenge([asked; 8]));
        let response = self.movers.answer(&Sha256, &confirm).expect("an answer");
        Event::Response { response, source }
    }
}

fn confirm(epoch: u32, asked: u8, retransmission: bool) -> Action {
    Action::SendConfirm {
        epoch: Epoch::new(epoch),
        challenge: Challenge([asked; 8]),
        syn: None,
        retransmission,
    }
}

fn received(from: u8, octets: u32) -> Event {
    Event::Received {
        source: host(from),
        octets,
    }
}

fn validated() -> Result<Vec<Action>, Reject> {
    Ok(vec![
        Action::LiftBudget,
        Action::Count(Happening::PathValidated),
    ])
}

#[test]
fn an_update_is_followed_at_once_and_validated_by_a_response() {
    let mut told = Told::new();
    assert_eq!(told.machine.budget(), None);
    let followed = [
        Action::Budget(FLOOR),
        confirm(1, 1, false),
        Action::RestartPath,
        Action::Count(Happening::Rebound),
    ];
    let actions = told.moved(0, 1, host(2));
    assert_eq!(actions[..4], followed);
    assert_eq!(told.machine.remote(), host(2));
    assert_eq!(told.machine.deadline(), Some(at(400)));
    let response = told.response(1, 1, host(2));
    assert_eq!(told.tell(50, response), validated());
    assert_eq!(told.machine.budget(), None);
    assert_eq!(told.machine.deadline(), None);
    // Once more, it changes nothing.
    assert_eq!(told.tell(60, response), Ok(vec![]));
}

#[test]
fn an_update_proves_what_an_echo_does() {
    let mut told = Told::new();
    (told.movers, told.ours) = pair(1, 2, true);
    let update = told.update(1, host(2));
    let expected = vec![
        Action::Rebind { remote: host(2) },
        Action::Count(Happening::CapableAgreed),
    ];
    assert_eq!(told.tell(0, update), Ok(expected));
}

#[test]
fn what_may_be_sent_is_what_came_three_times() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    told.tell(0, Event::Sent { octets: 80 }).expect("counted");
    told.tell(0, Event::Sent { octets: 1520 }).expect("counted");
    assert_eq!(told.machine.budget(), Some(0));
    let came = told.tell(1, received(2, 1000));
    assert_eq!(came, Ok(vec![Action::Budget(3 * 1080 - 1600)]));
    // On a path that is validated nothing is counted.
    let response = told.response(1, 1, host(2));
    told.tell(2, response).expect("validated");
    assert_eq!(told.tell(3, received(2, 9)), Ok(vec![]));
}

#[test]
fn a_whole_segment_is_given_once_in_ten_seconds() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    assert_eq!(told.machine.budget(), Some(FLOOR));
    told.moved(9_999, 2, host(3));
    assert_eq!(told.machine.budget(), Some(3 * UPDATE));
    told.moved(10_000, 3, host(4));
    assert_eq!(told.machine.budget(), Some(FLOOR));
    told.moved(20_000, 4, host(2));
    assert_eq!(told.machine.budget(), Some(FLOOR));
}

#[test]
fn a_whole_segment_to_a_path_that_was_validated_was_not_for_nothing() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    let response = told.response(1, 1, host(2));
    assert_eq!(told.tell(50, response), validated());
    told.moved(100, 2, host(3));
    assert_eq!(told.machine.budget(), Some(FLOOR));
    // Nobody is there.
    told.moved(200, 3, host(4));
    assert_eq!(told.machine.budget(), Some(3 * UPDATE));
    let response = told.response(3, 3, host(4));
    assert_eq!(told.tell(250, response), validated());
    told.moved(300, 4, host(5));
    assert_eq!(told.machine.budget(), Some(3 * UPDATE));
}

#[test]
fn it_says_whether_a_whole_segment_would_be_given() {
    let mut told = Told::new();
    assert!(told.machine.gives_a_segment_to(host(2), at(0)));
    // It is there.
    assert!(!told.machine.gives_a_segment_to(host(1), at(0)));
    told.moved(0, 1, host(2));
    assert!(!told.machine.gives_a_segment_to(host(3), at(9_999)));
    assert!(told.machine.gives_a_segment_to(host(3), at(10_000)));
    // It was there lately, and needs no validation.
    assert!(!told.machine.gives_a_segment_to(host(1), at(10_000)));
    assert!(told.machine.gives_a_segment_to(host(1), at(180_000)));
}

#[test]
fn without_a_response_it_asks_again_and_then_goes_back() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    let mut asked = Vec::new();
    loop {
        let now = told.machine.deadline().expect("a deadline").as_millis();
        let actions = told.tell(now, Event::Deadline).expect("actions");
        if actions == vec![Action::ReturnTo { remote: host(1) }] {
            assert_eq!(now, 10_000);
            break;
        }
        assert_eq!(actions, vec![confirm(1, 1, true)]);
        asked.push(now);
    }
    assert_eq!(asked, [400, 1200, 2800, 6000]);
    let returned = [
        Action::LiftBudget,
        Action::RestartPath,
        Action::Count(Happening::PathReturned),
    ];
    assert_eq!(
        told.tell(10_000, Event::Rebound).expect("actions"),
        returned
    );
    assert_eq!(told.machine.remote(), host(1));
    assert_eq!(
        (told.machine.budget(), told.machine.deadline()),
        (None, None)
    );
    // The epoch that led there is used up; the mover's next UPDATE is followed as any other.
    let again = told.update(1, host(2));
    assert_eq!(told.tell(10_001, again), Err(Reject::SecureOldEpoch));
    told.moved(10_002, 2, host(2));
}

#[test]
fn what_is_on_its_way_to_one_path_is_led_to_no_other() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    let response = told.response(1, 1, host(2));
    told.tell(10_000, Event::Deadline).expect("back");
    told.tell(10_000, Event::Rebound).expect("back");
    let update = told.update(2, host(3));
    let rebind = Ok(vec![Action::Rebind { remote: host(3) }]);
    assert_eq!(told.tell(10_001, update), rebind);
    // On another processor, before the socket has its new end.
    assert_eq!(told.tell(10_001, response), Err(Reject::StateIneligible));
    told.tell(10_001, Event::Rebound).expect("followed");
    assert_eq!(told.machine.remote(), host(3));
    assert!(told.machine.budget().is_some());
}

#[test]
fn a_rebind_that_never_came_to_be_is_in_nobodys_way() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    told.tell(10_000, Event::Deadline).expect("back");
    told.tell(10_000, Event::Rebound).expect("back");
    let rebind = Ok(vec![Action::Rebind { remote: host(2) }]);
    assert_eq!(told.tell(10_001, received(2, 100)), rebind);
    let never = Event::RebindFailed(RebindError::NoMemory);
    told.tell(10_001, never).expect("as before");
    told.moved(10_002, 2, host(3));
}

#[test]
fn an_answer_that_was_only_late_counts() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    let response = told.response(1, 1, host(2));
    told.tell(10_000, Event::Deadline).expect("back");
    told.tell(10_000, Event::Rebound).expect("back");
    let rebind = Ok(vec![Action::Rebind { remote: host(2) }]);
    assert_eq!(told.tell(10_500, response), rebind);
    let actions = told.tell(10_500, Event::Rebound).expect("actions");
    assert!(actions.contains(&Action::Count(Happening::PathValidated)));
    assert_eq!(told.machine.remote(), host(2));
    assert_eq!(told.machine.budget(), None);
}

#[test]
fn a_mover_that_is_heard_where_it_was_not_validated_is_asked_again() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    told.tell(0, Event::Sent { octets: 1400 }).expect("counted");
    told.tell(10_000, Event::Deadline).expect("back");
    told.tell(10_000, Event::Rebound).expect("back");
    assert_eq!(told.machine.lapsed(), Some(host(2)));
    assert_eq!(told.tell(20_000, received(3, 1000)), Ok(vec![]));
    let rebind = Ok(vec![Action::Rebind { remote: host(2) }]);
    assert_eq!(told.tell(20_000, received(2, 500)), rebind);
    let failed = Event::RebindFailed(RebindError::TupleTaken);
    assert_eq!(told.tell(20_000, failed), Ok(vec![]));
    assert_eq!(told.machine.remote(), host(1));
    assert_eq!(told.tell(20_001, received(2, 500)), rebind);
    // What was sent there counts, and there is no other segment for nothing.
    let asked = vec![
        Action::Budget(3 * 580 - 1400),
        confirm(1, 1, false),
        Action::RestartPath,
        Action::Count(Happening::Rebound),
    ];
    assert_eq!(told.tell(20_001, Event::Rebound), Ok(asked));
    let back = Ok(vec![Action::ReturnTo { remote: host(1) }]);
    assert_eq!(told.tell(30_001, Event::Deadline), back);
    told.tell(30_001, Event::Rebound).expect("back");
    told.tell(30_002, received(2, 500)).expect("a rebind");
    told.tell(30_002, Event::Rebound).expect("again");
    let response = told.response(1, 1, host(2));
    assert_eq!(told.tell(30_010, response), validated());
}

#[test]
fn nothing_is_asked_again_that_would_be_more_than_may_be_sent() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    told.tell(0, Event::Sent { octets: FLOOR })
        .expect("counted");
    assert_eq!(told.tell(400, Event::Deadline), Ok(vec![]));
    told.tell(500, received(2, 520)).expect("more");
    let again = Ok(vec![confirm(1, 1, true)]);
    assert_eq!(told.tell(1_200, Event::Deadline), again);
}

#[test]
fn if_the_former_path_is_taken_it_waits() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    told.tell(10_000, Event::Deadline).expect("back");
    let failed = Event::RebindFailed(RebindError::TupleTaken);
    assert_eq!(told.tell(10_000, failed), Ok(vec![]));
    assert_eq!(told.machine.remote(), host(2));
    assert!(told.machine.budget().is_some());
    told.tell(10_000, Event::Deadline).expect("asks again");
    let back = Ok(vec![Action::ReturnTo { remote: host(1) }]);
    assert_eq!(told.tell(20_000, Event::Deadline), back);
}

#[test]
fn a_failed_rebind_uses_up_no_epoch() {
    for (error, reject) in [
        (RebindError::TupleTaken, Reject::TupleTaken),
        (RebindError::NoMemory, Reject::StateIneligible),
    ] {
        let mut told = Told::new();
        let update = told.update(1, host(2));
        told.tell(0, update).expect("a rebind");
        assert_eq!(told.tell(0, Event::RebindFailed(error)), Err(reject));
        assert_eq!(told.machine, Correspondent::new(host(1)));
        told.moved(1, 1, host(2));
    }
}

#[test]
fn only_a_higher_epoch_is_followed() {
    let mut told = Told::new();
    told.moved(0, 5, host(2));
    for (epoch, from) in [(5, 2), (5, 3), (4, 3), (1, 1), (0, 3)] {
        let update = told.update(epoch, host(from));
        let before = told.machine;
        assert_eq!(told.tell(1, update), Err(Reject::SecureOldEpoch));
        assert_eq!(told.machine, before);
    }
    assert_eq!(told.machine.followed(), Epoch::new(5));
}

#[test]
fn an_update_from_where_it_is_is_answered_and_asks_the_same() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    let update = told.update(2, host(2));
    let expected = vec![
        Action::Budget(FLOOR),
        confirm(2, 1, false),
        Action::Count(Happening::Repeated),
    ];
    assert_eq!(told.tell(400, update), Ok(expected));
    // What it has sent in vain it sends again, now that the mover is there.
    let mut again = told.update(3, host(2));
    if let Event::Update { unanswered, .. } = &mut again {
        *unanswered = true;
    }
    let actions = told.tell(400, again).expect("followed");
    assert!(actions.contains(&Action::RestartPath));
    // Time is not given twice, and the answer to the first question counts.
    assert_eq!(told.machine.deadline(), Some(at(400)));
    let first = told.movers.update(
        &Sha256,
        Epoch::new(1),
        false,
        &Ends {
            source: host(2),
            destination: OURS,
        },
    );
    assert_eq!(first.epoch, Epoch::new(1));
    let response = told.response(1, 1, host(2));
    assert_eq!(told.tell(410, response), validated());
}

#[test]
fn a_path_left_lately_needs_no_validation() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    let actions = told.moved(1_000, 2, host(1));
    let known = [
        Action::LiftBudget,
        Action::Count(Happening::PathKnown),
        confirm(2, 2, false),
        Action::RestartPath,
        Action::Count(Happening::Rebound),
    ];
    assert_eq!(actions, known);
    // Host 2 was never validated.
    told.moved(2_000, 3, host(2));
    assert!(told.machine.budget().is_some());
    let response = told.response(3, 3, host(2));
    told.tell(2_010, response).expect("validated");
    told.moved(100_000, 4, host(3));
    let response = told.response(4, 4, host(3));
    told.tell(100_001, response).expect("validated");
    // Host 2 was left three minutes ago.
    told.moved(280_000, 5, host(2));
    assert!(told.machine.budget().is_some());
}

#[test]
fn moves_in_a_row_go_back_to_the_last_path_that_was_validated() {
    let mut told = Told::new();
    told.moved(0, 1, host(2));
    told.moved(5_000, 2, host(3));
    told.moved(9_000, 3, host(4));
    assert_eq!(told.tell(18_999, Event::Deadline).map(|a| a.len()), Ok(1));
    let back = Ok(vec![Action::ReturnTo { remote: host(1) }]);
    assert_eq!(told.tell(19_000, Event::Deadline), back);
}

#[test]
fn answers_from_elsewhere_or_to_nothing_are_refused() {
    let mut told = Told::new();
    let update = told.update(1, host(2));
    let response = told.response(1, 1, host(1));
    assert_eq!(told.tell(0, response), Err(Reject::SecureFutureEpoch));
    told.tell(0, update).expect("a rebind");
    told.tell(0, Event::Rebound).expect("followed");
    let elsewhere = told.response(1, 1, host(3));
    assert_eq!(told.tell(1, elsewhere), Err(Reject::SecureWrongPath));
    let port = told.response(1, 1, Endpoint { port: 1, ..host(2) });
    assert_eq!(told.tell(1, port), Err(Reject::SecureWrongPath));
    let guessed = told.response(1, 9, host(2));
    assert_eq!(told.tell(1, guessed), Err(Reject::SecureBadMac));
    assert!(told.machine.budget().is_some());
    // Back where nothing was asked.
    told.tell(10_000, Event::Deadline).expect("back");
    told.tell(10_000, Event::Rebound).expect("back");
    let unasked = told.response(1, 1, host(1));
    assert_eq!(told.tell(10_001, unasked), Err(Reject::SecureUnasked));
    // A question of an epoch before the path's.
    let late = told.response(1, 1, host(3));
    told.moved(10_002, 2, host(3));
    assert_eq!(told.tell(10_003, late), Err(Reject::SecureOldEpoch));
}

#[test]
fn the_source_is_a_host_elsewhere_of_the_same_family() {
    let bad = |address| Endpoint { address, port: 1 };
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    for (source, reject) in [
        (bad([127, 0, 0, 1].into()), Reject::NewAddressInvalid),
        (bad([224, 0, 0, 1].into()), Reject::NewAddressInvalid),
        (bad([0, 0, 0, 0].into()), Reject::NewAddressInvalid),
        (Endpoint { port: 0, ..host(2) }, Reject::NewAddressInvalid),
        (bad(v6.into()), Reject::FamilyMismatch),
    ] {
        let mut told = Told::new();
        let update = told.update(1, source);
        assert_eq!(told.tell(0, update), Err(reject), "{source:?}");
    }
}

/// What may happen, with how long after what was before.
#[derive(Clone, Copy, Debug)]
enum Step {
    Update {
        epoch: u32,
        from: u8,
        authentic: bool,
    },
    Response {
        epoch: u32,
        asked: u8,
        from: u8,
    },
    Received(u8, u32),
    Wait(u64),
    Fail(bool),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u32..12, 1u8..5, prop::bool::weighted(0.8))
            .prop_map(|(epoch, from, authentic)| Step::Update { epoch, from, authentic }),
        3 => (1u32..12, 1u8..20, 1u8..5)
            .prop_map(|(epoch, asked, from)| Step::Response { epoch, asked, from }),
        2 => (1u8..5, 0u32..2000).prop_map(|(from, octets)| Step::Received(from, octets)),
        2 => (0u64..12_000).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Fail),
    ]
}

proptest! {
    /// Whatever happens: the epoch only grows; nothing moves without an authentic UPDATE or
    /// RESPONSE, or the end of a time; an unvalidated path has a deadline; and no address gets more
    /// than three times what came from it, and one segment in ten seconds, or since a validation.
    #[test]
    fn whatever_happens_is_bounded(steps in prop::collection::vec(any_step(), 0..80)) {
        let mut told = Told::new();
        let (mut now, mut fails) = (0, false);
        let (mut earned, mut sent, mut validations) = (0u64, 0u64, 0u64);
        for step in steps {
            let before = told.machine;
            let event = match step {
                Step::Update { epoch, from, authentic } => {
                    let mut event = told.update(epoch, host(from));
                    if let (Event::Update { update, .. }, false) = (&mut event, authentic) {
                        update.mac.0[0] ^= 1;
                    }
                    event
                }
                Step::Response { epoch, asked, from } => {
                    let ends = Ends { source: host(from), destination: OURS };
                    told.movers.update(&Sha256, Epoch::new(epoch), false, &ends);
                    told.response(epoch, asked, host(from))
                }
                Step::Received(from, octets) => received(from, octets),
                Step::Wait(millis) => {
                    now += millis;
                    Event::Deadline
                }
                Step::Fail(wanted) => {
                    fails = wanted;
                    continue;
                }
            };
            let mut result = told.tell(now, event);
            let rebinds = |a: &Action| matches!(a, Action::Rebind { .. } | Action::ReturnTo { .. });
            let rebinds = result.as_ref().is_ok_and(|actions| actions.iter().any(rebinds));
            if rebinds {
                let outcome = if fails {
                    Event::RebindFailed(RebindError::TupleTaken)
                } else {
                    Event::Rebound
                };
                result = told.tell(now, outcome);
            }
            let forged = matches!(step, Step::Update { authentic: false, .. });
            prop_assert!(!forged || (result.is_err() && told.machine == before));
            prop_assert!(told.machine.followed() >= before.followed());
            let heard = result.is_ok();
            if let (Step::Received(..), true) = (step, told.machine.remote() != before.remote()) {
                prop_assert_eq!(Some(told.machine.remote()), before.lapsed());
            }
            prop_assert_eq!(told.machine.budget().is_some(), told.machine.deadline().is_some());
            // All that may be sent is sent; and all that came is counted, once.
            if told.machine.budget().is_some() {
                match event {
                    Event::Update { octets, .. } if heard => earned += u64::from(octets),
                    Event::Received { source, octets } if source == told.machine.remote() => {
                        earned += u64::from(octets);
                    }
                    _ => {}
                }
            }
            if let Some(octets) = told.machine.budget() {
                sent += u64::from(octets);
                told.tell(now, Event::Sent { octets }).expect("counted");
                prop_assert_eq!(told.machine.budget(), Some(0));
            }
            let validated = Action::Count(Happening::PathValidated);
            validations += u64::from(result.is_ok_and(|actions| actions.contains(&validated)));
            let graces = now / 10_000 + 1 + validations;
            prop_assert!(sent <= 3 * earned + graces * u64::from(FLOOR));
        }
    }

    /// Left alone, a path is validated or left.
    #[test]
    fn left_alone_it_goes_back(epochs in prop::collection::vec(1u8..5, 1..6)) {
        let mut told = Told::new();
        for (epoch, from) in (1..).zip(epochs) {
            let update = told.update(epoch, host(from));
            told.tell(0, update).expect("followed");
            told.tell(0, Event::Rebound).expect("followed");
        }
        let mut rounds = 0;
        while let Some(deadline) = told.machine.deadline() {
            told.tell(deadline.as_millis(), Event::Deadline).expect("actions");
            told.tell(deadline.as_millis(), Event::Rebound).expect("actions");
            rounds += 1;
            prop_assert!(rounds < 50);
        }
        prop_assert_eq!(told.machine.remote(), host(1));
    }
}
