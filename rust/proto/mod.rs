// SPDX-License-Identifier: GPL-2.0

//! The protocol: what it means that a connection goes on, without a kernel.
//!
//! Nothing here reads a clock, takes a lock, allocates or can panic. Events and the time go in,
//! actions come out. The same files are built into the module and by cargo.
//!
//! | file | what |
//! | --- | --- |
//! | `seq.rs`, `time.rs`, `addr.rs` | sequence numbers; time and backoff; addresses a peer may have |
//! | `ids.rs`, `crypto.rs` | what the secure profile names things with; keys, tokens and MACs |
//! | `option/` | walking option octets; ADDRESS UPDATE; the secure profile's options |
//! | `flow.rs`, `mover.rs` | the state machine of a connection whose address changes |
//! | `correspondent.rs` | whether an UPDATE is followed |
//! | `happening.rs` | everything that is counted |
//! | `settings.rs` | limits with unit, range and default |

#![forbid(unsafe_code)]

pub mod addr;
pub mod correspondent;
pub mod crypto;
pub mod flow;
pub mod happening;
pub mod ids;
pub mod mover;
pub mod option;
pub mod seq;
pub mod settings;
pub mod time;
