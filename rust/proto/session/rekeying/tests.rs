// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::proto::crypto::tests::Dalek;
use crate::proto::crypto::tests::Sha256;
use crate::proto::crypto::Ends;
use crate::proto::crypto::Secret;
use crate::proto::ids::Challenge;
use crate::proto::ids::Epoch;
use crate::proto::option::secure::Update;
use crate::proto::session::tests::end;
use crate::proto::session::tests::pair;
use proptest::prelude::*;
use std::vec::Vec;

const RTO: Duration = Duration::from_millis(200);
const BEGIN: Instant = Instant::from_millis(3_000);
const SHARES: Option<Action> = Some(Action::SendShares {
    retransmission: false,
});
const SHARES_AGAIN: Option<Action> = Some(Action::SendShares {
    retransmission: true,
});
const UNEXPECTED: Option<Reject> = Some(Reject::SecureUnexpectedShare);

/// Both ends of a connection that is about to have an exchange.
fn planned() -> (Session, Session) {
    let (mut client, mut server) = pair(1, 2, true);
    client.plan_exchange(BEGIN);
    server.plan_exchange(BEGIN);
    (client, server)
}

/// Has an end compute what it waits for, with a secret of its own.
fn compute(end: &mut Session, secret: u8) -> Result<Option<Action>, Reject> {
    let sum = end.sum(BEGIN).expect("something to compute");
    let computed = sum.compute(&Dalek, || Secret::new([secret; 32]));
    end.computed(&Sha256, BEGIN, RTO, computed)
}

/// Gives to an end what the other sends of its value.
fn give_shares(from: &Session, to: &mut Session) -> Option<Action> {
    let shares = from.shares(&Sha256).expect("a value");
    let [_, last] = shares.map(|share| to.hear_share(&Sha256, &share, true).expect("authentic"));
    last
}

/// Both ends in the middle of it: the client signs with the new keys, the server with the old ones.
fn halfway() -> (Session, Session) {
    let (mut client, mut server) = planned();
    assert_eq!(compute(&mut client, 1), Ok(SHARES));
    assert_eq!(give_shares(&client, &mut server), Some(Action::Compute));
    assert_eq!(server.take_news(), Some(Happening::CapableAgreed));
    assert_eq!(compute(&mut server, 2), Ok(SHARES));
    assert_eq!(give_shares(&server, &mut client), Some(Action::Compute));
    assert_eq!(compute(&mut client, 3), Ok(Some(Action::SendKeyed)));
    (client, server)
}

fn ends() -> Ends {
    Ends {
        source: end(9, 40_000),
        destination: end(2, 22),
    }
}

fn update(from: &mut Session, epoch: u32) -> Update {
    from.update(&Sha256, Epoch::new(epoch), false, &ends())
}

fn takes(end: &mut Session, update: &Update) -> bool {
    end.hear_update(&Sha256, update, &ends()).is_ok()
}

fn are_exchanged(ends: [&Session; 2]) -> [bool; 2] {
    ends.map(|end| end.strength().ecdh)
}

#[test]
fn both_ends_come_to_keys_that_the_handshake_does_not_give() {
    let (mut client, mut server) = planned();
    let before = update(&mut client, 1);
    assert_eq!(client.exchange_deadline(), Some(BEGIN));
    assert_eq!(server.exchange_deadline(), None);
    assert!(client.sum(Instant::from_millis(2_999)).is_none());
    let (mut client, mut server_too) = halfway();
    core::mem::swap(&mut server, &mut server_too);
    assert_eq!(are_exchanged([&client, &server]), [false, false]);

    let keyed = client.keyed(&Sha256);
    let answer = server.hear_keyed(&Sha256, &keyed);
    assert_eq!(answer, Ok(Some(Action::SendKeyed)));
    assert_eq!(server.take_news(), Some(Happening::KeysExchanged));
    let keyed = server.keyed(&Sha256);
    assert_eq!(client.hear_keyed(&Sha256, &keyed), Ok(None));
    assert_eq!(client.take_news(), Some(Happening::KeysExchanged));

    assert_eq!(are_exchanged([&client, &server]), [true, true]);
    assert_eq!(client.strength().word(), "ecdh");
    assert_eq!(client.exchange_deadline(), None);
    // Whoever has the keys of the handshake can do nothing with them.
    assert!(!takes(&mut server, &before));
    let (mut thief, _) = pair(1, 2, true);
    assert!(!takes(&mut server, &update(&mut thief, 7)));
    assert!(takes(&mut server, &update(&mut client, 7)));
    assert!(takes(&mut client, &update(&mut server, 7)));
}

