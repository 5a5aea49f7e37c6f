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
    let mut all = [0; 8];
    match text.split_once("::") {
        // One or more groups of zeros lie between them.
        Some((head, tail)) => {
            let (mut behind, before) = ([0; 8], groups(head, false, &mut all)?);
            let len = groups(tail, true, &mut behind)?;
            if before.saturating_add(len) > 7 {
                return None;
            }
            let places = all.iter_mut().rev();
            places.zip(behind.iter().take(len).rev()).for_each(|(place, group)| *place = *group);
        }
        None => {
            if groups(text, true, &mut all)? != 8 {
                return None;
            }
        }
    }
    Some(Ipv6Addr::from(all))
}

/// Reads groups with `:` between them, of which the last two may be an IPv4 address; says how many they are.
fn groups(text: &str, may_end_in_v4: bool, all: &mut [u16; 8]) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let (mut len, mut places) = (0_usize, all.iter_mut());
    let mut parts = text.split(':').peekable();
    while let Some(part) = parts.next() {
        if may_end_in_v4 && parts.peek().is_none() && part.contains('.') {
            let [a, b, c, d] = part.parse::<Ipv4Addr>().ok()?.octets();
            *places.next()? = u16::from_be_bytes([a, b]);
            *places.next()? = u16::from_be_bytes([c, d]);
            len = len.saturating_add(2);
        } else {
            // The library's own would take a sign.
            if part.len() > 4 || !part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            *places.next()? = u16::from_str_radix(part, 16).ok()?;
            len = len.saturating_add(1);
        }
    }
    Some(len)
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
