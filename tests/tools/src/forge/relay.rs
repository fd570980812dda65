// SPDX-License-Identifier: GPL-2.0

//! `tcpc-tool forge relay`: a middlebox, or an attacker on the path, that sends on, changed, what a
//! firewall keeps a router from forwarding.
//!
//! ```sh
//! ip netns exec west nft add rule … tcp flags & (syn|ack) == (syn|ack) drop
//! ip netns exec west tcpc-tool forge relay --flags SA --reflect-option &
//! ```
//!
//! What the router receives is seen by a packet socket before the firewall sees it, so that what is
//! dropped there can be sent on from here. Segments are chosen as for `decode`.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use anyhow::Result;
use clap::Args;
use nix::errno::Errno;
use nix::sys::socket::recvfrom;
use nix::sys::socket::socket;
use nix::sys::socket::AddressFamily;
use nix::sys::socket::LinkAddr;
use nix::sys::socket::SockFlag;
use nix::sys::socket::SockProtocol;
use nix::sys::socket::SockType;

use super::datagram::Datagram;
use super::raw::RawSocket;
use crate::decode::filter::Filter;
use crate::decode::segment::Content;
use crate::decode::segment::Segment;
use crate::out;

/// Frames to this host (PACKET_HOST, linux/if_packet.h), not what it sends.
const TO_US: u8 = 0;
/// Octets of a datagram at most: a device that cuts segments itself gets them long.
const LONGEST: usize = 65_536;

/// Arguments of `relay`.
#[derive(Args)]
pub struct Relay {
    #[command(flatten)]
    filter: Filter,
    /// SYN/ACKs get the option of the secure profile that the SYN had.
    #[arg(long)]
    reflect_option: bool,
    /// In the n-th of those that have an option of the secure profile, its n-th bit is changed.
    #[arg(long)]
    flip_option: bool,
    /// A copy from this source goes first.
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = crate::stream::parse_bind)]
    copy_as: Option<SocketAddr>,
    /// Sent on so many milliseconds later.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay: u64,
}

/// What was seen, and where it goes.
struct Path {
    sockets: HashMap<bool, RawSocket>,
    /// Options of the profile in SYNs, by source and destination.
    offers: HashMap<(SocketAddr, SocketAddr), Vec<u8>>,
    flipped: usize,
}

impl Relay {
    /// Does it until it is ended.
    ///
    /// # Errors
    ///
    /// There is no CAP_NET_RAW.
    pub fn run(&self) -> Result<ExitCode> {
        let tap = open_tap().context("packet socket (CAP_NET_RAW is needed)")?;
        let mut path = Path {
            sockets: HashMap::new(),
            offers: HashMap::new(),
            flipped: 0,
        };
        out::line(format_args!("listening"));
        let mut octets = vec![0; LONGEST];
        loop {
            let (length, from) = match recvfrom::<LinkAddr>(tap.as_raw_fd(), &mut octets) {
                Ok(received) => received,
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            if from.is_none_or(|from| from.pkttype() != TO_US) {
                continue;
            }
            let seen = &octets[..length];
            if let Content::Segment(segment) = Segment::read(0, 0, seen, true, 253) {
                if let Some(datagram) = Datagram::parse(seen) {
                    self.see(&mut path, &segment, datagram)?;
                }
            }
        }
    }

    /// A segment came by.
    fn see(&self, path: &mut Path, segment: &Segment, mut datagram: Datagram) -> Result<()> {
        let ours = datagram.our_option();
        if segment.flags == "S" && self.reflect_option {
            let option = ours.clone().map(|place| datagram.tcp()[place].to_vec());
            path.offers
                .insert((segment.from, segment.to), option.unwrap_or_default());
        }
        if !self.filter.passes(segment) {
            return Ok(());
        }
        if let Some(place) = ours {
            let option = &mut datagram.tcp_mut()[place];
            let offer = path.offers.get(&(segment.to, segment.from));
            if let Some(offer) = offer.filter(|offer| offer.len() == option.len()) {
                option.copy_from_slice(offer);
            }
            if self.flip_option {
                let bit = path.flipped % (option.len() * 8);
                option[bit / 8] ^= 1 << (bit % 8);
                path.flipped += 1;
            }
        }
        datagram.mend();
        if let Some(source) = self.copy_as {
            let mut copy = datagram.clone();
            copy.set_source(source.ip(), source.port());
            copy.mend();
            path.send(&copy)?;
        }
        if self.delay > 0 {
            std::thread::sleep(Duration::from_millis(self.delay));
        }
        path.send(&datagram)
    }
}

impl Path {
    fn send(&mut self, datagram: &Datagram) -> Result<()> {
        let to: IpAddr = datagram.destination();
        let socket = match self.sockets.entry(to.is_ipv4()) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(RawSocket::open(to, None)?)
            }
        };
        socket.send(datagram.octets(), to)?;
        Ok(())
    }
}

/// All datagrams of this namespace, without link headers.
fn open_tap() -> io::Result<OwnedFd> {
    Ok(socket(
        AddressFamily::Packet,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::EthAll,
    )?)
}
