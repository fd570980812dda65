// SPDX-License-Identifier: GPL-2.0

//! Octets as hexadecimal digits.

use std::fmt::Write;

use anyhow::bail;
use anyhow::Context;
use anyhow::Result;

/// Two digits an octet.
pub fn encode(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String cannot fail.
        write!(text, "{octet:02x}").unwrap_or_default();
        text
    })
}

/// The octets; white space and colons between digits do not matter.
///
/// # Errors
///
/// Other letters, an odd number of digits.
pub fn decode(text: &str) -> Result<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != ':')
        .map(|letter| letter.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()
        .with_context(|| format!("{text:?} is not hexadecimal"))?;
    if digits.len() % 2 != 0 {
        bail!("{text:?}: half an octet");
    }
    Ok(digits
        .chunks(2)
        .map(|pair| (pair[0] << 4) | pair[1])
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        assert_eq!(decode("fd:06 0a000101").unwrap(), [253, 6, 10, 0, 1, 1]);
        assert!(decode("").unwrap().is_empty());
        assert!(decode("f").is_err());
        assert!(decode("xx").is_err());
        assert_eq!(encode(&[0, 10, 255]), "000aff");
    }
}
