// SPDX-License-Identifier: GPL-2.0

use proptest::prelude::*;

use super::{memory_facts, run, tcp_facts, Names};
use crate::trouble::Trouble;

fn with(facts: &[(&'static str, i64)]) -> Names {
    let mut names = Names::default();
    names.learn(facts.iter().copied());
    names
}

fn holds(text: &str) -> bool {
    match run(
        text,
        &mut with(&[("tcpi_snd_cwnd", 10), ("tcpi_rtt", 7000)]),
    ) {
        Ok(()) => true,
        Err(Trouble::Failed { .. }) => false,
        Err(Trouble::Unsupported(what)) => panic!("{what}"),
    }
}

#[test]
fn assertions_hold_or_do_not() {
    for (text, expected) in [
        ("assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd", true),
        ("assert tcpi_snd_cwnd == 11, tcpi_snd_cwnd", false),
        (
            "assert 5000 <= tcpi_rtt <= 9000, 'rtt %d us' % tcpi_rtt",
            true,
        ),
        ("assert 5000 <= tcpi_rtt < 7000", false),
        ("assert tcpi_snd_cwnd == 8 + 4 // 2", true),
        ("assert (tcpi_snd_cwnd & TCPI_OPT_ECN) != 0", true),
        ("assert tcpi_snd_cwnd & 5 == 0", true),
        ("assert not tcpi_rtt == 7000", false),
        ("assert 0 or tcpi_rtt and 1", true),
        ("assert 1 << 3 == 8 and -7 // 2 == -4 and -7 % 2 == 1", true),
        ("assert 1 < 2 < 3 > 1", true),
        ("assert tcpi_rtt == 0x1b58", true),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn statements_end_at_lines_and_semicolons() {
    assert!(holds("\nassert 1 # always\n\nassert 2;\n"));
    assert!(!holds("assert 1; \\\n   assert 0, 1;"));
    assert!(holds("x = tcpi_rtt + 1\nassert x == 7001"));
}

#[test]
fn a_failure_says_what_was_asserted_and_what_is() {
    let failure = run(
        "assert tcpi_rtt == 1, 'rtt %d us' % tcpi_rtt",
        &mut with(&[("tcpi_rtt", 2)]),
    );
    assert_eq!(failure, Err(Trouble::failed("tcpi_rtt == 1", "rtt 2 us")));
}

#[test]
fn what_is_not_understood_is_never_true() {
    for text in [
        "assert tcpi_no_such == 1",
        "assert tcpi_rtt.real == 1",
        "import sys",
        "assert f(1)",
        "assert 1 < < 2",
        "assert 1 // 0",
        "for x in y: pass",
    ] {
        let outcome = run(text, &mut with(&[("tcpi_rtt", 2)]));
        assert!(
            matches!(outcome, Err(Trouble::Unsupported(_))),
            "{text}: {outcome:?}"
        );
    }
}

#[test]
fn tcp_info_is_read_at_the_kernels_offsets() {
    let mut octets = vec![0; 280];
    octets[0] = 1;
    octets[6] = 0x78;
    octets[80..84].copy_from_slice(&10_u32.to_le_bytes());
    octets[104..112].copy_from_slice(&5_u64.to_le_bytes());
    octets[276..280].copy_from_slice(&0x0000_0106_u32.to_le_bytes());
    let names = with(&tcp_facts(&octets));
    assert_eq!(names.get("tcpi_state"), Some(1));
    assert_eq!(names.get("tcpi_snd_wscale"), Some(8));
    assert_eq!(names.get("tcpi_rcv_wscale"), Some(7));
    assert_eq!(names.get("tcpi_snd_cwnd"), Some(10));
    assert_eq!(names.get("tcpi_pacing_rate"), Some(5));
    assert_eq!(names.get("tcpi_ecn_mode"), Some(2));
    assert_eq!(names.get("tcpi_accecn_opt_seen"), Some(1));
    assert_eq!(names.get("tcpi_options2"), Some(1));
}

#[test]
fn an_older_kernel_has_fewer_facts() {
    let names = with(&tcp_facts(&[0; 104]));
    assert_eq!(names.get("tcpi_total_retrans"), Some(0));
    assert_eq!(names.get("tcpi_pacing_rate"), None);
    assert_eq!(memory_facts(&[1, 0, 0, 0, 2, 0, 0, 0]).len(), 2);
}

proptest! {
    #[test]
    fn nothing_panics(text in "(assert |[a-z]|[0-9]|[-+*/%|&^<>=!,;() '#\\\\\n]){0,40}") {
        let _ = run(&text, &mut Names::default());
    }

    #[test]
    fn division_is_pythons(left in -100_i64..100, right in prop_oneof![-9_i64..0, 1_i64..9]) {
        let mut names = Names::default();
        run(&format!("q = {left} // {right}\nr = {left} % {right}"), &mut names).unwrap();
        let (quotient, rest) = (names.get("q").unwrap(), names.get("r").unwrap());
        prop_assert_eq!(quotient * right + rest, left);
        prop_assert!(rest == 0 || (rest > 0) == (right > 0));
    }
}
