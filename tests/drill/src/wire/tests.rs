// SPDX-License-Identifier: GPL-2.0

use proptest::prelude::*;

use super::{checksum, options, quoting, Segment};
use crate::script::{Icmp, TcpOption};

fn segment(source: &str, destination: &str) -> Segment {
    Segment {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        tos: 2,
        flags: 0x118,
        sequence: 0xfedc_ba98,
        ack: 7,
        window: 257,
        urgent: 0,
        options: vec![1, 1, 1, 0],
        length: 1001,
        zeros: true,
    }
}

#[test]
fn segments_survive_encoding_in_both_families() {
    for (source, destination) in [
        ("192.0.2.1:8080", "192.168.0.1:40000"),
        ("[fd3d::1]:8080", "[fd3d::2]:40000"),
    ] {
        let segment = segment(source, destination);
        assert_eq!(Segment::decode(&segment.encode()), Some(segment));
    }
}

#[test]
fn checksums_add_up_to_nothing() {
    let packet = segment("192.0.2.1:1", "192.168.0.1:2").encode();
    assert_eq!(checksum::of(&packet[..20]), 0);
    let (source, destination) = ("192.0.2.1".parse().unwrap(), "192.168.0.1".parse().unwrap());
    assert_eq!(
        checksum::with_addresses(source, destination, 6, &packet[20..]),
        0
    );
}

#[test]
fn a_payload_that_is_not_zeros_is_noticed() {
    let mut packet = segment("192.0.2.1:1", "192.168.0.1:2").encode();
    *packet.last_mut().unwrap() = 1;
    assert!(!Segment::decode(&packet).unwrap().zeros);
}

#[test]
fn a_bad_ip_checksum_is_no_segment() {
    let mut packet = segment("192.0.2.1:1", "192.168.0.1:2").encode();
    packet[8] ^= 1;
    assert_eq!(Segment::decode(&packet), None);
}

#[test]
fn options_survive_encoding() {
    let list = vec![
        TcpOption::Mss(1460),
        TcpOption::SackPermitted,
        TcpOption::Nop,
        TcpOption::WindowScale(7),
        TcpOption::FastOpenExperimental("01234567".into()),
        TcpOption::Sack(vec![1..3, 5..7]),
        TcpOption::Nop,
        TcpOption::Nop,
        TcpOption::Nop,
        TcpOption::End,
    ];
    assert_eq!(
        options::decode(&options::encode(&list).unwrap()),
        Some(list)
    );
    let list = vec![
        TcpOption::Timestamp(1, 2),
        TcpOption::AccEcn {
            ect1_first: true,
            counters: vec![1, 2, 0x00ab_cdef],
        },
        TcpOption::Nop,
        TcpOption::FastOpen("01020304".into()),
        TcpOption::Other(99, vec![7, 8]),
    ];
    assert_eq!(
        options::decode(&options::encode(&list).unwrap()),
        Some(list)
    );
}

#[test]
fn options_must_be_padded_and_fit() {
    assert!(options::encode(&[TcpOption::Nop]).is_err());
    assert!(options::encode(&[const { TcpOption::Nop }; 44]).is_err());
    assert!(options::encode(&[TcpOption::FastOpen("xyz".into())]).is_err());
}

#[test]
fn an_icmp_error_quotes_the_segment_that_went_the_other_way() {
    let error = Icmp {
        kind: "unreachable".into(),
        code: Some("frag_needed".into()),
        mtu: Some(1200),
        sequence: 1,
        length: 1460,
    };
    let packet = quoting(
        &error,
        "192.0.2.1:8080".parse().unwrap(),
        "192.168.0.1:40000".parse().unwrap(),
        0x0102_0304,
    )
    .unwrap();
    assert_eq!(checksum::of(&packet[20..]), 0);
    assert_eq!(packet[20..22], [3, 4]);
    assert_eq!(packet[24..28], 1200_u32.to_be_bytes());
    assert_eq!(packet[28 + 2..28 + 4], 1500_u16.to_be_bytes());
    assert_eq!(packet[28 + 12..28 + 16], [192, 168, 0, 1]);
    assert_eq!(packet[48..50], 40000_u16.to_be_bytes());
    assert_eq!(packet[52..56], [1, 2, 3, 4]);
}

proptest! {
    #[test]
    fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Segment::decode(&octets);
        let _ = options::decode(&octets);
    }
}
