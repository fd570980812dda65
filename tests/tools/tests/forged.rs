// SPDX-License-Identifier: GPL-2.0

//! What `forge` makes, `decode` reads: two ways to write the same format, checked on each other.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

const TOOL: &str = env!("CARGO_BIN_EXE_tcpc-tool");
const IPV4: [&str; 6] = [
    "--from", "10.0.1.9", "--to", "10.0.2.1", "--old", "10.0.1.1",
];
const IPV6: [&str; 6] = ["--from", "fd00::9", "--to", "fd01::1", "--old", "fd00::1"];

fn run(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(TOOL).args(arguments).output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// A pcap file (link type 101, raw IP) of what `forge update --dry-run` prints.
fn forge(name: &str, addresses: &[&str], more: &[&str]) -> String {
    let fixed = [
        "forge",
        "update",
        "--dry-run",
        "--sport",
        "40000",
        "--dport",
        "22",
    ];
    let (code, text) = run(&[&fixed[..], addresses, more].concat());
    assert_eq!(code, 0);
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 2 | (4 << 16), 0, 0, 65535, 101u32] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    for (index, line) in text
        .lines()
        .filter(|line| !line.starts_with("ok"))
        .enumerate()
    {
        let octets: Vec<u8> = (0..line.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap())
            .collect();
        let length = u32::try_from(octets.len()).unwrap();
        for word in [u32::try_from(index).unwrap(), 0, length, length] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&octets);
    }
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, file).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_good_update_of_each_family() {
    for (name, addresses) in [("good4.pcap", IPV4), ("good6.pcap", IPV6)] {
        let file = forge(
            name,
            &addresses,
            &["--seq", "7", "--ack", "9", "--tsval", "5"],
        );
        let filter = [
            "--updates",
            "--option-only",
            "--from",
            addresses[1],
            "--old",
            addresses[5],
        ];
        let judge = ["--check", "--exactly", "1"];
        let (code, text) = run(&[&["decode", &file][..], &filter, &judge].concat());
        assert_eq!(code, 0, "{text}");
        let (code, text) = run(&["decode", &file, "--forge-args"]);
        assert_eq!(code, 0);
        let to = addresses[3];
        let next =
            format!("--to {to} --sport 40000 --dport 22 --seq 7 --ack 9 --tsval 6 --tsecr 0");
        assert_eq!(text.trim(), next);
    }
}

#[test]
fn expectations_that_fail_have_an_exit_code() {
    let file = forge("expect.pcap", &IPV4, &["--count", "3"]);
    for (judge, expected) in [
        (&["--exactly", "3"][..], 0),
        (&["--exactly", "2"], 1),
        (&["--at-least", "4"], 1),
        (&["--at-most", "2"], 1),
        (
            &["--updates", "--after", "first-update", "--exactly", "2"],
            0,
        ),
        (
            &["--updates", "--before", "last-update", "--exactly", "2"],
            0,
        ),
        (
            &[
                "--from",
                "10.0.1.1",
                "--after",
                "first-update",
                "--at-most",
                "0",
            ],
            0,
        ),
        (
            &["--port", "23", "--after", "first-update", "--at-most", "0"],
            1,
        ),
    ] {
        let (code, text) = run(&[&["decode", &file][..], judge].concat());
        assert_eq!(code, expected, "{judge:?} {text}");
    }
}

#[test]
fn presets_are_seen_as_what_they_are() {
    for (name, addresses) in [("wrong4.pcap", IPV4), ("wrong6.pcap", IPV6)] {
        for (preset, filter) in [
            ("wrong-seq", &["--updates", "--check"][..]),
            ("wrong-ports", &["--updates", "--check"]),
            ("truncated", &["--malformed", "--check"]),
            ("repeated", &["--updates", "--check"]),
        ] {
            let file = forge(name, &addresses, &["--preset", preset, "--count", "300"]);
            let arguments = ["decode", &file, "--quiet", "--at-least", "290"];
            let (code, text) = run(&[&arguments[..], filter].concat());
            // IPv6 truncated to Length 6 is a well-formed option of IPv4: up to one in 35.
            assert_eq!(code, 0, "{preset} {text}");
        }
        let file = forge(
            name,
            &addresses,
            &["--preset", "wrong-checksum", "--count", "300"],
        );
        let (code, text) = run(&["decode", &file, "--quiet", "--check"]);
        assert_eq!(code, 1);
        assert!(text.contains("wrong_checksums=300"), "{text}");
    }
}

#[test]
fn files_that_are_no_captures_are_refused() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("no.pcap");
    for octets in [&b""[..], b"x", b"not a capture, whatever its name says"] {
        fs::write(&path, octets).unwrap();
        assert_eq!(run(&["decode", path.to_str().unwrap()]).0, 2, "{octets:?}");
    }
}
