// SPDX-License-Identifier: GPL-2.0

//! The protocol: what it means that a connection goes on, without a kernel.
//!
//! Nothing here reads a clock, takes a lock, allocates or can panic. Events and the time go in,
//! actions come out. The same files are built into the module and by cargo.
//!
//! | file | what |
//! | --- | --- |
//! | `seq.rs`, `time.rs`, `addr.rs` | sequence numbers; time and backoff; addresses a peer may have |
//! | `actions.rs` | what state machines answer |
//! | `ids.rs`, `crypto.rs` | what the secure profile names things with; keys, tokens and MACs |
//! | `known_answers.rs` | whether the primitives that are given to it compute what they should |
//! | `option/` | walking option octets; ADDRESS UPDATE; the secure profile's options |
//! | `flow.rs`, `mover.rs` | the state machine of a connection whose address changes |
//! | `announcement.rs` | how its peer is told, in either profile |
//! | `proof.rs` | what confirms a move in the classic profile |
//! | `correspondent.rs`, `correspondent/` | whether an UPDATE is followed; what then goes on |
//! | `probe.rs` | whether a peer is still there, and what is thought of a RST |
//! | `path.rs` | how sure it is that a peer is somewhere, and how much may be sent there |
//! | `handshake.rs`, `session.rs` | how a connection comes to be of the secure profile; what it is then |
//! | `exchange.rs`, `session/rekeying.rs` | how its ends come to keys that nobody else can have seen |
//! | `keyring.rs`, `psk.rs` | the pre-shared keys for a peer; how they are written |
//! | `happening.rs` | everything that is counted |
//! | `settings.rs` | limits with unit, range and default |

#![forbid(unsafe_code)]

pub mod actions;
pub mod addr;
pub mod announcement;
pub mod correspondent;
pub mod crypto;
pub mod exchange;
pub mod flow;
pub mod handshake;
pub mod happening;
pub mod ids;
pub mod keyring;
pub mod known_answers;
pub mod mover;
pub mod option;
pub mod path;
pub mod probe;
pub mod proof;
pub mod psk;
pub mod seq;
pub mod session;
pub mod settings;
pub mod time;
