// SPDX-License-Identifier: GPL-2.0

//! Settings of a namespace: one table that the files, the documents and the tests share.

use crate::proto::option::classic::Kind;
use core::time::Duration;

/// What a namespace does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Off,
    /// The classic profile.
    Classic,
    /// The secure profile.
    Secure,
    /// The secure profile where both ends have it, the classic one where not.
    SecureClassic,
}

/// Not a mode, or none that there is yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchMode;

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Off, Self::Classic, Self::Secure, Self::SecureClassic];

    /// What a new namespace does.
    pub const DEFAULT: Self = Self::Secure;

    /// From its word.
    ///
    /// # Errors
    ///
    /// Any other word.
    pub fn parse(word: &str) -> Result<Self, NoSuchMode> {
        match word {
            "off" => Ok(Self::Off),
            "classic" => Ok(Self::Classic),
            "secure" => Ok(Self::Secure),
            "secure+classic" => Ok(Self::SecureClassic),
            _ => Err(NoSuchMode),
        }
    }

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Classic => "classic",
            Self::Secure => "secure",
            Self::SecureClassic => "secure+classic",
        }
    }

    /// Whether connections move by the classic profile.
    pub const fn has_classic(self) -> bool {
        matches!(self, Self::Classic | Self::SecureClassic)
    }

    /// Whether connections move by the secure profile.
    pub const fn has_secure(self) -> bool {
        matches!(self, Self::Secure | Self::SecureClassic)
    }
}

/// A setting that is a number.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The file's name.
    pub name: &'static str,
    /// The unit, for people.
    pub unit: &'static str,
    /// The least value.
    pub min: u32,
    /// The greatest value.
    pub max: u32,
    /// The value of a new namespace.
    pub default: u32,
    /// What it means.
    pub help: &'static str,
}

/// Not a value of the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadValue;

/// How many settings there are.
pub const COUNT: usize = 8;

/// The settings, in the order of their files.
pub const TABLE: [Row; COUNT] = [
    Row {
        name: "classic_kind",
        unit: "option kind",
        min: 2,
        max: 255,
        default: 253,
        help: "Kind of the ADDRESS UPDATE option; kinds in use by others are refused",
    },
    Row {
        name: "hold_time",
        unit: "seconds",
        min: 1,
        max: 604_800,
        default: 3_600,
        help: "How long a connection without a usable address is kept",
    },
    Row {
        name: "confirm_time",
        unit: "seconds",
        min: 1,
        max: 3_600,
        default: 120,
        help: "How long a moved connection may stay unconfirmed by its peer",
    },
    Row {
        name: "carrier_delay",
        unit: "milliseconds",
        min: 0,
        max: 60_000,
        default: 2_000,
        help: "How long an interface may be without carrier before its addresses count as lost",
    },
    Row {
        name: "validate_time",
        unit: "seconds",
        min: 1,
        max: 60,
        default: 10,
        help: "How long a new path may stay unvalidated before the connection goes back",
    },
    Row {
        name: "psk_required",
        unit: "0 or 1",
        min: 0,
        max: 1,
        default: 0,
        help: "Whether connections without a pre-shared key are plain TCP",
    },
    Row {
        name: "keyshare_after",
        unit: "milliseconds",
        min: 0,
        max: 3_600_000,
        default: 3_000,
        help: "How old a connection is when its ends begin a key exchange; 0 for never",
    },
    Row {
        name: "rst_guard",
        unit: "milliseconds",
        min: 0,
        max: 60_000,
        default: 1_000,
        help: "How long a peer has to contradict a RST, 0 to believe it at once",
    },
];

impl Row {
    /// Whether `value` may be set.
    ///
    /// # Errors
    ///
    /// It is out of range, or a kind in use.
    pub fn check(&self, value: u32) -> Result<(), BadValue> {
        if value < self.min || value > self.max {
            return Err(BadValue);
        }
        if self.name == "classic_kind" {
            let kind = u8::try_from(value).map_err(|_| BadValue)?;
            Kind::new(kind).map_err(|_| BadValue)?;
        }
        Ok(())
    }
}

/// The settings as the protocol uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// See [`TABLE`].
    pub classic_kind: Kind,
    /// See [`TABLE`].
    pub hold_time: Duration,
    /// See [`TABLE`].
    pub confirm_time: Duration,
    /// See [`TABLE`].
    pub carrier_delay: Duration,
    /// See [`TABLE`].
    pub validate_time: Duration,
    /// See [`TABLE`].
    pub psk_required: bool,
    /// See [`TABLE`]; `None` for never.
    pub keyshare_after: Option<Duration>,
    /// See [`TABLE`].
    pub rst_guard: Duration,
}

/// A time of which 0 means that it never comes.
pub fn unless_zero(millis: u32) -> Option<Duration> {
    (millis != 0).then(|| Duration::from_millis(millis.into()))
}

impl Default for Settings {
    fn default() -> Self {
        let [_, hold, confirm, carrier, validate, psk, keyshare, guard] = TABLE;
        Self {
            classic_kind: Kind::default(),
            hold_time: Duration::from_secs(hold.default.into()),
            confirm_time: Duration::from_secs(confirm.default.into()),
            carrier_delay: Duration::from_millis(carrier.default.into()),
            validate_time: Duration::from_secs(validate.default.into()),
            psk_required: psk.default != 0,
            keyshare_after: unless_zero(keyshare.default),
            rst_guard: Duration::from_millis(guard.default.into()),
        }
    }
}

#[cfg(test)]
mod tests;
