// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::proto::flow::Waiting;
use core::net::Ipv4Addr;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

const RTO: Duration = Duration::from_millis(400);

fn host(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, number))
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A flow with what it is told and what it answers.
struct Told(Flow, Settings);

impl Told {
    fn new() -> Self {
        Self(Flow::new(host(1), at(0)), Settings::default())
    }

    fn tell(&mut self, millis: u64, event: Event) -> Vec<Action> {
        self.0
            .handle(at(millis), &self.1, event)
            .into_iter()
            .collect()
    }

    fn lost(&mut self, millis: u64, new: Option<u8>) -> Vec<Action> {
        let new = new.map(host);
        let clock = None;
        self.tell(
            millis,
            Event::AddressLost {
                new,
                rto: RTO,
                srtt: Duration::ZERO,
                clock,
            },
        )
    }

    /// Is held, by an application with a limit or without, for data that waits or not.
    fn held(&mut self, millis: u64, limit: Option<u64>, unacknowledged: bool) {
        let limit = limit.map(Duration::from_secs);
        let waiting = Waiting {
            limit,
            unacknowledged,
        };
        assert_eq!(self.tell(millis, Event::Held(waiting)), vec![]);
    }

    fn deadline(&self) -> Option<u64> {
        self.0.deadline().map(Instant::as_millis)
    }

    fn came(&mut self, millis: u64, new: Option<u8>) -> Vec<Action> {
        let new = new.map(host);
        self.tell(
            millis,
            Event::AddressAppeared {
                new,
                rto: RTO,
                srtt: Duration::ZERO,
                clock: None,
            },
        )
    }

    /// Loses its address, and has another at once.
    fn moved(&mut self, millis: u64, to: u8) -> Vec<Action> {
        assert_eq!(
            self.lost(millis, Some(to)),
            vec![Action::Rebind { local: host(to) }]
        );
        self.tell(millis, Event::Rebound)
    }
}

const HEARD: Event = Event::Segment {
    rst: false,
    acceptable: true,
    echo: None,
};

fn update(old: u8) -> Action {
    Action::SendUpdate {
        old: host(old),
        retransmission: false,
    }
}

#[test]
fn a_move_tells_the_peer_and_then_resends() {
    let mut flow = Told::new();
    let expected = vec![
        update(1),
        Action::RestartPath,
        Action::Count(Happening::Moved),
    ];
    assert_eq!(flow.moved(0, 2), expected);
    assert_eq!(flow.0.state(), State::Pending);
    assert_eq!(flow.0.old(), host(1));
    assert_eq!(flow.0.deadline(), Some(at(400)));
    assert_eq!(
        flow.tell(10, HEARD),
        vec![Action::Count(Happening::Confirmed)]
    );
    assert_eq!(flow.0.state(), State::Stable);
    // A RST that was on its way does not count, a while later it does.
    let rst = Event::Segment {
        rst: true,
        acceptable: false,
        echo: None,
    };
    assert!(flow.tell(11, rst).contains(&Action::IgnoreSegment));
    assert_eq!(flow.tell(2_010, Event::Deadline), vec![Action::Forget]);
    assert_eq!(flow.tell(2_011, rst), vec![]);
}

#[test]
fn an_update_is_repeated_ever_more_slowly_and_then_given_up() {
    let mut flow = Told::new();
    flow.moved(0, 2);
    let mut waits = Vec::new();
    let mut last = 0;
    loop {
        let now = flow.0.deadline().expect("a deadline").as_millis();
        waits.push(now - last);
        assert!(waits.len() < 100, "it goes on for ever");
        last = now;
        let actions = flow.tell(now, Event::Deadline);
        if actions.contains(&Action::Abort) {
            assert!(actions.contains(&Action::Count(Happening::GaveUp)));
            assert!(actions.contains(&Action::Forget));
            break;
        }
        let again = Action::SendUpdate {
            old: host(1),
            retransmission: true,
        };
        assert_eq!(actions, vec![again]);
    }
    assert_eq!(waits[..6], [400, 800, 1600, 3200, 6400, 8000]);
    assert_eq!(last, 120_000);
    assert_eq!(flow.0.state(), State::Failed);
}

#[test]
fn a_late_confirmation_resends_what_went_unheard() {
    let mut flow = Told::new();
    flow.moved(0, 2);
    flow.tell(400, Event::Deadline);
    assert!(flow.tell(500, HEARD).contains(&Action::RestartPath));
}

