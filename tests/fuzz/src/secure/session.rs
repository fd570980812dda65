// SPDX-License-Identifier: GPL-2.0

//! Two ends of a connection, what they say to each other in any order, and an attacker who sees it all,
//! changes it, sends it again and back, and has no key.
//!
//! Input: an octet whose lowest bit says whether addresses may be rewritten, then steps of three
//! octets: what, which of the things said so far, and how it is changed.

use super::sessions;
use super::Toy;
use std::net::Ipv4Addr;
use tcp_continuity::proto::addr::Endpoint;
use tcp_continuity::proto::crypto::Ends;
use tcp_continuity::proto::ids::Challenge;
use tcp_continuity::proto::ids::Epoch;
use tcp_continuity::proto::ids::Token;
use tcp_continuity::proto::option::secure::Secure;
use tcp_continuity::proto::session::Session;

/// Things said that are remembered.
const MOST: usize = 64;

/// The target.
pub fn run(input: &[u8]) {
    let [nat, steps @ ..] = input else {
        return;
    };
    let nat = nat % 2 == 1;
    let (client, server) = sessions(nat);
    let mut pair = Pair {
        ends: [client, server],
        epochs: [0; 2],
        said: Vec::new(),
        nat,
    };
    for step in steps.chunks_exact(3) {
        pair.step(step[0], step[1], step[2]);
    }
}

/// Something that an end said.
#[derive(Clone, Copy)]
struct Said {
    by: usize,
    option: Secure,
    ends: Ends,
}

struct Pair {
    ends: [Session; 2],
    epochs: [u32; 2],
    said: Vec<Said>,
    nat: bool,
}

impl Pair {
    fn step(&mut self, what: u8, which: u8, how: u8) {
        let who = usize::from(what >> 7);
        match what % 4 {
            0 => self.say(who, which),
            _ => {
                let count = self.said.len();
                if count > 0 {
                    let said = self.said[usize::from(which) % count];
                    self.hear(who, said, how);
                }
            }
        }
    }

    /// An end says one of the things it can say.
    fn say(&mut self, who: usize, what: u8) {
        let ends = between(who, what >> 4);
        let session = &mut self.ends[who];
        let option = match what % 4 {
            0 => session.echo(&Toy).map(Secure::Echo),
            1 | 2 => {
                self.epochs[who] += 1;
                let epoch = Epoch::new(self.epochs[who]);
                Some(Secure::Update(session.update(
                    &Toy,
                    epoch,
                    what % 4 == 2,
                    &ends,
                )))
            }
            _ => {
                let epoch = Epoch::new(self.epochs[1 - who]);
                let challenge = Challenge([what; 8]);
                Some(Secure::Confirm(session.confirm(&Toy, epoch, challenge)))
            }
        };
        self.remember(who, option, ends);
    }

    fn remember(&mut self, by: usize, option: Option<Secure>, ends: Ends) {
        if let Some(option) = option.filter(|_| self.said.len() < MOST) {
            self.said.push(Said { by, option, ends });
        }
    }

    /// An end hears something, perhaps changed.
    fn hear(&mut self, who: usize, said: Said, how: u8) {
        let option = changed(said.option, how);
        let authentic = option == said.option && said.by != who;
        let ends = if how & 1 == 0 {
            said.ends
        } else {
            between(1 - who, how >> 4)
        };
        match option {
            Secure::Echo(echo) => {
                let heard = self.ends[who].hear_echo(&Toy, &echo).is_ok();
                assert_eq!(heard, authentic && who == 1, "{echo:?}");
            }
            Secure::Update(update) => {
                let heard = self.ends[who].hear_update(&Toy, &update, &ends);
                let from_there = self.nat || ends == said.ends;
                assert_eq!(
                    heard.is_ok(),
                    authentic && from_there,
                    "{update:?} {heard:?}"
                );
            }
            Secure::Confirm(confirm) => {
                if let Ok(response) = self.ends[who].answer(&Toy, &confirm) {
                    assert!(authentic, "{confirm:?}");
                    assert!(confirm.epoch <= self.ends[who].last_epoch());
                    let challenge = confirm.challenge;
                    let other = &mut self.ends[1 - who];
                    assert!(other.hear_response(&Toy, &response, challenge).is_ok());
                    let wrong = Challenge([challenge.0[0] ^ 1; 8]);
                    assert!(other.hear_response(&Toy, &response, wrong).is_err());
                    let own = self.ends[who].hear_response(&Toy, &response, challenge);
                    assert!(own.is_err(), "reflected");
                    self.remember(who, Some(Secure::Response(response)), said.ends);
                }
            }
            Secure::Response(_) | Secure::Capable(_) | Secure::Keyshare(_) | Secure::Keyed(_) => {}
        }
    }
}

/// Addresses from `who` to the other.
fn between(who: usize, number: u8) -> Ends {
    let [client, server] = [(1, 40_000), (2, 22)].map(|(net, port)| Endpoint {
        address: Ipv4Addr::new(10, 0, net, number % 4 + 1).into(),
        port,
    });
    if who == 0 {
        Ends {
            source: client,
            destination: server,
        }
    } else {
        Ends {
            source: server,
            destination: client,
        }
    }
}

/// With one bit changed, if the seven upper bits of `how` say so.
fn changed(option: Secure, how: u8) -> Secure {
    let how = how >> 1;
    if how < 64 {
        return option;
    }
    let bit = how % 32;
    let flip = |octets: &mut [u8]| {
        let at = usize::from(how % 8) % octets.len();
        octets[at] ^= 1 << (how % 7);
    };
    let mut option = option;
    match &mut option {
        Secure::Echo(echo) => flip(&mut echo.mac.0),
        Secure::Update(update) => match how % 4 {
            0 => update.epoch = Epoch::new(update.epoch.get() ^ (1 << bit)),
            1 => update.token = Token::new(update.token.get() ^ (1 << bit)),
            2 => update.flags.nat = !update.flags.nat,
            _ => flip(&mut update.mac.0),
        },
        Secure::Confirm(confirm) => match how % 3 {
            0 => confirm.epoch = Epoch::new(confirm.epoch.get() ^ (1 << bit)),
            1 => flip(&mut confirm.challenge.0),
            _ => flip(&mut confirm.mac.0),
        },
        Secure::Response(_) | Secure::Capable(_) | Secure::Keyshare(_) | Secure::Keyed(_) => {}
    }
    option
}
