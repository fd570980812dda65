// SPDX-License-Identifier: GPL-2.0

//! ICMP errors.

use std::net::{IpAddr, SocketAddr};

use super::checksum;
use super::segment::ip_header;
use crate::script::Icmp;
use crate::trouble::{Outcome, Trouble};

/// An error from `source` to `destination` that quotes the beginning of a segment which went the
/// other way, with this sequence number.
pub fn quoting(
    error: &Icmp,
    source: SocketAddr,
    destination: SocketAddr,
    sequence: u32,
) -> Outcome<Vec<u8>> {
    let version4 = source.is_ipv4();
    let (kind, code) = numbers(error, version4).ok_or_else(|| {
        let code = error.code.as_deref().unwrap_or_default();
        Trouble::unsupported(format_args!("icmp {} {code}", error.kind))
    })?;
    let (protocol, tcp) = (if version4 { 1 } else { 58 }, 6);
    let mut icmp = vec![kind, code, 0, 0];
    icmp.extend(error.mtu.unwrap_or(0).to_be_bytes());
    let quoted = 20 + usize::from(error.length);
    icmp.extend(ip_header(destination.ip(), source.ip(), 0, tcp, quoted));
    icmp.extend(destination.port().to_be_bytes());
    icmp.extend(source.port().to_be_bytes());
    icmp.extend(sequence.to_be_bytes());
    let sum = match source.ip() {
        IpAddr::V4(_) => checksum::of(&icmp),
        IpAddr::V6(_) => checksum::with_addresses(source.ip(), destination.ip(), protocol, &icmp),
    };
    icmp[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = ip_header(source.ip(), destination.ip(), 0, protocol, icmp.len());
    packet.extend(icmp);
    Ok(packet)
}

/// Type and code (RFC 792, RFC 4443).
fn numbers(error: &Icmp, version4: bool) -> Option<(u8, u8)> {
    let code = error.code.as_deref();
    Some(match (version4, error.kind.as_str()) {
        (true, "unreachable") => (
            3,
            match code {
                None | Some("net_unreachable") => 0,
                Some("host_unreachable") => 1,
                Some("protocol_unreachable") => 2,
                Some("port_unreachable") => 3,
                Some("frag_needed") => 4,
                Some("source_route_failed") => 5,
                Some("net_unknown") => 6,
                Some("host_unknown") => 7,
                Some("net_prohibited") => 9,
                Some("host_prohibited") => 10,
                Some("packet_filtered") => 13,
                Some(_) => return None,
            },
        ),
        (true, "time_exceeded") if code.is_none() => (11, 0),
        (false, "unreachable") => (
            1,
            match code {
                None | Some("no_route") => 0,
                Some("admin_prohibited") => 1,
                Some("address_unreachable") => 3,
                Some("port_unreachable") => 4,
                Some(_) => return None,
            },
        ),
        (false, "packet_too_big") if code.is_none() => (2, 0),
        (false, "time_exceeded") if code.is_none() => (3, 0),
        _ => return None,
    })
}
