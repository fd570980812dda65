// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::proto::addr::Endpoint;
use crate::proto::crypto::tests::Sha256;
use crate::proto::crypto::Ends;
use crate::proto::crypto::Secret;
use crate::proto::ids::Epoch;
use crate::proto::keyring::Refused;
use core::net::Ipv4Addr;
use proptest::prelude::*;

const ROOM: usize = 20;
const C: Nonce = Nonce([1; 8]);
const S: Nonce = Nonce([2; 8]);

fn id(octet: u8) -> KeyId {
    KeyId::from_octet(octet).expect("an id")
}

/// A ring that uses the key of one id and knows that of another; the octets of a key are its id.
fn ring(used: Option<u8>, known: Option<u8>, required: bool) -> Keyring {
    let key = |octet: u8| (id(octet), Secret::new([octet; 32]));
    Keyring::new(used.map(key), known.map(key), required).expect("two ids")
}

fn carried(offer: Offer) -> Option<Capable> {
    match offer {
        Offer::Carry(capable) => Some(capable),
        Offer::Plain | Offer::NoRoom => None,
    }
}

/// A handshake where nothing is in the way.
fn open(client_keys: &Keyring, server_keys: &Keyring) -> Result<(Session, Session), Reject> {
    let mut client = Client::new(C, true, client_keys);
    let syn = carried(client.syn(ROOM)).ok_or(Reject::SecureKeyRequired)?;
    let mut server = Server::new(syn, S, true, server_keys)?;
    let syn_ack = carried(server.syn_ack(ROOM)).expect("room");
    let agreed = client.syn_ack(Some(&syn_ack), client_keys)?;
    assert_eq!(agreed, Some(Happening::CapableAgreed));
    let client = client.session(&Sha256, client_keys).expect("a session");
    let server = server.session(&Sha256, server_keys).expect("a session");
    Ok((client, server))
}

/// Whether both ends have the same keys: the server takes the client's ECHO.
fn agree(client: &mut Session, server: &mut Session) -> bool {
    let echo = client.echo(&Sha256).expect("the first");
    server.hear_echo(&Sha256, &echo).is_ok()
}

#[test]
fn both_ends_come_to_the_same_keys() {
    let (mut client, mut server) = open(&Keyring::EMPTY, &Keyring::EMPTY).expect("capable");
    assert!(client.is_capable() && !server.is_capable());
    let echo = client.echo(&Sha256).expect("the first");
    let heard = server.hear_echo(&Sha256, &echo);
    assert_eq!(heard, Ok(Some(Happening::CapableAgreed)));
    assert!(server.is_capable() && !server.strength().psk);
    // Another changes nothing, and after four there is no more.
    for _ in 0..3 {
        let echo = client.echo(&Sha256).expect("another");
        assert_eq!(server.hear_echo(&Sha256, &echo), Ok(None));
    }
    assert_eq!(client.echo(&Sha256), None);
    assert_eq!(server.echo(&Sha256), None);
    assert_eq!(client.hear_echo(&Sha256, &echo), Err(Reject::SecureUnasked));
}

#[test]
fn retransmissions_carry_nothing_and_late_answers_count() {
    let keys = Keyring::EMPTY;
    let mut client = Client::new(C, true, &keys);
    let syn = carried(client.syn(ROOM)).expect("the option");
    assert_eq!(client.syn(ROOM), Offer::Plain);
    let mut server = Server::new(syn, S, true, &keys).expect("a server");
    let syn_ack = carried(server.syn_ack(ROOM)).expect("the option");
    assert_eq!(server.syn_ack(ROOM), Offer::Plain);
    // The client's SYN again, as it was and without the option, and somebody's with another one.
    assert_eq!(server.syn(Some(&syn)), Ok(()));
    assert_eq!(server.syn(None), Ok(()));
    let other = Capable { nonce: S, ..syn };
    let changed = Err(Reject::SecureCapableChanged);
    assert_eq!(server.syn(Some(&other)), changed);
    // Late, twice, and then another.
    let agreed = Ok(Some(Happening::CapableAgreed));
    assert_eq!(client.syn_ack(Some(&syn_ack), &keys), agreed);
    assert_eq!(client.syn_ack(Some(&syn_ack), &keys), Ok(None));
    assert_eq!(client.syn_ack(None, &keys), Ok(None));
    let other = Capable {
        flags: 0,
        ..syn_ack
    };
    assert_eq!(client.syn_ack(Some(&other), &keys).err(), changed.err());
    let mut ends = [
        client.session(&Sha256, &keys),
        server.session(&Sha256, &keys),
    ];
    let [Some(client), Some(server)] = &mut ends else {
        panic!("{ends:?}");
    };
    assert!(agree(client, server));
}

