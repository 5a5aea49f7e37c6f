//! IPv6 addresses in text (RFC 4291 §2.2). The core library reads them, too, with a panic in reach.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address that a host's name is the text of, if it is one.
pub(crate) fn address(host: &str) -> Option<IpAddr> {
    match host.parse::<Ipv4Addr>() {
        Ok(address) => Some(IpAddr::V4(address)),
        Err(_) => v6(host).map(IpAddr::V6),
    }
}

fn v6(text: &str) -> Option<Ipv6Addr> {
    let (mut groups, mut len) = ([0_u16; 8], 0_usize);
    // How many groups lie before the one or more of zeros that `::` stands for.
    let mut gap = None;
    let mut rest = text;
    if let Some(behind) = rest.strip_prefix("::") {
        (gap, rest) = (Some(0), behind);
    }
    while !(rest.is_empty() && gap == Some(len)) {
        let end = rest.bytes().position(|byte| byte == b':').unwrap_or(rest.len());
        let (part, behind) = (rest.get(..end)?, rest.get(end..)?);
        if behind.is_empty() && part.bytes().any(|byte| byte == b'.') {
            let [a, b, c, d] = part.parse::<Ipv4Addr>().ok()?.octets();
            *groups.get_mut(len)? = u16::from_be_bytes([a, b]);
            *groups.get_mut(len.saturating_add(1))? = u16::from_be_bytes([c, d]);
            len = len.saturating_add(2);
        } else {
            *groups.get_mut(len)? = group(part)?;
            len = len.saturating_add(1);
        }
        if behind.is_empty() {
            break;
        }
        rest = behind.get(1..)?;
        if let Some(behind) = rest.strip_prefix(':') {
            if gap.replace(len).is_some() {
                return None;
            }
            rest = behind;
        }
    }
    let Some(at) = gap else { return (len == 8).then_some(Ipv6Addr::from(groups)) };
    if len == 8 {
        return None;
    }
    let mut spread = [0; 8];
    spread.iter_mut().zip(groups.get(..at)?).for_each(|(place, group)| *place = *group);
    let tail = groups.get(at..len)?.iter().rev();
    spread.iter_mut().rev().zip(tail).for_each(|(place, group)| *place = *group);
    Some(Ipv6Addr::from(spread))
}

fn group(text: &str) -> Option<u16> {
    // The library's own would take a sign.
    if text.len() > 4 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_the_core_library_reads_it_and_a_name_is_none() {
        for text in [
            "127.0.0.1",
            "::",
            "::1",
            "1::",
            "fe80::1:2",
            "2001:db8:0:0:1:0:0:1",
            "2001:DB8::0042",
            "::ffff:192.0.2.1",
            "1:2:3:4:5:6:192.0.2.1",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1::8",
            "",
            ":",
            ":::",
            "1:",
            ":1",
            "1::2::3",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4::5:6:7:8",
            "1:2:3:4:5:6:7:192.0.2.1",
            "12345::",
            "+1::",
            "g::",
            "192.0.2.1::",
            "::1.2.3",
            "::192.0.2.1:1",
            "fe80::1%eth0",
            "[::1]",
            "broker.example",
            "beef",
            "1::+2",
            "::1:",
        ] {
            assert_eq!(address(text), text.parse().ok(), "{text}");
        }
    }
}
