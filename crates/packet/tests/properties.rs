//! What holds for any packet, and for any bytes.

mod common;

use common::packets::{Owned, config, input, packet, protocol};
use common::{decoded, extent};
use mqtt_p2p_packet::{
    Ack, DecodeError, Decoded, EncodeError, Framed, Options, PacketType, Protocol, decode, frame,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn options(protocol: Protocol) -> Options {
    Options::new().protocol(protocol)
}

fn any_packet() -> impl Strategy<Value = (Options, Owned)> {
    protocol().prop_flat_map(|protocol| (Just(options(protocol)), packet(protocol)))
}

fn any_input() -> impl Strategy<Value = (Options, Vec<u8>)> {
    protocol().prop_flat_map(|protocol| (Just(options(protocol)), input(protocol)))
}

/// Packets of one connection, one after the other, and sometimes something else behind them.
fn any_stream() -> impl Strategy<Value = (Options, Vec<u8>)> {
    protocol().prop_flat_map(|protocol| {
        (vec(packet(protocol), 1..6), prop_oneof![Just(Vec::new()), input(protocol)]).prop_map(
            move |(packets, last)| {
                let mut stream: Vec<u8> = packets.iter().flat_map(Owned::encoded).collect();
                stream.extend(last);
                (options(protocol), stream)
            },
        )
    })
}

/// How a reader ends: waiting for so many bytes, or with an error.
type End = Result<usize, DecodeError>;

/// Takes every whole packet from the front of `buffer` and shows it as text.
fn take_packets(buffer: &mut Vec<u8>, options: &Options, packets: &mut Vec<String>) -> End {
    loop {
        match decode(buffer, options)? {
            Decoded::Packet { packet, len } => {
                packets.push(format!("{packet:?}"));
                buffer.drain(..len);
            }
            Decoded::Incomplete { needed } => return Ok(needed),
        }
    }
}

/// Reads a stream that comes in pieces, as a client does: what is not a whole packet waits for more.
fn read_in_pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>, options: &Options) -> (Vec<String>, End) {
    let (mut buffer, mut packets, mut end) = (Vec::new(), Vec::new(), Ok(2));
    for piece in pieces {
        buffer.extend_from_slice(piece);
        end = take_packets(&mut buffer, options, &mut packets);
        if end.is_err() {
            break;
        }
    }
    (packets, end)
}

/// Every short prefix, the longest one, and those that `cuts` choose.
fn prefixes<'a>(bytes: &'a [u8], cuts: &'a [Index]) -> impl Iterator<Item = &'a [u8]> {
    let chosen = cuts.iter().map(|cut| cut.index(bytes.len() + 1));
    (0..bytes.len().min(32)).chain([bytes.len().saturating_sub(1)]).chain(chosen).map(|len| &bytes[..len])
}

