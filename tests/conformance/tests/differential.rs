//! This library beside three other codecs and a slow reading of the standard, on the same bytes.
//!
//! The reference says what is wrong with a packet, statement by statement; this library must refuse just those packets
//! with which something is wrong. Where another codec differs, its list has to say so: a fault that it does not see, or
//! a good packet that it takes otherwise, each with an example that shows that it is still needed.

#[path = "../../../crates/packet/tests/common/mod.rs"]
mod common;
#[path = "differential/oracles.rs"]
mod oracles;
#[path = "differential/reference.rs"]
mod reference;

use common::packets::{config, input, packet};
use common::{V311, encoded, extent, is_of_nobody};
use mqtt_p2p_packet::{DecodeError, Decoded, Protocol, decode};
use oracles::{ORACLES, Oracle, Verdict};
use proptest::prelude::*;
use reference::faults;

/// The first packet of `bytes` by this library: refused, or as it is written again.
fn ours(bytes: &[u8]) -> Result<Verdict, DecodeError> {
    Ok(match decode(bytes, &V311)? {
        // It is read to be refused by a server, and never written.
        Decoded::Packet { packet, .. } if is_of_nobody(&packet) => Verdict::Packet(minimal(bytes)),
        Decoded::Packet { packet, .. } => {
            Verdict::Packet(encoded(&packet).expect("what was read can be written"))
        }
        Decoded::Incomplete { .. } => Verdict::Incomplete,
    })
}

/// The packet with its remaining length in as few bytes as it takes.
fn minimal(bytes: &[u8]) -> Vec<u8> {
    common::framed(bytes[0], extent(bytes).expect("a whole packet").0)
}

/// Compares all on the packet at the start of `bytes`. `Err` is a difference that nothing explains.
fn compare(bytes: &[u8]) -> Result<Vec<&'static str>, String> {
    let shown = || format!("{:02x?}", &bytes[..bytes.len().min(64)]);
    let ours = ours(bytes);
    let whole = extent(bytes).filter(|(_, len)| *len <= bytes.len());
    let reserved = bytes.first().is_some_and(|first| matches!(first >> 4, 0 | 15));
    let Some((body, len)) = whole.filter(|_| !reserved) else {
        return incomplete(bytes, reserved).map_err(|difference| format!("{}: {difference}", shown()));
    };
    let packet = &bytes[..len];
    let faults = faults(bytes[0], body);
    match &ours {
        Ok(Verdict::Packet(_)) if faults.is_empty() => {}
        Err(_) if !faults.is_empty() => {}
        _ => return Err(format!("{}: the standard finds {faults:?}, we say {ours:?}", shown())),
    }
    let mut explained = Vec::new();
    for oracle in &ORACLES {
        let theirs = (oracle.read)(packet);
        let why = match (&theirs, &ours) {
            (theirs, Ok(ours)) if theirs == ours => continue,
            (Verdict::Refused, Err(_)) => continue,
            (_, Ok(_)) => oracle
                .differs
                .iter()
                .find(|entry| (entry.has)(bytes[0], body, &theirs))
                .map(|entry| entry.what),
            (Verdict::Panicked, Err(_)) => oracle
                .panics
                .iter()
                .find(|(fault, _)| faults.contains(fault))
                .map(|(fault, _)| fault.statement()),
            (_, Err(_)) => {
                let unseen = |fault| oracle.lenient.iter().any(|(lenient, _)| *lenient == fault);
                faults.iter().all(|fault| unseen(*fault)).then(|| faults[0].statement())
            }
        };
        match why {
            Some(why) => explained.push(why),
            None => {
                return Err(format!(
                    "{}: the standard finds {faults:?}, we say {ours:?}, {} says {theirs:?}",
                    shown(),
                    oracle.name
                ));
            }
        }
    }
    Ok(explained)
}