#[test]
fn in_the_middle_each_takes_what_the_other_signs() {
    let (mut client, mut server) = halfway();
    // Signed by the server with the old keys.
    assert!(takes(&mut client, &update(&mut server, 1)));
    assert_eq!(client.take_news(), None);
    // By the client with the new ones: so it has them.
    assert!(takes(&mut server, &update(&mut client, 1)));
    assert_eq!(server.take_news(), Some(Happening::KeysExchanged));
    assert_eq!(are_exchanged([&client, &server]), [false, true]);
    let confirm = server.confirm(&Sha256, Epoch::new(1), Challenge([7; 8]));
    assert!(client.answer(&Sha256, &confirm).is_ok());
    assert_eq!(client.take_news(), Some(Happening::KeysExchanged));
    assert_eq!(are_exchanged([&client, &server]), [true, true]);
}

#[test]
fn a_mac_of_32_bits_ends_no_keys() {
    let (mut client, mut server) = halfway();
    let echo = client.echo(&Sha256).expect("the first");
    assert_eq!(server.hear_echo(&Sha256, &echo), Ok(None));
    assert_eq!(server.take_news(), None);
    assert!(!server.strength().ecdh);
    // The client may not have the new ones, for all that an ECHO proves.
    assert!(takes(&mut client, &update(&mut server, 1)));
    assert_eq!(client.take_news(), None);
}

#[test]
fn what_is_repeated_is_answered_again_and_changes_nothing() {
    let (mut client, mut server) = halfway();
    // The server's halves came twice, and then the client's, which ask for them again.
    assert_eq!(give_shares(&server, &mut client), None);
    let (again, _) = {
        let (mut client, server) = planned();
        compute(&mut client, 1).expect("a value");
        (client, server)
    };
    assert_eq!(give_shares(&again, &mut server), SHARES_AGAIN);
    for _ in 0..3 {
        let answer = server.hear_keyed(&Sha256, &client.keyed(&Sha256));
        assert_eq!(answer, Ok(Some(Action::SendKeyed)));
        let answer = client.hear_keyed(&Sha256, &server.keyed(&Sha256));
        assert_eq!(answer, Ok(None));
    }
    let late = again.shares(&Sha256).expect("a value");
    for share in late {
        let heard = server.hear_share(&Sha256, &share, true);
        assert_eq!(heard.err(), UNEXPECTED);
    }
}

#[test]
fn a_peer_that_does_not_answer_is_asked_a_few_times() {
    let (mut client, _) = planned();
    let before = update(&mut client, 1);
    assert_eq!(compute(&mut client, 1), Ok(SHARES));
    let mut sent = 1;
    let mut waits = Vec::new();
    let mut now = BEGIN;
    let given_up = loop {
        let at = client.exchange_deadline().expect("it goes on");
        waits.push(at.since(now).as_millis());
        now = at;
        match client.meet_exchange(now) {
            SHARES_AGAIN => sent += 1,
            other => break other,
        }
        assert!(client.meet_exchange(now).is_none(), "once");
    };
    assert_eq!(given_up, Some(Action::Count(Happening::KeyshareUnanswered)));
    assert_eq!((sent, &waits[..3]), (6, &[200, 400, 800][..]));
    assert_eq!(client.exchange_deadline(), None);
    assert!(client.shares(&Sha256).is_none());
    let (_, mut server) = pair(1, 2, true);
    assert!(takes(&mut server, &before));
    assert!(takes(&mut server, &update(&mut client, 2)));
}

#[test]
fn keyed_is_said_until_it_is_answered() {
    let (mut client, _) = halfway();
    let mut now = BEGIN;
    for _ in 0..50 {
        now = client.exchange_deadline().expect("it goes on");
        assert_eq!(client.meet_exchange(now), Some(Action::SendKeyed));
    }
    let wait = client.exchange_deadline().expect("it goes on").since(now);
    assert_eq!(wait, Duration::from_secs(60));
}

#[test]
fn what_is_put_off_comes_later_and_counts_as_no_attempt() {
    let (mut client, _) = planned();
    client.put_off_exchange(BEGIN);
    assert!(client.sum(BEGIN).is_none());
    assert_eq!(
        client.exchange_deadline(),
        Some(Instant::from_millis(4_000))
    );
    let sum = client.sum(Instant::from_millis(4_000));
    let computed = sum
        .expect("time to begin")
        .compute(&Dalek, || Secret::new([1; 32]));
    let sent = client.computed(&Sha256, BEGIN, RTO, computed);
    assert_eq!(sent, Ok(SHARES));
    for _ in 0..100 {
        let at = client.exchange_deadline().expect("it goes on");
        client.put_off_exchange(at);
        assert_eq!(client.meet_exchange(at), None);
    }
    let at = client.exchange_deadline().expect("it goes on");
    assert_eq!(client.meet_exchange(at), SHARES_AGAIN);
}

