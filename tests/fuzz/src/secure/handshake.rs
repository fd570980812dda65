// SPDX-License-Identifier: GPL-2.0

//! Both ends of a handshake, between which anything can be changed.
//!
//! Input: an octet with what keys there are, then steps of two octets: what, and an argument.

use super::Toy;
use tcp_continuity::proto::crypto::Secret;
use tcp_continuity::proto::handshake::Client;
use tcp_continuity::proto::handshake::Offer;
use tcp_continuity::proto::handshake::Server;
use tcp_continuity::proto::happening::Happening;
use tcp_continuity::proto::ids::KeyId;
use tcp_continuity::proto::ids::Nonce;
use tcp_continuity::proto::keyring::Keyring;
use tcp_continuity::proto::option::secure::Capable;
use tcp_continuity::proto::session::Session;

/// The nonces of the two ends.
const NONCES: [Nonce; 2] = [Nonce([1; 8]), Nonce([2; 8])];
/// Octets that CAPABLE takes.
const SPACE: usize = 16;

/// The target.
pub fn run(input: &[u8]) {
    let [keys, steps @ ..] = input else {
        return;
    };
    let mut ends = Ends::new(*keys);
    for step in steps.chunks_exact(2) {
        ends.step(step[0], step[1]);
    }
    ends.judge();
}

/// What is on the wire, and the ends.
struct Ends {
    keys: [Keyring; 2],
    client: Client,
    server: Option<Server>,
    /// What the first SYN and the first SYN/ACK carried, as they were sent.
    sent: [Option<Capable>; 2],
    /// The same as they arrived.
    arrived: [Option<Capable>; 2],
    /// The client has ended the attempt.
    over: bool,
    agreed: bool,
}

impl Ends {
    fn new(keys: u8) -> Self {
        let keys = [keyring(keys & 15), keyring(keys >> 4)];
        Self {
            client: Client::new(NONCES[0], true, &keys[0]),
            keys,
            server: None,
            sent: [None; 2],
            arrived: [None; 2],
            over: false,
            agreed: false,
        }
    }

    fn step(&mut self, what: u8, argument: u8) {
        match what % 5 {
            0 => self.send_syn(usize::from(argument % 41)),
            1 => self.receive_syn(changed(self.sent[0], argument)),
            2 => self.send_syn_ack(usize::from(argument % 41)),
            3 => self.receive_syn_ack(changed(self.sent[1], argument)),
            _ => {
                // A reflected one, or a SYN that crosses.
                if argument % 2 == 0 {
                    self.receive_syn_ack(self.sent[0]);
                } else if !self.agreed {
                    self.client.crossed();
                    self.over = true;
                }
            }
        }
    }

    fn send_syn(&mut self, room: usize) {
        match self.client.syn(room) {
            Offer::Carry(capable) => {
                assert!(room >= SPACE, "there is no room");
                assert_eq!(self.sent[0], None, "S-9: twice");
                self.sent[0] = Some(capable);
            }
            Offer::NoRoom => assert!(room < SPACE),
            Offer::Plain => {}
        }
    }

    fn receive_syn(&mut self, capable: Option<Capable>) {
        match (&self.server, capable) {
            (Some(server), capable) => {
                let same = capable.is_none() || capable == self.arrived[0];
                assert_eq!(server.syn(capable.as_ref()).is_ok(), same, "S-11");
            }
            (None, Some(capable)) => {
                self.server = Server::new(capable, NONCES[1], true, &self.keys[1]).ok();
                if self.server.is_some() {
                    self.arrived[0] = Some(capable);
                }
            }
            (None, None) => {}
        }
    }

    fn send_syn_ack(&mut self, room: usize) {
        let Some(server) = &mut self.server else {
            return;
        };
        match server.syn_ack(room) {
            Offer::Carry(capable) => {
                assert!(room >= SPACE, "there is no room");
                assert_eq!(self.sent[1], None, "S-9: twice");
                self.sent[1] = Some(capable);
            }
            Offer::NoRoom => assert!(room < SPACE),
            Offer::Plain => {}
        }
    }

    fn receive_syn_ack(&mut self, capable: Option<Capable>) {
        let heard = self.client.syn_ack(capable.as_ref(), &self.keys[0]);
        if heard == Ok(Some(Happening::CapableAgreed)) {
            assert!(self.sent[0].is_some(), "S-10: agreed on, and not offered");
            assert!(!self.over, "S-10: plain TCP for good");
            assert!(!self.agreed, "agreed on twice");
            self.agreed = true;
            self.arrived[1] = capable;
        } else if self.sent[0].is_some() && !self.agreed {
            self.over = true;
        }
        if let (true, Some(capable)) = (self.agreed, self.arrived[1]) {
            assert_ne!(capable.nonce, NONCES[0], "S-10: reflected");
        }
    }

    /// The ends have the same keys if and only if each got what the other sent, and one key is meant.
    fn judge(self) {
        let client = self.client.session(&Toy, &self.keys[0]);
        assert_eq!(client.is_some(), self.agreed);
        let server = self
            .server
            .and_then(|server| server.session(&Toy, &self.keys[1]));
        let (Some(mut client), Some(mut server)) = (client, server) else {
            return;
        };
        assert!(client.is_capable() && !server.is_capable());
        let unchanged = self.arrived == self.sent;
        let echo = client.echo(&Toy).expect("the first is one");
        let believed = server.hear_echo(&Toy, &echo).is_ok();
        assert_eq!(
            believed, unchanged,
            "S-12: {:?} {:?}",
            self.sent, self.arrived
        );
        assert_eq!(server.is_capable(), unchanged);
        if unchanged {
            know_each_other(&client, &server);
        }
    }
}

fn know_each_other(client: &Session, server: &Session) {
    assert_ne!(client.token(), server.token());
    assert_eq!(client.strength(), server.strength());
}

/// What arrives of what was sent.
fn changed(sent: Option<Capable>, how: u8) -> Option<Capable> {
    let mut capable = sent?;
    match how {
        0..=127 => {}
        128..=135 => capable.flags ^= 1 << (how % 8),
        136..=191 => capable.nonce.0[usize::from(how % 8)] ^= 1 << (how / 8 % 8),
        192..=223 => capable.key_id = KeyId::from_octet(how % 4),
        224..=239 => return None,
        _ => capable.nonce = NONCES[0],
    }
    Some(capable)
}

/// Key 1 used, key 2 used, the other known, a key required. Key number `n` is the same everywhere.
fn keyring(which: u8) -> Keyring {
    let key = |number: u8| {
        let id = KeyId::from_octet(number).expect("not zero");
        Some((id, Secret::new([number; 32])))
    };
    let (used, known) = match which & 3 {
        0 => (None, None),
        1 => (key(1), None),
        2 => (key(2), key(1)),
        _ => (key(1), key(2)),
    };
    let required = which & 4 != 0;
    Keyring::new(used, known, required).expect("they have two ids")
}
