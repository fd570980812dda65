// SPDX-License-Identifier: GPL-2.0

//! Networking abstractions, shaped so that each could become one of `kernel::net`.
//!
//! This is the only part of the module with `unsafe` in it, and it knows nothing of the protocol:
//! it shares with the layers above only addresses, durations and integers.

#![allow(unsafe_code)]

pub mod addr;
pub mod conntrack;
pub mod crypto;
pub mod layout;
pub mod namespace;
pub mod netfilter;
pub mod notifier;
pub mod options;
pub mod procfs;
pub mod route;
pub mod segment;
pub mod skb;
pub mod sock;
pub mod sockstate;
pub mod sync;
pub mod sysctl;
pub mod time;
pub mod work;
