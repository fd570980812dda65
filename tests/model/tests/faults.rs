// SPDX-License-Identifier: GPL-2.0

//! The checks find what they are for: each mistake breaks the property that is against it.

use stateright::Checker;
use stateright::HasDiscoveries;
use stateright::Model;
use tcpc_model::fault::Fault;
use tcpc_model::properties::AGREEMENT;
use tcpc_model::properties::BOUNDED;
use tcpc_model::properties::DEADLINE;
use tcpc_model::properties::NO_RESET;
use tcpc_model::properties::ORDER;
use tcpc_model::properties::PERSISTENCE;
use tcpc_model::properties::RESILIENCE;
use tcpc_model::properties::REST;
use tcpc_model::Moves;

/// That a model with the fault violates the properties. Without it, it is one of those in classic.rs.
fn breaks(properties: &'static [&'static str], fault: Fault, model: Moves) {
    let faulty = Moves {
        fault: Some(fault),
        ..model
    };
    let checker = faulty
        .checker()
        .finish_when(HasDiscoveries::AllOf(properties.iter().copied().collect()))
        .spawn_bfs()
        .join();
    for property in properties {
        let path = checker.discovery(property);
        assert!(path.is_some(), "{fault:?} does not break: {property}");
    }
}

#[test]
fn forgotten_beliefs_leave_the_peer_where_it_was() {
    let model = Moves {
        addresses: 3,
        losses: Some(1),
        ..Moves::there_and_back()
    };
    breaks(&[RESILIENCE], Fault::ForgetsBeliefs, model);
}

#[test]
fn a_reset_believed_too_soon_ends_the_flow() {
    let model = Moves {
        words: 1,
        ..Moves::once()
    };
    breaks(&[NO_RESET], Fault::BelievesResets, model);
    breaks(&[NO_RESET], Fault::SettlesAtOnce, model);
}

#[test]
fn what_was_sent_before_does_not_confirm() {
    let model = Moves {
        replies: 1,
        ..Moves::there_and_back()
    };
    breaks(&[AGREEMENT, REST], Fault::TrustsAnySegment, model);
    breaks(
        &[AGREEMENT, REST],
        Fault::TrustsAnySegment,
        model.without_timestamps(),
    );
}

#[test]
fn an_update_sent_once_is_given_up_at_one_loss() {
    breaks(&[PERSISTENCE], Fault::NeverRepeats, Moves::once());
    let model = Moves {
        losses: Some(1),
        ..Moves::once()
    };
    breaks(&[RESILIENCE], Fault::NeverRepeats, model);
}

#[test]
fn a_flow_without_deadlines_never_ends() {
    breaks(&[DEADLINE, REST], Fault::SleepsOn, Moves::once());
}

#[test]
fn a_flow_that_waits_longer_than_it_is_set_to_is_noticed() {
    let model = Moves {
        gaps: true,
        ..Moves::once()
    };
    breaks(&[BOUNDED], Fault::WaitsLonger, model);
}

#[test]
fn timestamps_tell_an_old_update_from_a_new_one() {
    let model = Moves {
        watched: true,
        ..Moves::there_and_back()
    };
    breaks(&[AGREEMENT, ORDER], Fault::IgnoresTimestamps, model);
}

#[test]
fn without_timestamps_it_does_not_follow_to_what_it_just_left() {
    let model = Moves {
        watched: true,
        ..Moves::there_and_back().without_timestamps()
    };
    breaks(&[ORDER], Fault::FollowsToWhatItLeft, model);
}

#[test]
fn a_lost_answer_is_repeated() {
    let model = Moves {
        losses: Some(1),
        ..Moves::once()
    };
    breaks(&[RESILIENCE], Fault::AnswersOnce, model);
}
