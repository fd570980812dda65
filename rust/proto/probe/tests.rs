// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use std::vec;
use std::vec::Vec;

const RTO: Duration = Duration::from_millis(250);
const IGNORED: Action = Action::Count(Happening::RstIgnored);

/// A connection, and the epochs it asked with.
struct Asker {
    probe: Probe,
    settings: Settings,
    epoch: u32,
    acknowledged: u32,
}

impl Asker {
    fn new() -> Self {
        Self {
            probe: Probe::new(),
            settings: Settings::default(),
            epoch: 6,
            acknowledged: 1_000,
        }
    }

    /// What it answers; if it asks, that is done.
    fn tell(&mut self, millis: u64, event: Event) -> Vec<Action> {
        let now = Instant::from_millis(millis);
        let actions = self.probe.handle(now, &self.settings, event);
        let actions: Vec<_> = actions.into_iter().collect();
        if actions.contains(&Action::Ask) {
            self.epoch += 1;
            let event = Event::Asked {
                epoch: Epoch::new(self.epoch),
                acknowledged: SeqNum::new(self.acknowledged),
            };
            assert_eq!(self.tell(millis, event), []);
        }
        actions
    }

    fn rst(&mut self, millis: u64) -> Vec<Action> {
        self.tell(millis, Event::Rst { rto: RTO })
    }

    fn silence(&mut self, millis: u64) -> Vec<Action> {
        self.tell(millis, Event::Silence { rto: RTO })
    }

    fn confirm(&mut self, millis: u64, epoch: u32) -> Vec<Action> {
        let event = Event::Confirm {
            epoch: Epoch::new(epoch),
            acknowledged: SeqNum::new(self.acknowledged),
        };
        self.tell(millis, event)
    }

    /// Meets all deadlines up to `until`. When each was, and what followed.
    fn run(&mut self, until: u64) -> Vec<(u64, Vec<Action>)> {
        let mut met = Vec::new();
        while let Some(at) = self.probe.deadline().map(Instant::as_millis) {
            if at > until {
                break;
            }
            met.push((at, self.tell(at, Event::Deadline)));
        }
        met
    }
}

#[test]
fn a_rst_is_not_believed_until_the_peer_had_time_to_contradict() {
    let mut asker = Asker::new();
    assert_eq!(asker.rst(0), [Action::IgnoreSegment, IGNORED, Action::Ask]);
    // Asked as often as an UPDATE is, and once more when the time is over.
    let asked = asker.run(1_000);
    let ask = vec![Action::Ask];
    assert_eq!(
        asked,
        [(250, ask.clone()), (750, ask.clone()), (1_000, ask)]
    );
    assert_eq!(asker.rst(1_020), [Action::Count(Happening::RstBelieved)]);
}

#[test]
fn what_the_peer_contradicts_is_forgotten() {
    let mut asker = Asker::new();
    asker.rst(0);
    asker.acknowledged += 10;
    assert_eq!(
        asker.confirm(20, 7),
        [Action::Count(Happening::ProbeAnswered)]
    );
    assert_eq!(asker.run(60_000), [(1_020, vec![])]);
    assert_eq!(asker.probe, Probe::new());
}

#[test]
fn an_answer_to_something_else_is_none() {
    let mut asker = Asker::new();
    assert_eq!(asker.confirm(0, 6), []);
    asker.rst(10);
    assert_eq!(asker.confirm(20, 6), []);
    asker.run(300);
    // To any of the questions.
    assert_ne!(asker.confirm(310, 7), []);
}

#[test]
fn a_flood_of_rsts_brings_a_question_a_second() {
    let mut asker = Asker::new();
    let mut asked = 0;
    for millis in (0..60_000).step_by(10) {
        asker.run(millis);
        let before = asker.epoch;
        assert!(asker.rst(millis).contains(&Action::IgnoreSegment));
        asked = asker.epoch - 6;
        if asker.epoch > before || asker.probe.deadline().is_some() {
            asker.confirm(millis + 5, asker.epoch);
        }
    }
    assert!((50..=61).contains(&asked), "{asked}");
}

#[test]
fn a_rst_just_after_the_answer_is_looked_after() {
    let mut asker = Asker::new();
    asker.rst(0);
    asker.confirm(20, 7);
    assert_eq!(asker.rst(30), [Action::IgnoreSegment, IGNORED]);
    // The peer has ended the connection just after it answered, and says so once only.
    let met = asker.run(1_020);
    assert_eq!(met, [(1_020, vec![Action::Ask])]);
    asker.run(2_020);
    assert_eq!(asker.rst(2_040), [Action::Count(Happening::RstBelieved)]);
}

#[test]
fn a_long_path_gets_time_for_an_answer() {
    let mut asker = Asker::new();
    let rto = Duration::from_secs(5);
    asker.tell(0, Event::Rst { rto });
    asker.run(5_990);
    assert!(asker.rst(5_995).contains(&Action::IgnoreSegment));
    asker.run(6_000);
    assert_eq!(asker.rst(6_001), [Action::Count(Happening::RstBelieved)]);
}

#[test]
fn without_a_guard_time_rsts_are_believed_at_once() {
    let mut asker = Asker::new();
    asker.settings.rst_guard = Duration::ZERO;
    assert_eq!(asker.rst(0), []);
    assert_eq!(asker.probe.deadline(), None);
    // A question that goes on for another reason changes nothing of that.
    asker.silence(10);
    assert_eq!(asker.rst(20), []);
    asker.confirm(30, 7);
    assert_eq!(asker.rst(40), []);
}

#[test]
fn after_silence_it_asks_three_times_and_ends_nothing() {
    let mut asker = Asker::new();
    assert_eq!(asker.silence(0), [Action::Ask]);
    assert_eq!(asker.silence(10), []);
    let ask = vec![Action::Ask];
    let unanswered = vec![Action::Count(Happening::ProbeUnanswered)];
    assert_eq!(
        asker.run(60_000),
        [(250, ask.clone()), (750, ask), (1_750, unanswered)]
    );
    // At TCP's next retransmission again.
    assert_eq!(asker.silence(3_000), [Action::Ask]);
}

#[test]
fn what_is_outstanding_is_resent_if_nothing_was_acknowledged() {
    let mut asker = Asker::new();
    asker.silence(0);
    let counted = Action::Count(Happening::ProbeAnswered);
    assert_eq!(asker.confirm(20, 7), [counted, Action::RestartPath]);
    asker.run(2_000);
    asker.silence(2_000);
    asker.acknowledged += 1;
    assert_eq!(asker.confirm(2_020, 8), [counted]);
}

#[test]
fn a_rst_while_it_asks_after_silence_is_doubted_for_the_whole_time() {
    let mut asker = Asker::new();
    asker.silence(0);
    asker.run(500);
    assert_eq!(
        asker.rst(600),
        [Action::IgnoreSegment, IGNORED, Action::Ask]
    );
    asker.run(1_590);
    assert!(asker.rst(1_590).contains(&Action::IgnoreSegment));
    // Late, but an answer to the first question.
    assert_ne!(asker.confirm(1_595, 7), []);
}

#[test]
fn a_question_that_was_not_asked_has_no_answer() {
    let mut probe = Probe::new();
    let settings = Settings::default();
    let now = Instant::from_millis(0);
    probe.handle(now, &settings, Event::Silence { rto: RTO });
    let event = Event::Confirm {
        epoch: Epoch::new(1),
        acknowledged: SeqNum::new(0),
    };
    let answered = probe.handle(now, &settings, event);
    assert_eq!(answered.into_iter().next(), None);
}