#[test]
fn what_is_stripped_is_plain_tcp() {
    let keys = Keyring::EMPTY;
    let mut client = Client::new(C, true, &keys);
    let syn = carried(client.syn(ROOM)).expect("the option");
    let declined = Ok(Some(Happening::CapableDeclined));
    assert_eq!(client.syn_ack(None, &keys), declined);
    assert!(client.session(&Sha256, &keys).is_none());
    // What comes afterwards does not bring it back.
    let late = Capable { nonce: S, ..syn };
    let unasked = Err(Reject::SecureUnasked);
    assert_eq!(client.syn_ack(Some(&late), &keys), unasked);
    assert!(client.session(&Sha256, &keys).is_none());
    // A server whose SYN/ACK was stripped gets no ECHO.
    let mut server = Server::new(syn, S, true, &keys).expect("a server");
    server.syn_ack(ROOM);
    let server = server.session(&Sha256, &keys).expect("offered");
    assert!(!server.is_capable());
}

#[test]
fn what_is_reflected_is_refused() {
    let keys = Keyring::EMPTY;
    let mut client = Client::new(C, true, &keys);
    let syn = carried(client.syn(ROOM)).expect("the option");
    let reflected = Err(Reject::SecureReflected);
    assert_eq!(client.syn_ack(Some(&syn), &keys), reflected);
    assert!(client.session(&Sha256, &keys).is_none());
    // With other flags it is ours all the same.
    let mut client = Client::new(C, true, &keys);
    client.syn(ROOM);
    let flagged = Capable { flags: 0x80, ..syn };
    assert_eq!(client.syn_ack(Some(&flagged), &keys), reflected);
    assert_eq!(Server::new(syn, C, true, &keys).err(), reflected.err());
}

#[test]
fn without_room_nothing_is_offered() {
    let keys = Keyring::EMPTY;
    let mut client = Client::new(C, true, &keys);
    assert_eq!(client.syn(CAPABLE_SPACE - 1), Offer::NoRoom);
    assert_eq!(client.syn(ROOM), Offer::Plain);
    let theirs = carried(Client::new(S, true, &keys).syn(CAPABLE_SPACE)).expect("just so much");
    assert_eq!(
        client.syn_ack(Some(&theirs), &keys),
        Err(Reject::SecureUnasked)
    );
    let mut server = Server::new(theirs, C, true, &keys).expect("a server");
    assert!(server.session(&Sha256, &keys).is_none());
    assert_eq!(server.syn_ack(CAPABLE_SPACE - 1), Offer::NoRoom);
    assert_eq!(server.syn_ack(ROOM), Offer::Plain);
    assert!(server.session(&Sha256, &keys).is_none());
}

#[test]
fn crossed_syns_are_plain_tcp() {
    let keys = Keyring::EMPTY;
    let mut client = Client::new(C, true, &keys);
    client.syn(ROOM);
    client.crossed();
    assert_eq!(client.syn_ack(None, &keys), Ok(None));
    assert!(client.session(&Sha256, &keys).is_none());
}

#[test]
fn the_servers_answer_names_the_key_that_was_asked_for_or_none() {
    let keys = ring(Some(5), None, false);
    let mut client = Client::new(C, true, &keys);
    let syn = carried(client.syn(ROOM)).expect("the option");
    assert_eq!(syn.key_id, Some(id(5)));
    let answer = Capable {
        nonce: S,
        key_id: Some(id(6)),
        ..syn
    };
    let bad = Err(Reject::SecureBadKeyId);
    assert_eq!(client.syn_ack(Some(&answer), &keys), bad);
    // Nor one, if none was asked for.
    let mut client = Client::new(C, true, &Keyring::EMPTY);
    client.syn(ROOM);
    assert_eq!(client.syn_ack(Some(&answer), &Keyring::EMPTY), bad);
}

