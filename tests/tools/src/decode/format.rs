// SPDX-License-Identifier: GPL-2.0

//! A segment as a line for people, and as one for programs.

use super::segment::Checksum;
use super::segment::Segment;
use super::segment::Update;
use crate::hex;

/// Time of day (UTC), addresses, numbers, and the UPDATE where there is one.
pub fn text(segment: &Segment) -> String {
    let seconds = segment.time / 1_000_000;
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    let mut line = format!(
        "{hours:02}:{minutes:02}:{:02}.{:06} {} > {} {} seq={} ack={} win={} len={}",
        seconds % 60,
        segment.time % 1_000_000,
        segment.from,
        segment.to,
        if segment.flags.is_empty() {
            "-"
        } else {
            &segment.flags
        },
        segment.seq,
        segment.ack,
        segment.window,
        segment.length
    );
    for update in &segment.updates {
        match update {
            Update::Old(old) => line.push_str(&format!(" UPDATE old={old}")),
            Update::Malformed(Some(length)) => {
                line.push_str(&format!(" UPDATE malformed length={length}"));
            }
            Update::Malformed(None) => line.push_str(" UPDATE malformed"),
        }
    }
    for option in &segment.secure {
        line.push_str(&format!(" {}", option.name));
        if let Some(epoch) = option.epoch {
            line.push_str(&format!(" epoch={epoch}"));
        }
    }
    if !segment.updates.is_empty() || !segment.secure.is_empty() {
        if segment.is_option_only() {
            line.push_str(" option-only");
        }
        line.push_str(&format!(" options={}", hex::encode(&segment.options)));
    }
    if segment.checksum == Checksum::Wrong {
        line.push_str(" WRONG CHECKSUM");
    }
    line
}

/// All of it as one JSON object; no value needs quoting beyond quotation marks.
pub fn json(segment: &Segment) -> String {
    let updates: Vec<String> = segment
        .updates
        .iter()
        .map(|one| format!("\"{one}\""))
        .collect();
    format!(
        "{{\"number\":{},\"time_us\":{},\"from\":\"{}\",\"sport\":{},\"to\":\"{}\",\"dport\":{},\
         \"flags\":\"{}\",\"seq\":{},\"ack\":{},\"window\":{},\"length\":{},\"option_only\":{},\
         \"options\":\"{}\",{}\"updates\":[{}],\"checksum\":\"{}\"}}",
        segment.number,
        segment.time,
        segment.from.ip(),
        segment.from.port(),
        segment.to.ip(),
        segment.to.port(),
        segment.flags,
        segment.seq,
        segment.ack,
        segment.window,
        segment.length,
        segment.is_option_only(),
        hex::encode(&segment.options),
        match segment.timestamps {
            Some((value, echo)) => format!("\"tsval\":{value},\"tsecr\":{echo},"),
            None => String::new(),
        },
        updates.join(","),
        match segment.checksum {
            Checksum::Right => "right",
            Checksum::Wrong => "wrong",
            Checksum::Unknown => "unknown",
        }
    )
}

/// Arguments with which `forge` makes the segment that would come next from the same sender.
pub fn forge(segment: &Segment) -> String {
    let mut words = format!(
        "--to {} --sport {} --dport {} --seq {} --ack {}",
        segment.to.ip(),
        segment.from.port(),
        segment.to.port(),
        segment.seq.wrapping_add(segment.space()),
        segment.ack
    );
    if let Some((value, echo)) = segment.timestamps {
        words.push_str(&format!(
            " --tsval {} --tsecr {echo}",
            value.wrapping_add(1)
        ));
    }
    words
}
