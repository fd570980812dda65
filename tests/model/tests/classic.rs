// SPDX-License-Identifier: GPL-2.0

//! The classic profile: every course of events, within limits.

use stateright::Checker;
use stateright::HasDiscoveries;
use stateright::Model;
use tcpc_model::Moves;

/// Checks a model, and that it is not vacuous.
fn check(model: Moves) {
    let checker = model
        .longer_if_asked()
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// With and without timestamps.
fn check_both(model: Moves) {
    check(model);
    check(model.without_timestamps());
}

#[test]
fn one_move_while_both_speak() {
    check_both(Moves {
        doubles: 1,
        words: 1,
        replies: 1,
        ..Moves::once()
    });
}

#[test]
fn one_loss_does_not_end_a_flow() {
    check_both(Moves {
        losses: Some(1),
        doubles: 1,
        ..Moves::once()
    });
    // Without timestamps a second move takes longer than the model's confirm_time has room for.
    check(Moves {
        addresses: 3,
        losses: Some(1),
        room: 6,
        ..Moves::there_and_back()
    });
}

#[test]
fn updates_are_followed_in_order() {
    check_both(Moves {
        watched: true,
        doubles: 1,
        ..Moves::there_and_back()
    });
}

#[test]
fn there_and_back_while_the_mover_speaks() {
    check_both(Moves {
        words: 1,
        ..Moves::there_and_back()
    });
}

#[test]
fn there_and_back_while_the_correspondent_speaks() {
    check_both(Moves {
        doubles: 1,
        replies: 1,
        ..Moves::there_and_back()
    });
}

#[test]
fn there_and_back_in_quick_succession() {
    check_both(Moves {
        replies: 1,
        stay: 250,
        ..Moves::there_and_back()
    });
}

#[test]
fn there_and_back_and_there() {
    check_both(Moves {
        moves: 3,
        replies: 1,
        ..Moves::there_and_back()
    });
}

#[test]
fn among_three_addresses() {
    check_both(Moves {
        moves: 3,
        addresses: 3,
        room: 3,
        stay: 3_000,
        ..Moves::there_and_back()
    });
}

#[test]
fn addresses_go_and_come_and_rebinds_fail() {
    check_both(Moves {
        moves: 3,
        gaps: true,
        failures: 1,
        ..Moves::there_and_back()
    });
}

#[test]
fn addresses_go_and_come_while_the_mover_speaks() {
    check_both(Moves {
        gaps: true,
        words: 1,
        room: 3,
        ..Moves::there_and_back()
    });
}

#[test]
fn the_correspondent_is_legacy_and_the_mover_comes_back() {
    // Nobody has anything to say: it has to occur all the same that it is confirmed back home.
    check_both(Moves {
        legacy: true,
        ..Moves::there_and_back()
    });
}

#[test]
fn the_correspondent_is_legacy() {
    check_both(Moves {
        gaps: true,
        words: 1,
        replies: 1,
        legacy: true,
        ..Moves::there_and_back()
    });
}
