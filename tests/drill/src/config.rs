// SPDX-License-Identifier: GPL-2.0

//! How a script is run: the families' addresses, and what the script itself sets.

use std::collections::HashMap;
use std::net::IpAddr;

use clap::ValueEnum;

use crate::trouble::{Outcome, Trouble};

/// The IP version of sockets and of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Family {
    /// IPv4 for both.
    Ipv4,
    /// IPv6 for both.
    Ipv6,
    /// IPv6 sockets that talk IPv4.
    #[value(alias = "ipv4-mapped-ipv6")]
    Ipv4Mapped,
}

/// The port that servers listen at, and that clients connect to.
pub const PORT: u16 = 8080;

/// How a script is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The IP version.
    pub family: Family,
    /// How much sooner or later than expected, in microseconds.
    pub tolerance: i64,
    /// Octets of the segments that injected ones are cut into, if they are.
    pub mss: Option<u16>,
    /// Microseconds of a tick of outbound timestamps, if their values count.
    pub tick: Option<i64>,
}

/// What can be off in proportion to the time that was waited: the kernel's timer wheel is no
/// better.
pub const TOLERANCE_PERCENT: f64 = 12.5;

/// packetdrill's own tolerance, in microseconds.
const TOLERANCE: i64 = 4000;

impl Config {
    /// What the script's settings make of the command line's. The command line's tolerance is the
    /// least there is; the script may ask for more.
    ///
    /// # Errors
    ///
    /// Settings that are not known.
    pub fn new(
        family: Family,
        tolerance: Option<i64>,
        settings: &[(String, Option<String>)],
    ) -> Outcome<Self> {
        let mut config = Self {
            family,
            tolerance: TOLERANCE,
            mss: None,
            tick: None,
        };
        for (name, value) in settings {
            config.set(name, value.as_deref())?;
        }
        config.tolerance = config.tolerance.max(tolerance.unwrap_or(0));
        Ok(config)
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Outcome<()> {
        let unknown = || {
            let value = value.unwrap_or_default();
            Trouble::unsupported(format_args!("the setting --{name}={value}"))
        };
        let number = || {
            value
                .and_then(|value| value.parse::<i64>().ok())
                .ok_or_else(unknown)
        };
        match name {
            "tolerance_usecs" => self.tolerance = number()?,
            "tcp_ts_tick_usecs" => self.tick = Some(number()?).filter(|tick| *tick > 0),
            "mss" => self.mss = Some(u16::try_from(number()?).map_err(|_| unknown())?),
            // Buffers of zero-copy sends are never used again here.
            "send_omit_free" => {}
            "ip_version" => self.same_family(value.ok_or_else(unknown)?)?,
            _ => return Err(unknown()),
        }
        Ok(())
    }

    fn same_family(&self, wanted: &str) -> Outcome<()> {
        let family = Family::from_str(wanted, false).ok();
        if family == Some(self.family) {
            return Ok(());
        }
        Err(Trouble::unsupported(format_args!(
            "it is for {wanted} only"
        )))
    }

    /// The address of this end.
    pub fn local(&self) -> IpAddr {
        address(match self.family {
            Family::Ipv6 => "fd3d:a0b:17d6::1",
            Family::Ipv4 | Family::Ipv4Mapped => "192.168.0.1",
        })
    }

    /// The address of the end that the script plays.
    pub fn remote(&self) -> IpAddr {
        address(match self.family {
            Family::Ipv6 => "fd3d:fa7b:d17d::1",
            Family::Ipv4 | Family::Ipv4Mapped => "192.0.2.1",
        })
    }

    /// What the remote address is routed by.
    pub fn gateway(&self) -> IpAddr {
        address(match self.family {
            Family::Ipv6 => "fd3d:a0b:17d6:8888::1",
            Family::Ipv4 | Family::Ipv4Mapped => "192.168.0.1",
        })
    }

    /// Bits of the local prefix.
    pub fn prefix(&self) -> u8 {
        match self.family {
            Family::Ipv6 => 48,
            Family::Ipv4 | Family::Ipv4Mapped => 16,
        }
    }

    /// The device's MTU: the same MSS in both versions.
    pub fn mtu(&self) -> u16 {
        match self.family {
            Family::Ipv6 => 1520,
            Family::Ipv4 | Family::Ipv4Mapped => 1500,
        }
    }

    /// The domain of sockets.
    pub fn domain(&self) -> i32 {
        match self.family {
            Family::Ipv4 => libc::AF_INET,
            Family::Ipv6 | Family::Ipv4Mapped => libc::AF_INET6,
        }
    }

    /// An address as the sockets of the family have it.
    pub fn in_socket(&self, address: IpAddr) -> IpAddr {
        match (self.family, address) {
            (Family::Ipv4Mapped, IpAddr::V4(address)) => address.to_ipv6_mapped().into(),
            _ => address,
        }
    }

    /// The names that scripts may use without defining them: Fast Open's cookies for these
    /// addresses and the key that the scripts set, and how errors reach sockets of the family.
    pub fn definitions(&self) -> HashMap<String, String> {
        let (cookie, zero) = match self.family {
            Family::Ipv6 => ("c1d1e9742a47a9bc", "82af1a8f9a205c34"),
            Family::Ipv4 | Family::Ipv4Mapped => ("3021b9d889017eeb", "b7c12350a90dc8f5"),
        };
        let (level, kind) = match self.family {
            Family::Ipv4 => ("SOL_IP", "IP_RECVERR"),
            Family::Ipv6 | Family::Ipv4Mapped => ("SOL_IPV6", "IPV6_RECVERR"),
        };
        [
            ("TFO_COOKIE", cookie),
            ("TFO_COOKIE_ZERO", zero),
            ("CMSG_LEVEL_IP", level),
            ("CMSG_TYPE_RECVERR", kind),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address is written here")
}

#[cfg(test)]
mod tests {
    use super::{Config, Family};
    use crate::trouble::Trouble;

    fn with(settings: &[(&str, &str)], tolerance: Option<i64>) -> Result<Config, Trouble> {
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())))
            .collect();
        Config::new(Family::Ipv4, tolerance, &settings)
    }

    #[test]
    fn the_larger_tolerance_counts() {
        let script = [("tolerance_usecs", "10000")];
        assert_eq!(with(&script, None).unwrap().tolerance, 10000);
        assert_eq!(with(&script, Some(14000)).unwrap().tolerance, 14000);
        assert_eq!(with(&script, Some(5000)).unwrap().tolerance, 10000);
        assert_eq!(with(&[], None).unwrap().tolerance, 4000);
    }

    #[test]
    fn scripts_of_the_other_version_are_skipped() {
        assert!(with(&[("ip_version", "ipv4")], None).is_ok());
        let other = with(&[("ip_version", "ipv6")], None);
        assert!(matches!(other, Err(Trouble::Unsupported(_))));
    }

    #[test]
    fn settings_that_are_not_known_are_not_ignored() {
        let outcome = with(&[("wire_client", "1")], None);
        assert!(matches!(outcome, Err(Trouble::Unsupported(_))));
    }

    #[test]
    fn mapped_sockets_have_mapped_addresses() {
        let config = Config::new(Family::Ipv4Mapped, None, &[]).unwrap();
        assert!(config.in_socket(config.local()).is_ipv6());
        assert!(config.local().is_ipv4());
    }
}
