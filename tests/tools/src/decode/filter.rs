// SPDX-License-Identifier: GPL-2.0

//! Which segments of a capture are meant.

use std::net::IpAddr;
use std::str::FromStr;

use clap::Args;

use super::segment::Segment;
use super::segment::Update;

/// An instant in a capture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// The first segment with a well-formed UPDATE, among those with --port.
    FirstUpdate,
    /// The last one.
    LastUpdate,
    /// Microseconds since 1970.
    Time(u64),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "first-update" => Ok(Self::FirstUpdate),
            "last-update" => Ok(Self::LastUpdate),
            _ => match text.parse::<f64>() {
                Ok(seconds) if seconds >= 0.0 => Ok(Self::Time((seconds * 1e6).round() as u64)),
                _ => Err("first-update, last-update, or seconds since 1970".into()),
            },
        }
    }
}

impl When {
    /// The time, and the number of the last segment that belongs before; `None` if what it refers
    /// to did not happen among `segments`, which are in the order of the capture.
    pub fn find<'a>(self, segments: impl Iterator<Item = &'a Segment>) -> Option<(u64, usize)> {
        let place = |segment: &Segment| (segment.time, segment.number);
        let mut updates = segments.filter(|segment| match self {
            Self::FirstUpdate | Self::LastUpdate => has_update(segment),
            Self::Time(time) => segment.time <= time,
        });
        match self {
            Self::FirstUpdate => updates.next().map(place),
            Self::LastUpdate => updates.last().map(place),
            Self::Time(time) => Some((time, updates.last().map_or(0, |segment| segment.number))),
        }
    }
}

/// Whether a well-formed UPDATE is on it, of either profile.
pub fn has_update(segment: &Segment) -> bool {
    let classic = |update: &Update| matches!(update, Update::Old(_));
    segment.updates.iter().any(classic) || has_secure(segment, "UPDATE")
}

/// Whether an option of the secure profile is on it.
fn has_secure(segment: &Segment, name: &str) -> bool {
    segment
        .secure
        .iter()
        .any(|option| name == "any" || option.name.eq_ignore_ascii_case(name))
}

/// Conditions, all of which must hold.
#[derive(Args, Default)]
pub struct Filter {
    /// Segments with an ADDRESS UPDATE, well-formed, or an UPDATE of the secure profile.
    #[arg(long)]
    updates: bool,
    /// Segments with this option of the secure profile: capable, echo, update, confirm, response,
    /// keyshare, keyed, or any of them.
    #[arg(long, value_name = "NAME")]
    secure: Option<String>,
    /// Segments with an ADDRESS UPDATE that is malformed.
    #[arg(long)]
    malformed: bool,
    /// The UPDATE names this old address.
    #[arg(long, value_name = "ADDR")]
    old: Option<IpAddr>,
    /// IP source.
    #[arg(long, value_name = "ADDR")]
    from: Option<IpAddr>,
    /// IP destination.
    #[arg(long, value_name = "ADDR")]
    to: Option<IpAddr>,
    /// Source port.
    #[arg(long, value_name = "PORT")]
    sport: Option<u16>,
    /// Destination port.
    #[arg(long, value_name = "PORT")]
    dport: Option<u16>,
    /// Either port.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Has all these flags, letters of SFRPAUEC; with a `!` before, has none of them.
    #[arg(long, value_name = "FLAGS")]
    flags: Option<String>,
    /// No data, no flag but ACK, and options.
    #[arg(long)]
    option_only: bool,
    /// With data.
    #[arg(long)]
    data: bool,
    /// Later than this: first-update, last-update (of any connection with --port, if that is
    /// given) or seconds since 1970.
    #[arg(long, value_name = "WHEN")]
    pub after: Option<When>,
    /// Earlier than this.
    #[arg(long, value_name = "WHEN")]
    pub before: Option<When>,
}

impl Filter {
    /// Whether `segment` is of the connection asked for, as far as --port tells.
    pub fn concerns(&self, segment: &Segment) -> bool {
        self.port
            .is_none_or(|port| segment.from.port() == port || segment.to.port() == port)
    }

    /// Whether `segment` meets all conditions but those on time.
    pub fn passes(&self, segment: &Segment) -> bool {
        let old_named = |old: &IpAddr| segment.updates.contains(&Update::Old(*old));
        let malformed = |update: &Update| matches!(update, Update::Malformed(_));
        (!self.updates || has_update(segment))
            && self
                .secure
                .as_ref()
                .is_none_or(|name| has_secure(segment, name))
            && (!self.malformed || segment.updates.iter().any(malformed))
            && self.old.as_ref().is_none_or(old_named)
            && self.from.is_none_or(|from| segment.from.ip() == from)
            && self.to.is_none_or(|to| segment.to.ip() == to)
            && self.sport.is_none_or(|port| segment.from.port() == port)
            && self.dport.is_none_or(|port| segment.to.port() == port)
            && self.concerns(segment)
            && self
                .flags
                .as_ref()
                .is_none_or(|flags| flags_pass(flags, &segment.flags))
            && (!self.option_only || segment.is_option_only())
            && (!self.data || segment.length > 0)
    }
}

fn flags_pass(wanted: &str, flags: &str) -> bool {
    match wanted.strip_prefix('!') {
        Some(unwanted) => !unwanted.chars().any(|flag| flags.contains(flag)),
        None => wanted.chars().all(|flag| flags.contains(flag)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        assert!(flags_pass("RA", "RPA"));
        assert!(!flags_pass("RA", "R"));
        assert!(flags_pass("!R", "PA"));
        assert!(!flags_pass("!RS", "SA"));
    }

    #[test]
    fn instants() {
        assert_eq!("first-update".parse(), Ok(When::FirstUpdate));
        assert_eq!("12.5".parse(), Ok(When::Time(12_500_000)));
        assert!("-1".parse::<When>().is_err());
        assert!("yesterday".parse::<When>().is_err());
    }
}
