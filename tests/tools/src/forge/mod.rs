// SPDX-License-Identifier: GPL-2.0

//! `tcpc-tool forge`: raw segments with any source, options and checksum, made up (`update`), taken
//! from a capture (`replay`), or from the path (`relay`).
//!
//! A forged segment leaves through the routing of the namespace it is sent in, under its IP header
//! as given (raw sockets with IP_HDRINCL and IPV6_HDRINCL), so the attacker is a namespace of its
//! own, with a route to the victim:
//!
//! ```sh
//! ip netns exec attacker tcpc-tool forge update --from 10.0.3.66 --to 10.0.2.1 \
//!     --sport 40000 --dport 22 --old 10.0.1.1 --preset all --count 100000 --seed 7
//! # ok sent=100000 seed=7 ms=…
//! ```
//!
//! Without a preset the segment is just what the arguments say; with right numbers, which
//! `tcpc-tool decode FILE --from MOVER --forge-args` takes from a capture, it is a good UPDATE.
//! `--options-hex ''` leaves the option out, so that
//! `--flags R --options-hex ''` is a stranger's RST.

use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use anyhow::Result;
use clap::Args;
use clap::Subcommand;

use crate::hex;
use crate::out;
use crate::random::Random;
use preset::Preset;
use raw::RawSocket;
use relay::Relay;
use replay::Replay;
use segment::padded;
use segment::timestamps;
use segment::update;
use segment::Segment;

mod datagram;
mod mutation;
mod preset;
mod raw;
mod relay;
mod replay;
mod segment;
mod wrapping;

/// What to forge.
#[derive(Subcommand)]
pub enum Forge {
    /// Segments with an ADDRESS UPDATE option, right or wrong.
    Update(Box<Update>),
    /// Segments from a capture, again, from elsewhere, or changed.
    Replay(Box<Replay>),
    /// Send on, changed, what a firewall keeps this router from forwarding, until ended.
    Relay(Relay),
}

/// Arguments of `update`.
#[derive(Args)]
pub struct Update {
    /// IP source: the new address.
    #[arg(long, value_name = "ADDR")]
    from: IpAddr,
    /// IP destination: the correspondent.
    #[arg(long, value_name = "ADDR")]
    to: IpAddr,
    /// Source port: the mover's.
    #[arg(long, value_name = "PORT")]
    sport: u16,
    /// Destination port: the correspondent's.
    #[arg(long, value_name = "PORT")]
    dport: u16,
    /// The old address the option names.
    #[arg(long, value_name = "ADDR")]
    old: IpAddr,
    /// Sequence number.
    #[arg(long, default_value_t = 0)]
    seq: u32,
    /// Acknowledgement number.
    #[arg(long, default_value_t = 0)]
    ack: u32,
    /// Random sequence and acknowledgement numbers in every segment.
    #[arg(long)]
    random: bool,
    /// What is to be wrong in every segment.
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    /// How many segments.
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// What all randomness follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A wrong checksum in every segment.
    #[arg(long)]
    bad_checksum: bool,
    /// The option's Kind.
    #[arg(long, default_value_t = 253)]
    kind: u8,
    /// A Length octet that lies.
    #[arg(long)]
    length: Option<u8>,
    /// Octets of data (`x`).
    #[arg(long, value_name = "OCTETS", default_value_t = 0)]
    payload: usize,
    /// Flags, letters of FSRPAUEC.
    #[arg(long, default_value = "A")]
    flags: String,
    /// Window, not scaled.
    #[arg(long, default_value_t = 512)]
    window: u16,
    /// A timestamps option before the update, with this value.
    #[arg(long, value_name = "VALUE")]
    tsval: Option<u32>,
    /// The value that option echoes.
    #[arg(long, value_name = "VALUE", default_value_t = 0, requires = "tsval")]
    tsecr: u32,
    /// These options, in hexadecimal, instead of all others; empty for none.
    #[arg(long, value_name = "HEX")]
    options_hex: Option<String>,
    /// Send out of this device (SO_BINDTODEVICE).
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Print each datagram in hexadecimal instead of sending it.
    #[arg(long)]
    dry_run: bool,
}

impl Forge {
    /// Does it.
    ///
    /// # Errors
    ///
    /// Arguments that make no segment, or the kernel refuses to send.
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Self::Update(update) => update.run(),
            Self::Replay(replay) => replay.run(),
            Self::Relay(relay) => relay.run(),
        }
    }
}

impl Update {
    fn run(&self) -> Result<ExitCode> {
        let base = self.base()?;
        let mut random = Random::new(self.seed);
        let socket = if self.dry_run {
            None
        } else {
            Some(RawSocket::open(self.to, self.device.as_deref())?)
        };
        let started = Instant::now();
        for index in 0..self.count {
            let mut segment = base.clone();
            if self.random {
                (segment.seq, segment.ack) = (random.next() as u32, random.next() as u32);
            }
            if self.bad_checksum {
                segment.spoil = random.within(1, 0xfffe) as u16;
            }
            if let Some(preset) = self.preset {
                preset.apply(index, &mut segment, self.kind, self.old, &mut random);
            }
            let datagram = segment.datagram()?;
            match &socket {
                Some(socket) => socket
                    .send(&datagram, self.to)
                    .with_context(|| format!("segment {index} from {}", segment.from))?,
                None => out::line(format_args!("{}", hex::encode(&datagram))),
            }
        }
        let taken = started.elapsed().as_millis();
        out::line(format_args!(
            "ok sent={} seed={} ms={taken}",
            self.count, self.seed
        ));
        Ok(ExitCode::SUCCESS)
    }

    fn base(&self) -> Result<Segment> {
        let options = match &self.options_hex {
            Some(text) => hex::decode(text).context("--options-hex")?,
            None => {
                let update = update(self.kind, self.length, self.old);
                match self.tsval {
                    Some(value) => padded(&[timestamps(value, self.tsecr), update]),
                    None => padded(&[update]),
                }
            }
        };
        Ok(Segment {
            from: self.from,
            to: self.to,
            sport: self.sport,
            dport: self.dport,
            seq: self.seq,
            ack: self.ack,
            flags: self.flags.clone(),
            window: self.window,
            options,
            payload: vec![b'x'; self.payload],
            spoil: 0,
        })
    }
}
