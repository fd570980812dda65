// SPDX-License-Identifier: GPL-2.0

//! Targets for the secure profile.

pub mod correspondent;
pub mod handshake;
pub mod option;
pub mod oracle;
pub mod session;

use tcp_continuity::proto::crypto::Hmac;
use tcp_continuity::proto::crypto::KEY;
use tcp_continuity::proto::handshake::Client;
use tcp_continuity::proto::handshake::Offer;
use tcp_continuity::proto::handshake::Server;
use tcp_continuity::proto::ids::Nonce;
use tcp_continuity::proto::keyring::Keyring;
use tcp_continuity::proto::session::Session;

/// Stands for HMAC-SHA-256 where a million of them are wanted in a second: as good at telling what is
/// authentic from what is not, as long as nobody tries to break it.
pub struct Toy;

impl Hmac for Toy {
    fn hmac(&self, key: &[u8; KEY], parts: &[&[u8]]) -> [u8; KEY] {
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        let mut take = |octet: u8| {
            state = (state ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3);
            state ^= state >> 29;
        };
        key.iter().copied().for_each(&mut take);
        parts.iter().copied().flatten().copied().for_each(&mut take);
        let mut out = [0; KEY];
        for (index, place) in out.chunks_exact_mut(8).enumerate() {
            let index = u64::try_from(index).unwrap_or(0);
            let word = (state ^ index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            place.copy_from_slice(&(word ^ (word >> 32)).to_be_bytes());
        }
        out
    }
}

/// A connection that both ends have agreed on: client and server.
pub fn sessions(nat: bool) -> (Session, Session) {
    let keys = Keyring::EMPTY;
    let mut client = Client::new(Nonce([1; 8]), nat, &keys);
    let Offer::Carry(offer) = client.syn(20) else {
        panic!("there is room");
    };
    let mut server = Server::new(offer, Nonce([2; 8]), nat, &keys).expect("no key is needed");
    let Offer::Carry(answer) = server.syn_ack(20) else {
        panic!("there is room");
    };
    let agreed = client.syn_ack(Some(&answer), &keys);
    assert!(agreed.is_ok(), "{agreed:?}");
    let session = client.session(&Toy, &keys).expect("it was agreed on");
    let other = server.session(&Toy, &keys).expect("it was answered");
    (session, other)
}
