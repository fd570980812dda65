// SPDX-License-Identifier: GPL-2.0

//! `tcpc-tool forge replay`: segments from a capture again, from elsewhere, or changed.
//!
//! ```sh
//! # The last UPDATE, from the attacker's address:
//! tcpc-tool forge replay mover.pcap --secure update --last --as-source 10.0.5.66
//! # The same back to whom it came from, and with each bit of its option changed:
//! tcpc-tool forge replay mover.pcap --secure update --last --reflect
//! tcpc-tool forge replay mover.pcap --secure update --last --flip option
//! # A million things that chance makes of what was captured:
//! tcpc-tool forge replay mover.pcap --mutate 1000000 --seed 7
//! ```
//!
//! Which segments of the capture are meant is said as for `decode`; their data is
//! left out.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::bail;
use anyhow::Result;
use clap::Args;
use clap::ValueEnum;

use super::datagram::Datagram;
use super::datagram::TCP;
use super::mutation::mutate;
use super::raw::RawSocket;
use super::raw::BATCH;
use super::wrapping::Wrapping;
use crate::decode::capture;
use crate::decode::filter::Filter;
use crate::decode::segment::Content;
use crate::decode::segment::Segment;
use crate::hex;
use crate::out;
use crate::random::Random;

/// Where flags are in the TCP header.
const FLAGS: usize = 13;
const RST: u8 = 4;
const ACK: u8 = 16;

/// Bits of which part of a segment are changed, one in each copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flip {
    /// The option of the secure profile.
    Option,
    /// All of the TCP header but that option and the ports, which are no less than the address what
    /// the source of the segment is.
    Rest,
}

impl Flip {
    /// The octets of the TCP header.
    fn octets(self, datagram: &Datagram) -> Vec<usize> {
        let option = datagram.our_option().unwrap_or_default();
        match self {
            Self::Option => option.collect(),
            Self::Rest => (4..TCP + datagram.options().len())
                .filter(|octet| !option.contains(octet))
                .collect(),
        }
    }
}

/// Arguments of `replay`.
#[derive(Args)]
pub struct Replay {
    /// The captures, pcap or pcapng.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    filter: Filter,
    /// The last of the segments only.
    #[arg(long)]
    last: bool,
    /// Another source, with another port if that is given.
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = crate::stream::parse_bind)]
    as_source: Option<SocketAddr>,
    /// Another destination, with another port if that is given.
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = crate::stream::parse_bind)]
    as_destination: Option<SocketAddr>,
    /// Back to where they came from: source and destination change places, before the above.
    #[arg(long)]
    reflect: bool,
    /// What is added to sequence numbers.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_hyphen_values = true
    )]
    seq_plus: i64,
    /// A wrong checksum.
    #[arg(long)]
    bad_checksum: bool,
    /// A copy for each bit, with that bit changed and the checksum right, unless that was changed.
    #[arg(long)]
    flip: Option<Flip>,
    /// This bit of the option of the secure profile changed, counted from its Kind on.
    #[arg(long, value_name = "BIT")]
    flip_bit: Option<usize>,
    /// So many copies, each from another port, another of the 256 addresses around the source's, and
    /// with another sequence number.
    #[arg(long, value_name = "N", conflicts_with = "flip")]
    scatter: Option<u64>,
    /// Made a RST.
    #[arg(long)]
    rst: bool,
    /// Octets of data (`x`).
    #[arg(long, value_name = "OCTETS", default_value_t = 0)]
    payload: usize,
    /// What is around them.
    #[arg(long, value_enum, default_value_t = Wrapping::Plain)]
    wrap: Wrapping,
    /// So many segments that chance makes of them.
    #[arg(long, value_name = "N", conflicts_with_all = ["flip", "scatter", "bad_checksum", "wrap"])]
    mutate: Option<u64>,
    /// What chance follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Each so many times.
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// Send out of this device (SO_BINDTODEVICE).
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Print each datagram in hexadecimal instead of sending it.
    #[arg(long)]
    dry_run: bool,
}

/// Where datagrams go.
struct Sender {
    socket: Option<RawSocket>,
    waiting: Vec<(Vec<u8>, IpAddr)>,
    sent: usize,
}

impl Sender {
    fn add(&mut self, octets: Vec<u8>, to: IpAddr) {
        self.waiting.push((octets, to));
        if self.waiting.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.sent += match &self.socket {
            Some(socket) => socket.send_all(&self.waiting),
            None => {
                let lines = self.waiting.iter().map(|(octets, _)| hex::encode(octets));
                lines.for_each(|line| out::line(format_args!("{line}")));
                self.waiting.len()
            }
        };
        self.waiting.clear();
    }
}

