// SPDX-License-Identifier: GPL-2.0

//! The module: what the protocol decides, done with what the kernel offers.
//!
//! Everything belongs to one network namespace. Four sources of events feed the state machines of
//! [`crate::proto`]; one place carries out what they answer.
//!
//! | file | what |
//! | --- | --- |
//! | `namespace.rs` | all state of one namespace, and the order it is made and undone in |
//! | `inbound.rs` | events: segments received |
//! | `outbound.rs` | segments sent: the option put in, strays held back |
//! | `moves.rs` | events: addresses lost, addresses and routes come |
//! | `worker.rs` | events: time; and whatever had to wait for process context |
//! | `perform.rs` | what a mover's state machine answers, carried out on its socket |
//! | `correspond.rs` | the correspondent's side of a move |
//! | `motion.rs` | the flows that are on the move |
//! | `transit.rs` | 4-tuples that connections have lately left |
//! | `control.rs` | settings, counters, and the files that show them |

pub mod control;
pub mod correspond;
pub mod inbound;
pub mod motion;
pub mod moves;
pub mod namespace;
pub mod outbound;
pub mod perform;
pub mod secure;
pub mod transit;
pub mod worker;
