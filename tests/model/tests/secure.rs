// SPDX-License-Identifier: GPL-2.0

//! The secure profile with an attacker: every course of events, within limits; and that the properties
//! find mistakes.

use stateright::Checker;
use stateright::HasDiscoveries;
use stateright::Model;
use tcpc_model::secure::fault::Fault;
use tcpc_model::secure::properties::AUTHENTIC;
use tcpc_model::secure::properties::OCTETS;
use tcpc_model::secure::properties::PLACE;
use tcpc_model::secure::properties::RESILIENCE;
use tcpc_model::secure::properties::REST;
use tcpc_model::secure::properties::TIME;
use tcpc_model::secure::Attacked;

/// Checks a model, and that it is not vacuous.
fn check(model: Attacked) {
    let checker = model
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// That a model violates the properties.
fn breaks(properties: &'static [&'static str], model: Attacked) {
    let checker = model
        .checker()
        .finish_when(HasDiscoveries::AllOf(properties.iter().copied().collect()))
        .spawn_bfs()
        .join();
    for property in properties {
        let path = checker.discovery(property);
        assert!(
            path.is_some(),
            "{:?} does not break: {property}",
            model.fault
        );
    }
}

fn with(fault: Fault, model: Attacked) -> Attacked {
    Attacked {
        fault: Some(fault),
        ..model
    }
}

const FEW_LOSSES: Attacked = Attacked {
    losses: Some(1),
    ..Attacked::once()
};

#[test]
fn one_move_and_one_attack() {
    check(Attacked::once());
}

#[test]
fn two_attacks_where_little_is_lost() {
    check(Attacked {
        attacks: 2,
        ..FEW_LOSSES
    });
}

#[test]
fn two_moves_and_one_attack() {
    check(Attacked {
        moves: 2,
        losses: Some(0),
        room: 3,
        ..Attacked::once()
    });
}

#[test]
fn the_mover_speaks() {
    check(Attacked {
        words: 1,
        losses: Some(2),
        ..Attacked::once()
    });
}

#[test]
fn an_attacker_who_forwards_is_a_router_on_the_path() {
    // Documented in security.rst: it has no key, but the mover answers what it passes on, and its place
    // is validated as that of any NAT. Nothing else breaks.
    let forwards = Attacked {
        forwards: true,
        attacks: 3,
        ..FEW_LOSSES
    };
    breaks(&[PLACE], forwards);
}

#[test]
fn an_epoch_used_twice_lets_a_copy_end_the_flow() {
    breaks(&[RESILIENCE], with(Fault::RepeatsEpochs, FEW_LOSSES));
}

#[test]
fn who_has_the_key_moves_the_connection() {
    breaks(&[AUTHENTIC], with(Fault::KeyIsKnown, Attacked::once()));
}

#[test]
fn what_is_no_confirm_does_not_confirm() {
    let two = Attacked {
        words: 1,
        ..Attacked::once()
    };
    breaks(&[REST], with(Fault::BelievesAnything, two));
}

#[test]
fn data_does_not_validate_a_path() {
    let two = Attacked {
        attacks: 2,
        ..FEW_LOSSES
    };
    breaks(&[PLACE], with(Fault::ValidatesByData, two));
}

#[test]
fn who_spends_freely_is_noticed() {
    breaks(&[OCTETS], with(Fault::SpendsFreely, FEW_LOSSES));
}

#[test]
fn who_stays_with_the_attacker_is_noticed() {
    breaks(&[TIME], with(Fault::Stays, Attacked::once()));
}