/// The acknowledgement of this type at the start of `input`, found in two steps.
fn split_in_two_steps(input: &[u8], packet_type: PacketType) -> Option<(Ack, &[u8])> {
    match frame(input, 4) {
        Ok(Framed::Complete(frame, rest))
            if frame.packet_type == packet_type && rest.len() + 4 == input.len() =>
        {
            Ack::decode(&frame, Protocol::V311).ok().map(|ack| (ack, rest))
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(config(
        512,
        concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/properties.txt"),
    ))]

    #[test]
    fn an_acknowledgement_is_split_off_in_one_step_as_in_two(
        header in select(&[[0x40, 2], [0x50, 2], [0x62, 2], [0x70, 2], [0xb0, 2], [0x42, 2], [0x40, 3], [0x40, 1]][..]),
        body in vec(select(&[0, 1, 7, 0xff][..]), 0..5),
    ) {
        let input = [&header[..], &body].concat();
        for packet_type in [
            PacketType::PubAck,
            PacketType::PubRec,
            PacketType::PubRel,
            PacketType::PubComp,
            PacketType::UnsubAck,
        ] {
            let split = Ack::split_first(&input, packet_type);
            prop_assert_eq!(split, split_in_two_steps(&input, packet_type));
        }
    }

    #[test]
    fn a_packet_that_is_written_is_read_as_it_was((options, owned) in any_packet()) {
        let bytes = owned.encoded();
        owned.with(|packet| {
            prop_assert_eq!(packet.encoded_len(), Ok(bytes.len()));
            prop_assert_eq!(decoded(&bytes, &options), packet);
            Ok(())
        })?;
    }

    #[test]
    fn what_is_read_is_written_with_the_same_bytes((options, bytes) in any_input()) {
        let Ok(Decoded::Packet { packet, len }) = decode(&bytes, &options) else { return Ok(()) };
        // A server reads it, to refuse it with return code 2 ([MQTT-3.1.3-8]); a client never writes it.
        if common::is_of_nobody(&packet) {
            prop_assert_eq!(packet.encoded_len(), Err(EncodeError::EmptyClientId));
            return Ok(());
        }
        let written = common::encoded(&packet).expect("what was read can be written");
        prop_assert_eq!(decoded(&written, &options), packet);
        // A remaining length of too many digits, DUP and the unused byte of MQTT 3.1 are not kept.
        prop_assert!(written.len() <= len);
        if options.protocol == Protocol::V311 && written.len() == len {
            prop_assert_eq!(&written[..], &bytes[..len]);
        }
    }

    #[test]
    fn a_buffer_that_is_too_small_is_left_alone((_, owned) in any_packet(), short: Index) {
        let size = owned.encoded().len();
        for len in [size - 1, short.index(size)] {
            let mut buffer = vec![0xa5; len];
            let refused = owned.with(|packet| packet.encode(&mut buffer));
            prop_assert_eq!(refused, Err(EncodeError::BufferTooSmall { needed: size }));
            prop_assert!(buffer.iter().all(|byte| *byte == 0xa5));
        }
    }

    #[test]
    fn bytes_behind_a_packet_do_not_change_it(
        (options, bytes) in any_input(),
        behind in vec(any::<u8>(), 1..32),
    ) {
        let Some((_, size)) = extent(&bytes).filter(|(_, size)| *size <= bytes.len()) else { return Ok(()) };
        let longer = [&bytes[..size], &behind].concat();
        prop_assert_eq!(decode(&longer, &options), decode(&bytes[..size], &options));
    }

    #[test]
    fn a_prefix_is_incomplete_or_already_wrong((options, bytes) in any_input(), cuts in vec(any::<Index>(), 8)) {
        let whole = decode(&bytes, &options);
        for prefix in prefixes(&bytes, &cuts) {
            match decode(prefix, &options) {
                Ok(Decoded::Incomplete { needed }) => match extent(prefix) {
                    Some((_, size)) => prop_assert_eq!(prefix.len() + needed, size),
                    None => prop_assert_eq!(needed, if prefix.is_empty() { 2 } else { 1 }),
                },
                // A shorter packet, with something behind it in the input.
                Ok(Decoded::Packet { len, .. }) => {
                    prop_assert!(len <= prefix.len());
                    prop_assert_eq!(decode(prefix, &options), whole);
                }
                error => prop_assert_eq!(error, whole),
            }
        }
    }

    #[test]
    fn a_stream_in_pieces_gives_what_it_gives_in_one(
        (options, stream) in any_stream(),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]);
        let in_one = read_in_pieces([&stream[..]].into_iter(), &options);
        prop_assert_eq!(read_in_pieces(pieces, &options), in_one);
    }

    #[test]
    fn reading_no_more_than_is_needed_never_reads_into_the_next_packet(
        options in protocol().prop_map(options),
        packets in vec(packet(Protocol::V31), 1..4),
    ) {
        let stream: Vec<_> = packets.iter().flat_map(Owned::encoded).collect();
        let mut rest = &stream[..];
        for packet in &packets {
            let (mut len, mut reads) = (0, 0);
            while let Ok(Decoded::Incomplete { needed }) = decode(&rest[..len], &options) {
                len += needed;
                reads += 1;
            }
            prop_assert_eq!(len, packet.encoded().len());
            prop_assert!(reads <= 5, "at most four digits, and the body");
            rest = &rest[len..];
        }
    }

    #[test]
    fn a_limit_refuses_just_the_packets_over_it((options, owned) in any_packet(), limit: Index) {
        let bytes = owned.encoded();
        let size = bytes.len() as u32;
        let header = bytes.len() - extent(&bytes).map_or(0, |(body, _)| body.len());
        for max in [0, size - 1, size, size + 1, limit.index(2 * bytes.len()) as u32] {
            let limited = options.max_packet_size(max);
            if size <= max {
                prop_assert_eq!(decode(&bytes, &limited), decode(&bytes, &options));
            } else {
                let refused = Err(DecodeError::TooLarge { size, max });
                prop_assert_eq!(decode(&bytes, &limited), refused);
                prop_assert_eq!(decode(&bytes[..header], &limited), refused);
                prop_assert!(decode(&bytes[..header - 1], &limited).is_ok(), "not before it is known");
            }
        }
    }
}
