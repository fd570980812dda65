// SPDX-License-Identifier: GPL-2.0

//! Shell commands of scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::trouble::{Outcome, Trouble};

/// The program beside the scripts that sets values in /proc and remembers how to restore them. It
/// is in Python, so this program does it instead.
const SETTER: &str = "./set_sysctls.py";

/// The hidden option that makes this program that one.
pub const SETTER_OPTION: &str = "--set-sysctls";

/// Runs a command of a script that lies in `folder`.
///
/// # Errors
///
/// It does not succeed.
pub fn run(text: &str, folder: &Path) -> Outcome<()> {
    let process = std::process::id();
    let itself = format!("/proc/{process}/exe {SETTER_OPTION}");
    let output = Command::new("sh")
        .arg("-c")
        .arg(text.replace(SETTER, &itself))
        .current_dir(folder)
        .env("PACKETDRILL_PID", process.to_string())
        .output()
        .map_err(|error| Trouble::failed("sh(1) runs", error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().last().unwrap_or_default();
    let command = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(Trouble::failed(
        format_args!("`{command}` succeeds"),
        format_args!("{} {said}", output.status),
    ))
}

/// Sets values, each `FILE=VALUE`, and writes the script that restores them.
pub fn set(values: &[String]) -> std::io::Result<()> {
    let process = std::env::var("PACKETDRILL_PID").map_err(std::io::Error::other)?;
    let restore = restorer(&process);
    let mut script = String::from("#!/bin/sh\n");
    for value in values {
        let (file, new) = value
            .split_once('=')
            .ok_or_else(|| std::io::Error::other(format!("not FILE=VALUE: {value}")))?;
        let old = fs::read_to_string(file)?;
        script.push_str(&format!("echo \"{}\" > {file}\n", old.trim()));
        fs::write(file, format!("{new}\n"))?;
    }
    fs::write(&restore, script)?;
    fs::set_permissions(&restore, fs::Permissions::from_mode(0o700))
}

/// The script that restores what was set for a process; scripts know its name.
fn restorer(process: &str) -> String {
    format!("/tmp/sysctl_restore_{process}.sh")
}

/// Removes what [`set`] has written for this process.
pub fn tidy() {
    // As a rule there is nothing.
    let _ = fs::remove_file(restorer(&std::process::id().to_string()));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::run;

    #[test]
    fn commands_succeed_or_not() {
        assert!(run("true", Path::new("/")).is_ok());
        assert!(run("test $(pwd) = /proc", Path::new("/proc")).is_ok());
        assert!(run("false", Path::new("/")).is_err());
    }

    #[test]
    fn a_command_knows_this_process() {
        assert!(run("test $PPID = $PACKETDRILL_PID", Path::new("/")).is_ok());
    }
}