impl Replay {
    /// Does it.
    ///
    /// # Errors
    ///
    /// No such segment in the captures, or the kernel refuses to send.
    pub fn run(&self) -> Result<ExitCode> {
        let mut seeds = self.captured()?;
        if self.last {
            seeds.drain(..seeds.len().saturating_sub(1));
        }
        let seeds: Vec<Datagram> = seeds
            .into_iter()
            .map(|seed| self.readdressed(seed))
            .collect();
        let Some(first) = seeds.first() else {
            bail!("no such segment in the capture");
        };
        let socket = if self.dry_run {
            None
        } else {
            Some(RawSocket::open(
                first.destination(),
                self.device.as_deref(),
            )?)
        };
        let mut sender = Sender {
            socket,
            waiting: Vec::new(),
            sent: 0,
        };
        let started = Instant::now();
        let mut random = Random::new(self.seed);
        if let Some(count) = self.mutate {
            for _ in 0..count {
                for (octets, to) in mutate(&seeds, &mut random) {
                    sender.add(octets, to);
                }
            }
        } else if let Some(count) = self.scatter {
            for _ in 0..count {
                let mut datagram = seeds[random.within(0, seeds.len() as u32 - 1) as usize].clone();
                scatter(&mut datagram, &mut random);
                let to = datagram.destination();
                sender.add(datagram.octets().to_vec(), to);
            }
        } else {
            for _ in 0..self.count {
                for seed in &seeds {
                    self.send_variants(seed, &mut sender);
                }
            }
        }
        sender.flush();
        if sender.sent == 0 {
            bail!("the kernel refuses to send any of them");
        }
        out::line(format_args!(
            "ok sent={} segments={} seed={} ms={}",
            sender.sent,
            seeds.len(),
            self.seed,
            started.elapsed().as_millis()
        ));
        Ok(ExitCode::SUCCESS)
    }

    /// The segments that are meant.
    fn captured(&self) -> Result<Vec<Datagram>> {
        let mut found = Vec::new();
        for file in &self.files {
            capture::read(file, |time, octets, whole| {
                let Content::Segment(segment) = Segment::read(0, time, octets, whole, 253) else {
                    return;
                };
                if self.filter.passes(&segment) {
                    found.extend(Datagram::parse(octets));
                }
            })?;
        }
        Ok(found)
    }

    /// From and to where it is to go, with the data it is to have.
    fn readdressed(&self, mut datagram: Datagram) -> Datagram {
        if self.reflect {
            datagram.reflect();
        }
        if let Some(source) = self.as_source {
            datagram.set_source(source.ip(), source.port());
        }
        if let Some(destination) = self.as_destination {
            datagram.set_destination(destination.ip(), destination.port());
        }
        datagram.add_to_seq(self.seq_plus as u32);
        if self.rst {
            datagram.tcp_mut()[FLAGS] = RST | ACK;
        }
        if let (Some(bit), Some(place)) = (self.flip_bit, datagram.our_option()) {
            if let Some(octet) = datagram.tcp_mut()[place].get_mut(bit / 8) {
                *octet ^= 1 << (bit % 8);
            }
        }
        let options = datagram.options().to_vec();
        datagram.set_contents(&options, &vec![b'x'; self.payload]);
        datagram.mend();
        if self.bad_checksum {
            datagram.spoil(0x0101);
        }
        datagram
    }

    fn send_variants(&self, seed: &Datagram, sender: &mut Sender) {
        let to = seed.destination();
        let Some(flip) = self.flip else {
            for octets in self.wrap.wrap(seed) {
                sender.add(octets, to);
            }
            return;
        };
        for octet in flip.octets(seed) {
            for bit in 0..8 {
                let mut flipped = seed.clone();
                flipped.tcp_mut()[octet] ^= 1 << bit;
                let checksum = (16..18).contains(&octet);
                if !checksum {
                    flipped.mend();
                }
                for octets in self.wrap.wrap(&flipped) {
                    sender.add(octets, to);
                }
            }
        }
    }
}

/// Another source.
fn scatter(datagram: &mut Datagram, random: &mut Random) {
    let host = random.within(1, 254) as u8;
    let source = match datagram.source() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::from([a, b, c, host])
        }
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets[15] = host;
            octets.into()
        }
    };
    datagram.set_source(source, random.within(1, 0xffff) as u16);
    datagram.add_to_seq(random.next() as u32);
    datagram.mend();
}
