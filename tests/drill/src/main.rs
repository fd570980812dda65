// SPDX-License-Identifier: GPL-2.0

//! `tcpc-drill`: runs scripts in the language of packetdrill against this machine's TCP, each in a
//! network namespace of its own. Needs root.
//!
//! The kernel's own scripts (tools/testing/selftests/net/packetdrill) are what it is for: they
//! were not written here, and shall pass whether or not the module is loaded.

#![deny(unsafe_op_in_unsafe_fn)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

mod calls;
mod clock;
mod code;
mod config;
mod connection;
mod expect;
mod run;
mod scheduling;
mod script;
mod shell;
mod symbols;
mod trouble;
mod tun;
mod wire;

use config::{Config, Family};
use run::Located;
use trouble::Trouble;

/// Runs a script in the language of packetdrill.
///
/// Exit codes: 0 it passed; 1 it failed; 2 wrong use; 4 it was skipped, as it uses something that is
/// not supported. What failed, or is not supported, is said in one line.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// IP version of sockets and packets.
    #[arg(long, value_enum, default_value = "ipv4")]
    family: Family,
    /// What a name in the script means.
    #[arg(short = 'D', value_name = "NAME=VALUE", value_parser = definition)]
    define: Vec<(String, String)>,
    /// How much sooner or later than expected things may happen, at least.
    #[arg(long, value_name = "MICROSECONDS")]
    tolerance_us: Option<i64>,
    /// How long the script may take.
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    limit: u64,
    /// Sets values in /proc and remembers how to restore them, as the scripts' helper does.
    #[arg(long, hide = true, num_args = 1.., value_name = "FILE=VALUE")]
    set_sysctls: Vec<String>,
    /// The script.
    #[arg(required_unless_present = "set_sysctls")]
    script: Option<PathBuf>,
}

fn definition(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let Some(path) = &cli.script else {
        return match shell::set(&cli.set_sysctls) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("tcpc-drill: {error}");
                ExitCode::from(2)
            }
        };
    };
    limit(path, cli.limit);
    match drill(&cli, path) {
        Ok(()) => ExitCode::SUCCESS,
        Err((line, Trouble::Failed { expected, observed })) => {
            failed(path, line, &expected, &observed);
            ExitCode::from(1)
        }
        Err((line, Trouble::Unsupported(what))) => {
            println!("{}:{line}: not supported: {what}", path.display());
            ExitCode::from(4)
        }
    }
}

fn failed(path: &Path, line: usize, expected: &str, observed: &str) {
    println!(
        "{}:{line}: expected {expected}, observed {observed}",
        path.display()
    );
}

/// Ends the process when a script takes too long, wherever it hangs.
fn limit(path: &Path, seconds: u64) {
    let path = path.to_owned();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(seconds));
        failed(&path, 0, &format!("an end within {seconds} s"), "none");
        std::process::exit(1);
    });
}

fn drill(cli: &Cli, path: &Path) -> Result<(), Located> {
    let here = |trouble| (0, trouble);
    let text = fs::read_to_string(path)
        .map_err(|error| here(Trouble::failed("a script that can be read", error)))?;
    let mut script = script::parse(&text)
        .map_err(|(line, text)| (line, Trouble::unsupported(format_args!("`{text}`"))))?;
    let config = Config::new(cli.family, cli.tolerance_us, &script.settings).map_err(here)?;
    let mut definitions: HashMap<_, _> = config.definitions();
    definitions.extend(cli.define.iter().cloned());
    script::define(&mut script, &definitions);
    let folder = fs::canonicalize(path)
        .ok()
        .and_then(|path| path.parent().map(Path::to_owned))
        .unwrap_or_default();
    scheduling::prefer();
    run::run(&script, config, &folder)
}