#[test]
fn keys_are_rolled_over_one_host_after_the_other() {
    // Every step of: all use 1; all know 2; all use 2; none knows 1.
    let steps = [
        (Some(1), None),
        (Some(1), Some(2)),
        (Some(2), Some(1)),
        (Some(2), None),
    ];
    for pair in steps.windows(2) {
        for (one, other) in [(pair[0], pair[1]), (pair[1], pair[0]), (pair[0], pair[0])] {
            let one = ring(one.0, one.1, true);
            let other = ring(other.0, other.1, true);
            let opened = open(&one, &other);
            let (mut client, mut server) = opened.expect("a common key");
            assert!(client.strength().psk && server.strength().psk);
            assert!(agree(&mut client, &mut server));
        }
    }
}

#[test]
fn a_key_that_one_end_does_not_have_is_not_used() {
    let (with, without) = (ring(Some(1), None, false), Keyring::EMPTY);
    for (one, other) in [(&with, &without), (&without, &with)] {
        let (mut client, mut server) = open(one, other).expect("capable");
        assert!(!client.strength().psk && !server.strength().psk);
        assert!(agree(&mut client, &mut server));
    }
    // Where one is required there is nothing without it.
    let strict = ring(Some(1), None, true);
    let required = Some(Reject::SecureKeyRequired);
    assert_eq!(open(&strict, &without).err(), required);
    assert_eq!(open(&without, &strict).err(), required);
    assert_eq!(open(&ring(None, None, true), &strict).err(), required);
}

#[test]
fn one_id_with_two_keys_does_not_agree() {
    let other = Keyring::new(Some((id(1), Secret::new([9; 32]))), None, true).expect("one id");
    let (mut client, mut server) = open(&ring(Some(1), None, true), &other).expect("capable");
    assert!(!agree(&mut client, &mut server));
    assert!(!server.is_capable());
}

#[test]
fn two_keys_have_two_ids() {
    let key = || Some((id(1), Secret::new([1; 32])));
    assert!(matches!(
        Keyring::new(key(), key(), false),
        Err(Refused::SameId)
    ));
}

proptest! {
    /// Whatever is done to either CAPABLE on the way: one of the ends is plain TCP, or the keys are
    /// not the same, so that the server is.
    #[test]
    fn who_meddles_with_the_handshake_gets_plain_tcp(bit in 0usize..160) {
        let keys = ring(Some(5), Some(4), false);
        let flip = |capable: Capable, bit: usize| {
            let mut contents = capable.contents();
            contents[bit / 8] ^= 1 << (bit % 8);
            let [flags, key_id, nonce @ ..] = contents;
            Capable { flags, key_id: KeyId::from_octet(key_id), nonce: Nonce(nonce) }
        };
        let mut client = Client::new(C, true, &keys);
        let mut syn = carried(client.syn(ROOM)).expect("the option");
        if bit < 80 {
            syn = flip(syn, bit);
        }
        let mut server = Server::new(syn, S, true, &keys).expect("a server");
        let mut syn_ack = carried(server.syn_ack(ROOM)).expect("the option");
        if bit >= 80 {
            syn_ack = flip(syn_ack, bit - 80);
        }
        if client.syn_ack(Some(&syn_ack), &keys).is_err() {
            prop_assert!(client.session(&Sha256, &keys).is_none());
            return Ok(());
        }
        let mut client = client.session(&Sha256, &keys).expect("a session");
        let mut server = server.session(&Sha256, &keys).expect("a session");
        prop_assert!(!agree(&mut client, &mut server));
        prop_assert!(!server.is_capable());
        let end = Endpoint { address: Ipv4Addr::new(10, 0, 0, 1).into(), port: 1 };
        let ends = Ends { source: end, destination: end };
        let mut update = client.update(&Sha256, Epoch::new(1), false, &ends);
        let _ = server.hear_update(&Sha256, &update, &ends).expect_err("not ours");
        // Even if the token were right.
        update.token = server.token();
        let _ = server.hear_update(&Sha256, &update, &ends).expect_err("not ours");
    }
}
