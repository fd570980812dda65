// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::proto::addr::Endpoint;
use crate::proto::crypto::tests::Sha256;
use crate::proto::ids::Mac;
use crate::proto::ids::Nonce;
use crate::proto::option::secure::Secure;
use crate::proto::option::SPACE;
use core::net::IpAddr;
use core::net::Ipv4Addr;
use proptest::prelude::*;

/// Both ends of a connection whose CAPABLEs have these nonces.
pub fn pair(client: u8, server: u8, nat: bool) -> (Session, Session) {
    let capable = |octet: u8| Capable {
        flags: u8::from(nat),
        key_id: None,
        nonce: Nonce([octet; 8]),
    };
    let (c, s) = (capable(client), capable(server));
    let root = || Root::of_handshake(&Sha256, None, &c, &s);
    (
        Session::new(&Sha256, Side::Client, root(), &c, &s),
        Session::new(&Sha256, Side::Server, root(), &s, &c),
    )
}

pub fn end(number: u8, port: u16) -> Endpoint {
    let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, number));
    Endpoint { address, port }
}

fn ends() -> Ends {
    Ends {
        source: end(9, 40_000),
        destination: end(2, 22),
    }
}

const FIRST: Epoch = Epoch::new(1);
const ASKED: Challenge = Challenge([7; 8]);

#[test]
fn an_update_is_confirmed_and_answered() {
    for nat in [false, true] {
        let (mut client, mut server) = pair(1, 2, nat);
        let update = client.update(&Sha256, FIRST, false, &ends());
        // It proves what an ECHO would have.
        let heard = server.hear_update(&Sha256, &update, &ends());
        assert_eq!(heard, Ok(Some(Happening::CapableAgreed)));
        assert_eq!(server.hear_update(&Sha256, &update, &ends()), Ok(None));
        let confirm = server.confirm(&Sha256, FIRST, ASKED);
        let response = client.answer(&Sha256, &confirm).expect("an answer");
        let heard = server.hear_response(&Sha256, &response, ASKED);
        assert_eq!(heard, Ok(()));
        let other = server.hear_response(&Sha256, &response, Challenge([8; 8]));
        assert_eq!(other, Err(Reject::SecureBadMac));
    }
}

#[test]
fn addresses_count_unless_they_may_be_rewritten() {
    for (nat, expected) in [(false, Err(Reject::SecureBadMac)), (true, Ok(()))] {
        let (mut client, mut server) = pair(1, 2, nat);
        let update = client.update(&Sha256, FIRST, false, &ends());
        for rewritten in [
            Ends {
                source: end(8, 40_000),
                ..ends()
            },
            Ends {
                source: end(9, 40_001),
                ..ends()
            },
            Ends {
                destination: end(3, 22),
                ..ends()
            },
            Ends {
                destination: end(2, 23),
                ..ends()
            },
        ] {
            let heard = server.hear_update(&Sha256, &update, &rewritten);
            assert_eq!(heard.map(drop), expected);
        }
    }
    // Who has not agreed to that cannot be talked into it, nor out of what the MAC is over.
    let (mut client, mut server) = pair(1, 2, false);
    let mut update = client.update(&Sha256, FIRST, false, &ends());
    update.flags.nat = true;
    let heard = server.hear_update(&Sha256, &update, &ends());
    assert_eq!(heard, Err(Reject::SecureNatRefused));
    let (mut client, mut server) = pair(1, 2, true);
    let mut update = client.update(&Sha256, FIRST, false, &ends());
    update.flags.nat = false;
    let heard = server.hear_update(&Sha256, &update, &ends());
    assert_eq!(heard, Err(Reject::SecureBadMac));
}

#[test]
fn what_is_reflected_or_of_another_connection_is_refused() {
    let (mut client, mut server) = pair(1, 2, true);
    let (_, mut other) = pair(3, 4, true);
    let mut update = client.update(&Sha256, FIRST, false, &ends());
    let stranger = Err(Reject::SecureUnknownToken);
    assert_eq!(client.hear_update(&Sha256, &update, &ends()), stranger);
    assert_eq!(other.hear_update(&Sha256, &update, &ends()), stranger);
    update.token = client.token();
    let forged = Err(Reject::SecureBadMac);
    assert_eq!(client.hear_update(&Sha256, &update, &ends()), forged);
    update.token = other.token();
    assert_eq!(other.hear_update(&Sha256, &update, &ends()), forged);

    // The server moves, too, so that both have asked and may be answered.
    server.update(&Sha256, FIRST, false, &ends());
    let confirm = server.confirm(&Sha256, FIRST, ASKED);
    assert_eq!(server.answer(&Sha256, &confirm), Err(Reject::SecureBadMac));
    let response = client.answer(&Sha256, &confirm).expect("an answer");
    let reflected = client.hear_response(&Sha256, &response, ASKED);
    assert_eq!(reflected, Err(Reject::SecureBadMac));
}

