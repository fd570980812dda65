// SPDX-License-Identifier: GPL-2.0

//! The protocol of tcp_continuity as cargo sees it: the same files as in the module.

#![no_std]

#[path = "mod.rs"]
pub mod proto;
