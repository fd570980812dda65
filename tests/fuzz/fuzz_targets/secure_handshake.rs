// SPDX-License-Identifier: GPL-2.0

//! libFuzzer's way into [`tcpc_fuzz::secure::handshake`].

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| tcpc_fuzz::secure::handshake::run(octets));