#[test]
fn a_value_that_gives_keys_to_everybody_is_refused() {
    // RFC 7748, section 6.1: the result is all zero.
    let zero = |parts: [Keyshare; 2], session: &Session| {
        parts.map(|share| {
            let (half, part) = ([0; 16], share.part);
            let from = session.side;
            let mac = session
                .keys
                .keyshare(&Sha256, from, part, session.theirs, &half);
            Keyshare { half, part, mac }
        })
    };
    let (mut client, mut server) = planned();
    compute(&mut client, 1).expect("a value");
    let bad = zero(client.shares(&Sha256).expect("a value"), &client);
    for share in bad {
        server.hear_share(&Sha256, &share, true).expect("authentic");
    }
    assert_eq!(compute(&mut server, 2), Err(Reject::SecureBadShare));
    assert!(server.shares(&Sha256).is_none());
    // The connection is as it was.
    assert!(takes(&mut server, &update(&mut client, 1)));
    let (mut client, mut server) = planned();
    compute(&mut client, 1).expect("a value");
    give_shares(&client, &mut server);
    compute(&mut server, 2).expect("a value");
    for share in zero(server.shares(&Sha256).expect("a value"), &server) {
        client.hear_share(&Sha256, &share, true).expect("authentic");
    }
    assert_eq!(compute(&mut client, 3), Err(Reject::SecureBadShare));
    assert!(takes(&mut server, &update(&mut client, 1)));
    assert!(takes(&mut client, &update(&mut server, 1)));
}

#[test]
fn what_nobody_waits_for_is_ignored() {
    let (mut client, mut server) = planned();
    compute(&mut client, 1).expect("a value");
    let shares = client.shares(&Sha256).expect("a value");
    // Where exchanges are switched off, and back at the client.
    for share in &shares {
        assert_eq!(server.hear_share(&Sha256, share, false).err(), UNEXPECTED);
        assert_eq!(
            client.hear_share(&Sha256, share, true).err(),
            Some(Reject::SecureBadMac)
        );
    }
    assert!(!server.is_capable());
    let keyed = client.keyed(&Sha256);
    assert_eq!(server.hear_keyed(&Sha256, &keyed).err(), UNEXPECTED);
    // A KEYED with the old keys says nothing about the new ones.
    let (mut client, mut server) = planned();
    let old = client.keyed(&Sha256);
    compute(&mut client, 1).expect("a value");
    give_shares(&client, &mut server);
    compute(&mut server, 2).expect("a value");
    assert_eq!(
        server.hear_keyed(&Sha256, &old).err(),
        Some(Reject::SecureBadMac)
    );
    let (mut client, server) = halfway();
    let keyed = server.keyed(&Sha256);
    assert_eq!(
        client.hear_keyed(&Sha256, &keyed).err(),
        Some(Reject::SecureBadMac)
    );
    assert_eq!(are_exchanged([&client, &server]), [false, false]);
}

proptest! {
    /// Halves in any order, any number of times, with others among them that are not authentic.
    #[test]
    fn halves_come_in_any_order(order in prop::collection::vec((0usize..2, 0usize..300), 0..12)) {
        let (mut client, mut server) = planned();
        compute(&mut client, 1).expect("a value");
        let shares = client.shares(&Sha256).expect("a value");
        let mut came = [false; 2];
        for (which, bit) in order {
            let mut share = shares[which];
            let whole = came == [true; 2];
            if bit < 128 {
                share.half[bit / 8] ^= 1 << (bit % 8);
                let heard = server.hear_share(&Sha256, &share, true);
                prop_assert_eq!(heard, Err(Reject::SecureBadMac));
                continue;
            }
            came[which] = true;
            let heard = server.hear_share(&Sha256, &share, true);
            let expected = (came == [true; 2]).then_some(Action::Compute);
            prop_assert_eq!(heard, Ok(expected));
            prop_assert!(!whole || expected.is_some());
        }
        prop_assert_eq!(server.sum(BEGIN).is_some(), came == [true; 2]);
    }

    /// No bit of a KEYED may be another.
    #[test]
    fn a_flipped_bit_of_keyed_is_refused(bit in 0usize..96) {
        let (client, mut server) = halfway();
        let mut keyed = client.keyed(&Sha256);
        keyed.mac.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(server.hear_keyed(&Sha256, &keyed), Err(Reject::SecureBadMac));
        prop_assert!(!server.strength().ecdh);
    }
}