#[test]
fn resets_and_strangers_do_not_reach_a_flow_on_the_move() {
    let rst = Event::Segment {
        rst: true,
        acceptable: false,
        echo: None,
    };
    let ignored = vec![Action::IgnoreSegment, Action::Count(Happening::RstIgnored)];
    let mut flow = Told::new();
    flow.moved(0, 2);
    assert_eq!(flow.tell(1, rst), ignored);
    assert_eq!(
        flow.tell(
            2,
            Event::Segment {
                rst: false,
                acceptable: false,
                echo: None,
            }
        ),
        vec![]
    );
    assert_eq!(flow.0.state(), State::Pending);
    flow.lost(3, None);
    assert_eq!(flow.tell(4, rst), ignored);
}

#[test]
fn without_an_address_it_is_held_until_one_comes() {
    let mut flow = Told::new();
    let expected = vec![Action::Park, Action::Count(Happening::Suspended)];
    assert_eq!(flow.lost(0, None), expected);
    assert_eq!(flow.0.state(), State::Suspended);
    assert_eq!(flow.tell(30_000, Event::Deadline), vec![Action::Hold]);
    assert_eq!(flow.came(31_000, None), vec![]);
    assert_eq!(
        flow.came(32_000, Some(5)),
        vec![Action::Rebind { local: host(5) }]
    );
}

#[test]
fn its_own_address_back_needs_no_word_to_the_peer() {
    let mut flow = Told::new();
    flow.lost(0, None);
    let expected = vec![
        Action::Unpark,
        Action::Count(Happening::Resumed),
        Action::Forget,
    ];
    assert_eq!(flow.came(10, Some(1)), expected);
}

#[test]
fn an_address_it_has_told_of_is_told_of_again_when_it_is_back() {
    let mut flow = Told::new();
    flow.moved(0, 2);
    flow.lost(1, None);
    let expected = vec![
        update(1),
        Action::RestartPath,
        Action::Count(Happening::Resumed),
    ];
    assert_eq!(flow.came(10, Some(2)), expected);
}

#[test]
fn hold_time_and_the_applications_patience_end() {
    for (limit, end) in [(None, 3_600_000), (Some(5), 5_000)] {
        let mut flow = Told::new();
        flow.lost(0, None);
        flow.held(0, limit, true);
        assert!(flow.deadline().is_some_and(|at| at <= end));
        let expected = vec![
            Action::Count(Happening::HoldExpired),
            Action::Abort,
            Action::Forget,
        ];
        assert_eq!(flow.tell(end, Event::Deadline), expected);
    }
}

#[test]
fn an_applications_limit_counts_from_when_data_waits() {
    let mut flow = Told::new();
    flow.lost(0, None);
    flow.held(0, Some(8), false);
    // Nothing waits: it is looked at well within the limit, and again.
    assert_eq!(flow.deadline(), Some(2_000));
    assert_eq!(flow.tell(2_000, Event::Deadline), vec![Action::Hold]);
    flow.held(2_000, Some(8), true);
    // Acknowledged after all, and waiting anew.
    flow.held(4_000, Some(8), false);
    flow.held(6_000, Some(8), true);
    assert_eq!(flow.tell(12_000, Event::Deadline), vec![Action::Hold]);
    flow.held(12_000, Some(8), true);
    assert_eq!(flow.deadline(), Some(14_000));
    assert_eq!(flow.tell(14_000, Event::Deadline)[1], Action::Abort);
}

#[test]
fn moves_in_a_row_name_every_address_the_peer_may_believe_in() {
    let mut flow = Told::new();
    flow.moved(0, 2);
    assert_eq!(flow.moved(1, 3)[..2], [update(1), update(2)]);
    // Back to the first: the peer may believe in the two others, too.
    assert_eq!(flow.moved(2, 1)[..2], [update(2), update(3)]);
    flow.tell(4_002, HEARD);
    assert_eq!(flow.moved(4_003, 4)[0], update(1));
}

/// There and back, with the timestamp clock in milliseconds if there is one.
fn there_and_back(timestamps: bool) -> Told {
    let mut flow = Told::new();
    for (millis, to) in [(1_000, 2), (1_500, 1)] {
        let event = Event::AddressLost {
            new: Some(host(to)),
            rto: RTO,
            srtt: Duration::ZERO,
            clock: timestamps.then_some(millis),
        };
        flow.tell(millis.into(), event);
        flow.tell(millis.into(), Event::Rebound);
    }
    flow
}

