// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use core::net::Ipv4Addr;
use proptest::prelude::*;

const MOVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 1, 9));
const OLD: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1));
const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 1));

fn view() -> View {
    View {
        rcv_nxt: SeqNum::new(1000),
        rcv_wnd: 500,
        snd_una: SeqNum::new(70_000),
        snd_nxt: SeqNum::new(80_000),
        max_window: 65_535,
        ts_recent: Some(100),
        left_ago: None,
    }
}

fn segment() -> Segment {
    Segment {
        source: MOVER,
        destination: OURS,
        seq: SeqNum::new(1000),
        ack: SeqNum::new(75_000),
        timestamp: Some(100),
        update: AddressUpdate { old: OLD },
    }
}

const FOLLOWED: Result<Judgement, Reject> = Ok(Judgement::Rebind { remote: MOVER });

#[test]
fn a_good_update_is_followed() {
    assert_eq!(judge(&segment(), &Known::Old(view())), FOLLOWED);
}

#[test]
fn the_sequence_number_lies_in_the_window() {
    for (seq, expected) in [
        (999, Err(Reject::SequenceOutside)),
        (1000, FOLLOWED),
        (1500, FOLLOWED),
        (1501, Err(Reject::SequenceOutside)),
        (1000 + (1 << 31), Err(Reject::SequenceOutside)),
    ] {
        let seq = SeqNum::new(seq);
        assert_eq!(
            judge(&Segment { seq, ..segment() }, &Known::Old(view())),
            expected,
            "{seq:?}"
        );
    }
}

#[test]
fn a_closed_window_leaves_one_number() {
    let closed = Known::Old(View {
        rcv_wnd: 0,
        ..view()
    });
    assert_eq!(judge(&segment(), &closed), FOLLOWED);
    let next = Segment {
        seq: SeqNum::new(1001),
        ..segment()
    };
    assert_eq!(judge(&next, &closed), Err(Reject::SequenceOutside));
}

#[test]
fn the_acknowledgement_is_of_what_was_sent() {
    for (ack, expected) in [
        (70_000 - 65_536, Err(Reject::AckOutside)),
        (70_000 - 65_535, FOLLOWED),
        (80_000, FOLLOWED),
        (80_001, Err(Reject::AckOutside)),
    ] {
        let ack = SeqNum::new(ack);
        assert_eq!(
            judge(&Segment { ack, ..segment() }, &Known::Old(view())),
            expected,
            "{ack:?}"
        );
    }
}

#[test]
fn old_duplicates_are_told_by_their_timestamps() {
    for (timestamp, expected) in [
        (Some(99), Err(Reject::TimestampOld)),
        (Some(101), FOLLOWED),
        (None, Err(Reject::TimestampMissing)),
    ] {
        let segment = Segment {
            timestamp,
            ..segment()
        };
        assert_eq!(judge(&segment, &Known::Old(view())), expected);
    }
}

#[test]
fn without_timestamps_an_address_just_left_has_to_wait() {
    let bare = Segment {
        timestamp: None,
        ..segment()
    };
    for (left_ago, expected) in [
        (None, FOLLOWED),
        (Some(Duration::from_millis(1999)), Err(Reject::JustLeft)),
        (Some(Duration::from_secs(2)), FOLLOWED),
    ] {
        let view = View {
            ts_recent: None,
            left_ago,
            ..view()
        };
        assert_eq!(judge(&bare, &Known::Old(view)), expected);
    }
}

#[test]
fn there_and_back_within_a_tick_of_the_clock_has_to_wait() {
    for (timestamp, left_ago, expected) in [
        (100, 0, Err(Reject::JustLeft)),
        (100, 2_000, FOLLOWED),
        (101, 0, FOLLOWED),
    ] {
        let segment = Segment {
            timestamp: Some(timestamp),
            ..segment()
        };
        let view = View {
            left_ago: Some(Duration::from_millis(left_ago)),
            ..view()
        };
        assert_eq!(judge(&segment, &Known::Old(view)), expected);
    }
}

#[test]
fn the_source_is_a_host_elsewhere() {
    for bad in [
        [0, 0, 0, 0],
        [127, 0, 0, 1],
        [224, 0, 0, 1],
        [255, 255, 255, 255],
        [240, 0, 0, 1],
    ] {
        let segment = Segment {
            source: IpAddr::V4(Ipv4Addr::from(bad)),
            ..segment()
        };
        assert_eq!(
            judge(&segment, &Known::Old(view())),
            Err(Reject::NewAddressInvalid)
        );
    }
}

#[test]
fn an_update_already_followed_is_answered_and_moves_nothing() {
    let earlier = Segment {
        seq: SeqNum::new(900),
        timestamp: Some(1),
        ..segment()
    };
    assert_eq!(judge(&earlier, &Known::New(view())), Ok(Judgement::Answer));
    let ahead = Segment {
        seq: SeqNum::new(1501),
        ..segment()
    };
    assert_eq!(
        judge(&ahead, &Known::New(view())),
        Err(Reject::SequenceOutside)
    );
    let strange = Segment {
        ack: SeqNum::new(80_001),
        ..segment()
    };
    assert_eq!(
        judge(&strange, &Known::New(view())),
        Err(Reject::AckOutside)
    );
}

proptest! {
    #[test]
    fn a_blind_guess_of_both_numbers_fails(seq: u32, ack: u32) {
        let window = SeqNum::new(seq).is_within(SeqNum::new(1000), SeqNum::new(1500));
        let acks = SeqNum::new(ack).is_within(SeqNum::new(4465), SeqNum::new(80_000));
        let guess = Segment { seq: SeqNum::new(seq), ack: SeqNum::new(ack), ..segment() };
        prop_assert_eq!(judge(&guess, &Known::Old(view())).is_ok(), window && acks);
    }
}