#[test]
fn a_confirm_is_answered_for_the_epochs_of_the_address_this_end_has() {
    let (mut client, server) = pair(1, 2, true);
    let confirm = |epoch| server.confirm(&Sha256, Epoch::new(epoch), ASKED);
    let answered = |client: &mut Session, epoch| client.answer(&Sha256, &confirm(epoch)).map(drop);
    assert_eq!(answered(&mut client, 0), Err(Reject::SecureUnasked));
    assert_eq!(answered(&mut client, 1), Err(Reject::SecureUnasked));
    for (epoch, again) in [(1, false), (2, true), (3, false), (4, true)] {
        client.update(&Sha256, Epoch::new(epoch), again, &ends());
    }
    assert_eq!(client.last_epoch(), Epoch::new(4));
    assert_eq!(answered(&mut client, 2), Err(Reject::SecureOldEpoch));
    assert_eq!(answered(&mut client, 3), Ok(()));
    assert_eq!(answered(&mut client, 4), Ok(()));
    assert_eq!(answered(&mut client, 5), Err(Reject::SecureFutureEpoch));
}

/// An option as it comes out at the other end if a bit of it is flipped on the way.
fn flipped(option: Secure, bit: usize) -> Option<Secure> {
    let mut octets = [0; SPACE];
    let len = option.emit(&mut octets);
    let bit = bit % (len * 8);
    octets[bit / 8] ^= 1 << (bit % 8);
    Secure::find(&octets[..len])
        .ok()
        .flatten()
        .filter(|found| *found != option)
}

proptest! {
    /// No bit of any segment may be another: it is not understood, or refused.
    #[test]
    fn a_flipped_bit_is_refused(
        nat: bool, epoch in 1u32..u32::MAX, challenge: [u8; 8], bit in 0usize..SPACE * 8,
    ) {
        let epoch = Epoch::new(epoch);
        let challenge = Challenge(challenge);
        let (mut client, mut server) = pair(1, 2, nat);
        let echo = client.echo(&Sha256).expect("the first");
        let update = client.update(&Sha256, epoch, false, &ends());
        let confirm = server.confirm(&Sha256, epoch, challenge);
        let response = client.answer(&Sha256, &confirm).expect("an answer");
        for option in [
            Secure::Echo(echo), Secure::Update(update), Secure::Confirm(confirm), Secure::Response(response),
        ] {
            let taken = match flipped(option, bit) {
                None => continue,
                Some(Secure::Capable(_)) => Err(Reject::SecureMisplaced),
                Some(Secure::Echo(echo)) => server.hear_echo(&Sha256, &echo).map(drop),
                Some(Secure::Update(update)) => server.hear_update(&Sha256, &update, &ends()).map(drop),
                Some(Secure::Confirm(confirm)) => client.answer(&Sha256, &confirm).map(drop),
                Some(Secure::Response(response)) => {
                    // Which epoch is asked for is the other machine's to see, and in the MAC.
                    server.hear_response(&Sha256, &response, challenge)
                }
                Some(Secure::Keyshare(share)) => server.hear_share(&Sha256, &share, true).map(drop),
                Some(Secure::Keyed(keyed)) => server.hear_keyed(&Sha256, &keyed).map(drop),
            };
            prop_assert!(taken.is_err(), "{option:?} {bit}");
        }
        prop_assert!(!server.is_capable());
    }

    /// Nothing is accepted without the right MAC.
    #[test]
    fn a_guessed_mac_is_refused(mac: [u8; 12], epoch: u32, nat: bool, challenge: [u8; 8]) {
        let (mut client, mut server) = pair(1, 2, nat);
        client.update(&Sha256, FIRST, false, &ends());
        let epoch = Epoch::new(epoch);
        let update = Update {
            flags: UpdateFlags { nat }, epoch, token: server.token(), mac: Mac(mac),
        };
        let [a, b, c, d, e, f, g, h, ..] = mac;
        let confirm = Confirm {
            epoch: FIRST, challenge: Challenge(challenge), mac: Mac([a, b, c, d, e, f, g, h]),
        };
        let response = Response { epoch, mac: Mac(mac) };
        let bad = Err(Reject::SecureBadMac);
        prop_assert_eq!(server.hear_echo(&Sha256, &Echo { mac: Mac([a, b, c, d]) }), bad.map(|()| None));
        prop_assert_eq!(server.hear_update(&Sha256, &update, &ends()), bad.map(|()| None));
        prop_assert_eq!(client.answer(&Sha256, &confirm).map(drop), bad);
        prop_assert_eq!(server.hear_response(&Sha256, &response, Challenge(challenge)), bad);
    }
}