fn heard(echo: Option<u32>) -> Event {
    Event::Segment {
        rst: false,
        acceptable: true,
        echo,
    }
}

#[test]
fn what_was_sent_here_before_it_left_does_not_confirm_a_flow_that_is_back() {
    let mut flow = there_and_back(true);
    assert_eq!(flow.tell(1_600, heard(Some(999))), vec![]);
    assert_eq!(flow.tell(1_600, heard(Some(1_499))), vec![]);
    assert_eq!(flow.0.state(), State::Pending);
    let confirmed = vec![Action::Count(Happening::Confirmed)];
    assert_eq!(flow.tell(1_700, heard(Some(1_500))), confirmed);
    assert_eq!(flow.0.state(), State::Stable);
}

#[test]
fn without_timestamps_a_flow_that_is_back_waits_until_nothing_old_can_come() {
    let mut flow = there_and_back(false);
    assert_eq!(flow.tell(5_499, heard(None)), vec![]);
    assert_eq!(flow.0.state(), State::Pending);
    assert!(flow
        .tell(5_500, heard(None))
        .contains(&Action::Count(Happening::Confirmed)));
    // The shortest confirm_time is shorter than that: it counts from there.
    let mut flow = Told::new();
    flow.1.confirm_time = Duration::from_secs(1);
    for (millis, to) in [(0, 2), (0, 1)] {
        flow.moved(millis, to);
    }
    while flow.0.state() == State::Pending {
        let now = flow.0.deadline().expect("a deadline").as_millis();
        assert!(now <= 5_000);
        let given_up = flow.tell(now, Event::Deadline).contains(&Action::Abort);
        assert_eq!(given_up, now == 5_000);
    }
}

#[test]
fn back_where_it_was_confirmed_it_asks_what_any_tcp_answers() {
    let mut flow = Told::new();
    flow.moved(0, 2);
    assert!(!flow
        .tell(400, Event::Deadline)
        .contains(&Action::SolicitAck));
    assert!(!flow.moved(500, 1).contains(&Action::SolicitAck));
    let again = flow.tell(900, Event::Deadline);
    assert_eq!(again.last(), Some(&Action::SolicitAck));
}

#[test]
fn the_confirmed_address_is_never_forgotten_for_others() {
    let mut flow = Told::new();
    for number in 2..40 {
        let actions = flow.moved(0, number);
        assert!(actions.contains(&update(1)), "{number}");
        assert!(
            actions
                .iter()
                .filter(|a| matches!(a, Action::SendUpdate { .. }))
                .count()
                <= 4
        );
    }
}

#[test]
fn the_confirmed_address_is_remembered_across_a_return_to_it() {
    let mut flow = Told::new();
    for to in [2, 1, 3, 4, 5, 6] {
        flow.moved(0, to);
    }
    assert!(flow.moved(1, 7).contains(&update(1)));
    assert_eq!(flow.0.old(), host(1));
}

#[test]
fn a_rebind_that_fails_ends_that_flow_or_is_tried_again() {
    let mut flow = Told::new();
    flow.lost(0, Some(2));
    let taken = flow.tell(0, Event::RebindFailed(RebindError::TupleTaken));
    assert_eq!(
        taken,
        vec![
            Action::Count(Happening::MoveTupleTaken),
            Action::Abort,
            Action::Forget
        ]
    );

    let mut flow = Told::new();
    flow.lost(0, Some(2));
    flow.tell(0, Event::RebindFailed(RebindError::NoMemory));
    assert_eq!(flow.0.state(), State::Suspended);
    assert_eq!(
        flow.came(10, Some(2)),
        vec![Action::Rebind { local: host(2) }]
    );

    let mut flow = Told::new();
    flow.lost(0, Some(2));
    assert_eq!(
        flow.tell(0, Event::RebindFailed(RebindError::Gone)),
        vec![Action::Forget]
    );
}

/// A flow of the secure profile whose last epoch was 4.
fn secure() -> Told {
    let flow = Flow::secure(host(1), Epoch::new(4), false, at(0));
    Told(flow, Settings::default())
}

