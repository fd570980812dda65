// SPDX-License-Identifier: GPL-2.0

//! What has to hold whatever the attacker does, and what has to occur so that this means something.

use super::correspondent::FLOOR;
use super::settings;
use super::wire::Place;
use super::Attacked;
use super::State;
use stateright::Model;
use stateright::Property;
use tcp_continuity::proto::flow;

/// Nothing is followed that the mover has not said.
pub const AUTHENTIC: &str = "no epoch is followed that the mover has not used";
/// An attacker's place is never taken for the mover's.
pub const PLACE: &str = "a path is validated only where the mover was";
/// Who is led astray comes back.
pub const TIME: &str = "it is never with the attacker for longer than validate_time";
/// S-40.
pub const OCTETS: &str =
    "the attacker's place gets three times what came from there, and a segment in 10 s";
/// When all is over the ends agree, or will at the mover's next word.
pub const REST: &str = "when nothing more happens, the ends agree or the mover has given up";
/// The attacker's few segments do not end what the network lets live.
pub const RESILIENCE: &str = "where few segments are lost the mover is not given up";

/// S-40's time.
const SPAN: u64 = 10_000;

impl State {
    fn agrees(&self) -> bool {
        let local = self.mover.local;
        self.correspondent.remote() == local || self.correspondent.lapsed() == Some(local)
    }

    fn is_quiet(&self) -> bool {
        self.mover.flow.is_none() && self.correspondent.is_sure() && self.wire.is_empty()
    }
}

/// The properties of a model.
pub fn of(model: &Attacked) -> Vec<Property<Attacked>> {
    let mut all = vec![
        Property::always(AUTHENTIC, |_, s: &State| {
            s.correspondent.followed() <= s.mover.last_epoch()
        }),
        Property::always(TIME, |_, s: &State| {
            let most = u64::try_from(settings().validate_time.as_millis()).expect("it is short");
            let strayed = s.correspondent.strayed;
            strayed.is_none_or(|since| s.now <= since + most)
        }),
        Property::always(OCTETS, |_, s: &State| {
            let (received, sent) = s.correspondent.books;
            let spans = s
                .correspondent
                .first
                .map_or(0, |at| (s.now - at) / SPAN + 1);
            let most = u64::from(received) * 3 + spans * u64::from(FLOOR);
            u64::from(sent) <= most
        }),
        // Time never goes back, so that there are no cycles: what cannot go on is the end.
        Property::always(REST, |m: &Attacked, s: &State| {
            let mut actions = Vec::new();
            m.actions(s, &mut actions);
            actions.retain(|action| m.next_state(s, *action).is_some());
            !actions.is_empty() || s.mover.ended || (s.is_quiet() && s.agrees())
        }),
        Property::always(RESILIENCE, |m: &Attacked, s: &State| {
            m.losses.is_none() || !s.mover.ended
        }),
        Property::always(PLACE, |_, s: &State| {
            s.correspondent.remote() != Place::ATTACKER || !s.correspondent.is_sure()
        }),
    ];
    if model.fault.is_none() {
        all.extend(occurrences(model));
    }
    all
}

fn occurrences(model: &Attacked) -> Vec<Property<Attacked>> {
    let mut all = vec![
        sometimes("on the move", |_, s| {
            s.mover.state() == flow::State::Pending
        }),
        sometimes("confirmed and validated elsewhere", |_, s| {
            s.moves > 0 && s.is_quiet() && s.correspondent.remote() == s.mover.local
        }),
    ];
    if model.attacks > 0 {
        all.push(sometimes("led astray", |_, s| {
            s.correspondent.strayed.is_some()
        }));
        all.push(sometimes("led astray, and back", |_, s| {
            s.correspondent.first.is_some() && s.is_quiet() && s.correspondent.strayed.is_none()
        }));
    }
    if model.losses.is_none() {
        all.push(sometimes("not answered, and gone back", |_, s| {
            s.correspondent.lapsed().is_some()
        }));
        all.push(sometimes("given up", |_, s| s.mover.ended));
    }
    all
}

/// As [`Property::sometimes`], with types that closures above need not repeat.
fn sometimes(name: &'static str, condition: fn(&Attacked, &State) -> bool) -> Property<Attacked> {
    Property::sometimes(name, condition)
}
