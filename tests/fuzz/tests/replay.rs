// SPDX-License-Identifier: GPL-2.0

//! Replays the corpus, and tries what is near it. `TCPC_FUZZ_SEED` and `TCPC_FUZZ_RUNS` give
//! another run, and a longer one.

use rand::rngs::StdRng;
use rand::Rng;
use rand::SeedableRng;
use std::fs;
use std::path::Path;
use tcpc_fuzz::Target;
use tcpc_fuzz::TARGETS;

/// The seed unless another is given: the same run each time.
const SEED: u64 = 0x7c9_c0de;
/// Inputs for each target unless another number is given.
const RUNS: u64 = 100_000;
/// Octets of an input at most.
const LONGEST: usize = 200;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

/// The corpus of a target, in the order of the files' names.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name);
    let mut seeds: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .map(|path| {
            let octets = fs::read(&path).expect("a file that can be read");
            (path.display().to_string(), octets)
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "no seeds in {}", folder.display());
    seeds
}

/// Runs a target; what fails is printed as it can be put into the corpus.
fn run(target: &Target, octets: &[u8], what: &str) {
    if let Err(panic) = std::panic::catch_unwind(|| (target.run)(octets)) {
        eprintln!("target {}, {what}: {octets:02x?}", target.name);
        std::panic::resume_unwind(panic);
    }
}

fn replay(name: &str) {
    let target = target(name);
    for (seed, octets) in corpus(&target) {
        run(&target, &octets, &seed);
    }
}

fn mutate(name: &str) {
    let target = target(name);
    let seed = number("TCPC_FUZZ_SEED", SEED);
    let runs = number("TCPC_FUZZ_RUNS", RUNS);
    println!("TCPC_FUZZ_SEED={seed} TCPC_FUZZ_RUNS={runs}");
    let mut random = StdRng::seed_from_u64(seed);
    let seeds = corpus(&target);
    for _ in 0..runs {
        let (_, octets) = &seeds[random.random_range(0..seeds.len())];
        let mut octets = octets.clone();
        for _ in 0..random.random_range(1..8) {
            change(&mut octets, &seeds, &mut random);
        }
        run(&target, &octets, "mutation");
    }
}

/// One change.
fn change(octets: &mut Vec<u8>, seeds: &[(String, Vec<u8>)], random: &mut StdRng) {
    let at = random.random_range(0..=octets.len());
    match random.random_range(0..6) {
        0 => octets.insert(at, random.random()),
        1 => octets.truncate(at),
        2 => {
            let (_, other) = &seeds[random.random_range(0..seeds.len())];
            let from = random.random_range(0..=other.len());
            octets.splice(at.., other[from..].iter().copied());
        }
        3 => {
            let end = random.random_range(at..=octets.len());
            let piece = octets[at..end].to_vec();
            octets.splice(at..at, piece);
        }
        _ => {
            if let Some(octet) = octets.get_mut(at) {
                *octet = match random.random_range(0..3) {
                    0 => random.random(),
                    1 => octet.wrapping_add(1),
                    _ => *octet ^ (1 << random.random_range(0..8)),
                };
            }
        }
    }
    octets.truncate(LONGEST);
}

fn target(name: &str) -> Target {
    let target = TARGETS.into_iter().find(|target| target.name == name);
    target.expect("a target")
}

#[test]
fn corpus_of_option() {
    replay("option");
}

#[test]
fn corpus_of_flow() {
    replay("flow");
}

#[test]
fn mutations_of_option() {
    mutate("option");
}

#[test]
fn mutations_of_flow() {
    mutate("flow");
}

#[test]
fn corpus_of_psk() {
    replay("psk");
}

#[test]
fn mutations_of_psk() {
    mutate("psk");
}

#[test]
fn corpus_of_secure_option() {
    replay("secure_option");
}

#[test]
fn mutations_of_secure_option() {
    mutate("secure_option");
}

#[test]
fn corpus_of_secure_handshake() {
    replay("secure_handshake");
}

#[test]
fn mutations_of_secure_handshake() {
    mutate("secure_handshake");
}

#[test]
fn corpus_of_secure_session() {
    replay("secure_session");
}

#[test]
fn mutations_of_secure_session() {
    mutate("secure_session");
}

#[test]
fn corpus_of_secure_correspondent() {
    replay("secure_correspondent");
}

#[test]
fn mutations_of_secure_correspondent() {
    mutate("secure_correspondent");
}