fn secure_update(epoch: u32, retransmission: bool) -> Action {
    Action::SendSecureUpdate {
        epoch: Epoch::new(epoch),
        retransmission,
        syn: false,
    }
}

/// The one that follows on a SYN.
fn update_on_syn(epoch: u32) -> Action {
    Action::SendSecureUpdate {
        epoch: Epoch::new(epoch),
        retransmission: true,
        syn: true,
    }
}

fn confirm(epoch: u32) -> Event {
    Event::Confirm {
        epoch: Epoch::new(epoch),
        syn: false,
    }
}

#[test]
fn in_the_secure_profile_only_a_confirm_confirms() {
    let mut flow = secure();
    let expected = vec![
        secure_update(5, false),
        Action::RestartPath,
        Action::Count(Happening::Moved),
    ];
    assert_eq!(flow.moved(0, 2), expected);
    assert_eq!(flow.tell(1, HEARD), vec![]);
    for other in [4, 6] {
        assert_eq!(flow.tell(1, confirm(other)), vec![]);
    }
    assert_eq!(flow.0.state(), State::Pending);
    let confirmed = vec![Action::Count(Happening::Confirmed)];
    assert_eq!(flow.tell(2, confirm(5)), confirmed);
    assert_eq!(flow.0.state(), State::Stable);
    assert_eq!(flow.tell(3, confirm(5)), vec![]);
    // And none does in the classic one.
    let mut flow = Told::new();
    flow.moved(0, 2);
    assert_eq!(flow.tell(1, confirm(1)), vec![]);
    assert_eq!(flow.0.state(), State::Pending);
}

#[test]
fn each_secure_update_has_an_epoch_of_its_own() {
    let mut flow = secure();
    flow.moved(0, 2);
    let again = flow.tell(400, Event::Deadline);
    assert_eq!(again, vec![secure_update(6, true), update_on_syn(7)]);
    // Moved on, however often, one UPDATE is enough; what was for where it was does not confirm, nor
    // what was for an UPDATE before the last, of which a copy may have come from elsewhere.
    assert_eq!(flow.moved(500, 3)[0], secure_update(8, false));
    assert_eq!(
        flow.tell(900, Event::Deadline),
        vec![secure_update(9, true), update_on_syn(10)]
    );
    for old in [5, 6, 7, 8] {
        assert_eq!(flow.tell(901, confirm(old)), vec![]);
    }
    // What followed the first of them may not have been heard.
    let late = vec![Action::RestartPath, Action::Count(Happening::Confirmed)];
    assert_eq!(flow.tell(902, confirm(10)), late);
}

#[test]
fn where_no_syn_arrives_none_is_waited_for() {
    let mut flow = secure();
    flow.moved(0, 2);
    let again = flow.tell(400, Event::Deadline);
    assert_eq!(again, vec![secure_update(6, true), update_on_syn(7)]);
    // Not the last, but it says what arrives: one more of its kind, once.
    assert_eq!(flow.tell(500, confirm(6)), vec![secure_update(8, true)]);
    assert_eq!(flow.tell(501, confirm(6)), vec![]);
    assert_eq!(flow.tell(502, confirm(7)), vec![]);
    let deadline = flow.deadline().expect("a deadline");
    let again = flow.tell(deadline, Event::Deadline);
    assert_eq!(again, vec![secure_update(9, true)]);
    let late = vec![Action::RestartPath, Action::Count(Happening::Confirmed)];
    assert_eq!(flow.tell(deadline + 1, confirm(9)), late);
}

#[test]
fn who_was_confirmed_on_a_syn_begins_with_one() {
    let flow = Flow::secure(host(1), Epoch::new(4), true, at(0));
    let mut flow = Told(flow, Settings::default());
    let expected = vec![
        secure_update(5, false),
        update_on_syn(6),
        Action::RestartPath,
        Action::Count(Happening::Moved),
    ];
    assert_eq!(flow.moved(0, 2), expected);
    // What followed the first was before the SYN/ACK, and is lost.
    let event = Event::Confirm {
        epoch: Epoch::new(6),
        syn: true,
    };
    let confirmed = vec![Action::RestartPath, Action::Count(Happening::Confirmed)];
    assert_eq!(flow.tell(2, event), confirmed);
}