/// What can be said of a packet that is not whole, or of a type that there is not.
fn incomplete(bytes: &[u8], reserved: bool) -> Result<Vec<&'static str>, String> {
    let too_long = bytes.len() > 4 && bytes[1..5].iter().all(|byte| *byte >= 0x80);
    let ours = ours(bytes);
    let expected = match &ours {
        Err(DecodeError::ReservedType(_)) => reserved,
        Err(DecodeError::InvalidRemainingLength) => too_long && !reserved,
        Ok(Verdict::Incomplete) => !too_long && !reserved,
        _ => false,
    };
    if !expected {
        return Err(format!("we say {ours:?}"));
    }
    for Oracle { name, read, .. } in &ORACLES {
        let theirs = read(bytes);
        // A fault of the header may be told before the packet is whole, or after it.
        if !matches!(theirs, Verdict::Incomplete | Verdict::Refused) {
            return Err(format!("we say {ours:?}, {name} says {theirs:?}"));
        }
    }
    Ok(Vec::new())
}

#[test]
fn every_listed_difference_is_still_there() {
    for oracle in &ORACLES {
        for (fault, example) in oracle.lenient {
            let (body, len) = extent(example).expect("a whole packet");
            assert_eq!(len, example.len(), "{fault:?}");
            assert_eq!(faults(example[0], body), [*fault], "{}: {example:02x?}", oracle.name);
            let theirs = (oracle.read)(example);
            assert!(matches!(theirs, Verdict::Packet(_)), "{}: {fault:?}: {theirs:?}", oracle.name);
            assert!(compare(example).is_ok());
        }
        for (fault, example) in oracle.panics {
            let (body, _) = extent(example).expect("a whole packet");
            assert!(faults(example[0], body).contains(fault));
            assert_eq!((oracle.read)(example), Verdict::Panicked, "{}: {fault:?}", oracle.name);
        }
        for entry in oracle.differs {
            let (body, _) = extent(entry.example).expect("a whole packet");
            let theirs = (oracle.read)(entry.example);
            assert_ne!(Ok(&theirs), ours(entry.example).as_ref(), "{}: {}", oracle.name, entry.what);
            assert!(
                (entry.has)(entry.example[0], body, &theirs),
                "{}: {}: {theirs:?}",
                oracle.name,
                entry.what
            );
            assert!(!entry.because.is_empty());
            assert!(compare(entry.example).is_ok_and(|explained| explained.contains(&entry.what)));
        }
    }
}

#[test]
fn the_smallest_packet_of_every_type_is_the_same_to_all() {
    for (_, bytes) in common::SMALLEST {
        assert_eq!(compare(bytes), Ok(Vec::new()));
    }
}

#[test]
fn what_fuzzing_kept_is_the_same_to_all_or_the_difference_is_listed() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
    let mut count = 0;
    for name in ["decode", "chunked", "session"] {
        for file in std::fs::read_dir(format!("{corpus}/{name}")).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            // Each place may be the beginning of a packet.
            for start in 0..bytes.len().min(64) {
                compare(&bytes[start..]).unwrap();
                count += 1;
            }
        }
    }
    assert!(count > 1_000, "{count} inputs");
}

proptest! {
    #![proptest_config(config(
        2048,
        concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/differential.txt"),
    ))]

    #[test]
    fn any_packet_is_the_same_to_all_or_the_difference_is_listed(
        owned in prop_oneof![packet(Protocol::V311), packet(Protocol::V31)],
    ) {
        compare(&owned.encoded()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn any_bytes_are_the_same_to_all_or_the_difference_is_listed(
        bytes in prop_oneof![4 => input(Protocol::V311), 1 => input(Protocol::V31)],
    ) {
        compare(&bytes).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn any_piece_of_a_packet_is_the_same_to_all(owned in packet(Protocol::V311), cut: prop::sample::Index) {
        let bytes = owned.encoded();
        compare(&bytes[..cut.index(bytes.len())]).map_err(TestCaseError::fail)?;
    }
}
