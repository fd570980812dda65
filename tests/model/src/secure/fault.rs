// SPDX-License-Identifier: GPL-2.0

//! Mistakes that the secure profile could have.

/// What is done wrong, around the protocol's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// An UPDATE that is sent again has the epoch it had.
    RepeatsEpochs,
    /// The attacker has the key.
    KeyIsKnown,
    /// The mover takes any segment of the correspondent's for a CONFIRM of its last UPDATE.
    BelievesAnything,
    /// The correspondent takes anything that comes from a path for a RESPONSE.
    ValidatesByData,
    /// The correspondent sends what it likes to a path that is not validated.
    SpendsFreely,
    /// The correspondent stays where it is not answered.
    Stays,
}
