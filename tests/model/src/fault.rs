// SPDX-License-Identifier: GPL-2.0

//! Mistakes that a protocol could have. A check that does not find them is worth nothing.

/// What is done wrong, around the protocol's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The mover tells only where it was last confirmed, not where else the peer may think it is.
    ForgetsBeliefs,
    /// The mover believes a RST while it waits for a confirmation.
    BelievesResets,
    /// The mover believes a RST as soon as it is confirmed.
    SettlesAtOnce,
    /// The mover takes any segment of the peer's for an answer to its UPDATE.
    TrustsAnySegment,
    /// The mover sends each UPDATE once.
    NeverRepeats,
    /// The mover is not called at its deadlines.
    SleepsOn,
    /// The mover waits longer than it is set to.
    WaitsLonger,
    /// The correspondent does not compare timestamps.
    IgnoresTimestamps,
    /// The correspondent, without timestamps, follows to an address that it has just left.
    FollowsToWhatItLeft,
    /// The correspondent does not answer an UPDATE that it has followed already.
    AnswersOnce,
}