#[test]
fn the_first_wait_is_one_and_a_half_round_trips() {
    for (srtt, first) in [(200, 300), (20, 100), (0, 400), (3_000, 400)] {
        let mut flow = secure();
        flow.tell(
            0,
            Event::AddressLost {
                new: Some(host(2)),
                rto: RTO,
                srtt: Duration::from_millis(srtt),
                clock: None,
            },
        );
        flow.tell(0, Event::Rebound);
        assert_eq!(flow.deadline(), Some(first));
    }
}

#[test]
fn in_the_secure_profile_its_own_address_back_is_told() {
    let mut flow = secure();
    flow.lost(0, None);
    let expected = vec![
        secure_update(5, false),
        Action::RestartPath,
        Action::Count(Happening::Resumed),
    ];
    assert_eq!(flow.came(10, Some(1)), expected);
    assert_eq!(flow.0.state(), State::Pending);
}

#[test]
fn when_epochs_are_spent_it_ends() {
    let mut flow = Told(
        Flow::secure(host(1), Epoch::new(u32::MAX - 1), false, at(0)),
        Settings::default(),
    );
    assert_eq!(flow.moved(0, 2)[0], secure_update(u32::MAX, false));
    let spent = vec![
        Action::Count(Happening::EpochsSpent),
        Action::Abort,
        Action::Forget,
    ];
    assert_eq!(flow.tell(400, Event::Deadline), spent);
}

fn any_event() -> impl Strategy<Value = Event> {
    let address = || prop::option::of((1u8..6).prop_map(host));
    let clock = || prop::option::of(0u32..9);
    prop_oneof![
        (address(), clock()).prop_map(|(new, clock)| Event::AddressLost {
            new,
            rto: RTO,
            srtt: Duration::ZERO,
            clock,
        }),
        (prop::option::of(0u64..9), any::<bool>()).prop_map(|(limit, unacknowledged)| {
            Event::Held(Waiting {
                limit: limit.map(Duration::from_secs),
                unacknowledged,
            })
        }),
        (address(), clock()).prop_map(|(new, clock)| Event::AddressAppeared {
            new,
            rto: RTO,
            srtt: Duration::ZERO,
            clock,
        }),
        Just(Event::Rebound),
        Just(Event::RebindFailed(RebindError::NoMemory)),
        Just(Event::Segment {
            rst: true,
            acceptable: false,
            echo: None,
        }),
        Just(HEARD),
        (4u32..9).prop_map(confirm),
        Just(heard(Some(7))),
        Just(Event::Deadline),
    ]
}

proptest! {
    /// Whatever happens: no panic; a RST is never followed by an abort; and what is suspended or
    /// pending has a deadline, so that it ends.
    #[test]
    fn whatever_happens_it_has_a_deadline(
        is_secure: bool, events in prop::collection::vec((any_event(), 0u64..9_000), 0..60),
    ) {
        let mut flow = if is_secure { secure() } else { Told::new() };
        let mut last = Epoch::new(4);
        let mut now = 0;
        for (event, pause) in events {
            now += pause;
            let actions = flow.tell(now, event);
            if matches!(event, Event::Segment { .. }) {
                prop_assert!(!actions.contains(&Action::Abort));
            }
            for action in &actions {
                if let Action::SendSecureUpdate { epoch, .. } = action {
                    prop_assert!(is_secure && *epoch > last);
                    last = *epoch;
                }
                let classic = matches!(action, Action::SendUpdate { .. });
                prop_assert!(!(is_secure && classic));
            }
            let rebinding = actions.iter().any(|a| matches!(a, Action::Rebind { .. }));
            let busy = matches!(flow.0.state(), State::Suspended | State::Pending);
            let awaited = rebinding || matches!(flow.0.phase, Phase::Rebinding { .. });
            prop_assert!(!busy || awaited || flow.0.deadline().is_some());
        }
    }

    /// Left alone it is confirmed or given up in bounded time.
    #[test]
    fn left_alone_it_ends(moves in prop::collection::vec(1u8..6, 1..8), suspend: bool) {
        let mut flow = Told::new();
        for to in moves {
            flow.lost(0, Some(to));
            flow.tell(0, Event::Rebound);
        }
        if suspend {
            flow.lost(0, None);
        }
        let mut rounds = 0;
        while let Some(deadline) = flow.0.deadline() {
            flow.tell(deadline.as_millis(), Event::Deadline);
            rounds += 1;
            prop_assert!(rounds < 1_000);
        }
        prop_assert_eq!(flow.0.state(), State::Failed);
    }
}
