//! Attacks: what a client must not be able to cost, be it other clients, memory, or servers.

use std::thread;
use std::time::{Duration, Instant};

use proxy::Http2Counts;

use crate::support::frames::{
    CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Frames, HEADERS, PING,
    PRIORITY, frame, get_block, get_frame, post_frame, reset_frame, settings_frame, window_frame,
};
use crate::support::{Answering, Rig, Server, get, ok};

/// Requests of an attack that servers see at most.
const SEEN_MAX: usize = 1_500;
/// Memory that an attack costs at most, in bytes.
const MEMORY_MAX: usize = 64 << 20;
/// No client that behaves waits longer.
const DELAY_MAX: Duration = Duration::from_secs(2);

/// Attacks while another client is served, and looks at what the attack cost. Tells what was done
/// against it, and which errors the attacker was told.
fn check(attack: impl FnOnce(&mut Frames) + Send) -> (Http2Counts, Vec<u32>) {
    let server = Answering::start(|request| ok(request.path()));
    let rig = Rig::new(server.address);
    let mut other = rig.client();
    other.send(get("/other"));
    assert_eq!(other.answer().text(), "/other");
    let memory = resident();
    let mut attacker = Frames::connect(rig.address);
    // What comes back is read by somebody else, so that the attacker is never held up by it.
    let mut reader = Frames { peer: attacker.peer.clone_stream() };
    let reading = thread::spawn(move || reader.farewells());
    let attacked = thread::scope(|scope| {
        let attacking = scope.spawn(|| attack(&mut attacker));
        let mut served = 0;
        while served < 20 || !attacking.is_finished() {
            let started = Instant::now();
            other.send(get("/other"));
            assert_eq!(other.answer().text(), "/other");
            let taken = started.elapsed();
            assert!(taken < DELAY_MAX, "another client waited {taken:?}");
            served += 1;
        }
        attacking.join()
    });
    attacked.expect("the attack goes through");
    let grown = resident().saturating_sub(memory);
    assert!(grown < MEMORY_MAX, "the attack took {grown} bytes");
    attacker.peer.shut_down();
    let errors = reading.join().expect("the reader");
    let seen = server.log().iter().filter(|(_, request)| request.path() != "/other").count();
    assert!(seen <= SEEN_MAX, "the server saw {seen} requests of the attack");
    (rig.http2_counts(1), errors)
}

/// Sends the same again and again until the other side has had enough.
fn repeat(attacker: &mut Frames, bytes: &[u8], times: usize) {
    for _ in 0..times {
        if !attacker.peer.try_send(bytes) {
            return;
        }
    }
}

/// The process's memory, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the process's memory");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("resident memory");
    let kilobytes = line.split_whitespace().nth(1).expect("a number");
    kilobytes.parse::<usize>().expect("a number") * 1024
}

/// Stream identifiers that a client may use.
fn streams() -> impl Iterator<Item = u32> {
    (0..).map(|number| 2 * number + 1)
}

#[test]
fn rapid_reset_at_once() {
    let (counts, errors) = check(|attacker| {
        for stream in streams().take(20_000) {
            let mut pair = get_frame(stream, "/attack");
            pair.extend(reset_frame(stream, CANCEL));
            if !attacker.peer.try_send(pair) {
                return;
            }
        }
    });
    assert_eq!(counts.stream_floods + counts.protocol_errors, 1, "{counts:?}");
    assert!(errors.is_empty() || errors == [ENHANCE_YOUR_CALM], "{errors:?}");
}

#[test]
fn rapid_reset_in_step() {
    // A ping's answer shows that the stream was begun before it is reset.
    let server = Server::start();
    let rig = Rig::new(server.address);
    let mut attacker = Frames::connect(rig.address);
    let mut reset = 0;
    for stream in streams().take(5_000) {
        attacker.peer.try_send(get_frame(stream, "/attack"));
        attacker.peer.try_send(frame(PING, 0, 0, &[0; 8]));
        if attacker.until(PING).is_none() {
            break;
        }
        attacker.peer.try_send(reset_frame(stream, CANCEL));
        reset += 1;
    }
    assert!(reset <= SEEN_MAX, "{reset} streams were begun");
    let counts = rig.http2_counts(0);
    assert_eq!(counts.stream_floods, 1, "{counts:?}");
}

#[test]
fn made_you_reset() {
    // CVE-2025-8671: the client makes the server reset streams that it has begun to serve.
    let (counts, errors) = check(|attacker| {
        for stream in streams().take(20_000) {
            let mut pair = get_frame(stream, "/attack");
            pair.extend(window_frame(stream, 0));
            if !attacker.peer.try_send(pair) {
                return;
            }
        }
    });
    assert_eq!(counts.stream_floods + counts.protocol_errors, 1, "{counts:?}");
    assert!(errors.len() <= 1, "{errors:?}");
}

#[test]
fn made_you_reset_by_windows_that_overflow() {
    let (counts, _) = check(|attacker| {
        for stream in streams().take(20_000) {
            let mut pair = get_frame(stream, "/attack");
            pair.extend(window_frame(stream, 0x7fff_ffff));
            if !attacker.peer.try_send(pair) {
                return;
            }
        }
    });
    assert_eq!(counts.stream_floods + counts.protocol_errors, 1, "{counts:?}");
}

#[test]
fn malformed_requests_without_end() {
    let (counts, _) = check(|attacker| {
        for stream in streams().take(20_000) {
            let head = get_block("/attack", &[(b"x", b" padded")]);
            let head = frame(HEADERS, END_STREAM | END_HEADERS, stream, &head);
            if !attacker.peer.try_send(head) {
                return;
            }
        }
    });
    assert_eq!(counts.stream_floods + counts.protocol_errors, 1, "{counts:?}");
    assert!(counts.malformed_requests < 1_500, "{counts:?}");
}

#[test]
fn continuation_flood() {
    let (counts, _) = check(|attacker| {
        attacker.send(frame(HEADERS, END_STREAM, 1, &get_block("/attack", &[])));
        repeat(attacker, &frame(CONTINUATION, 0, 1, b""), 200_000);
    });
    assert_eq!(counts.protocol_errors, 1, "{counts:?}");
}

#[test]
fn continuation_flood_with_content() {
    let (counts, _) = check(|attacker| {
        attacker.send(frame(HEADERS, END_STREAM, 1, &get_block("/attack", &[])));
        let piece = crate::support::frames::block(&[(b"x-large", &[b'x'; 16_000])]);
        repeat(attacker, &frame(CONTINUATION, 0, 1, &piece), 20_000);
    });
    assert_eq!(counts.protocol_errors, 1, "{counts:?}");
}

/// Frames that carry nothing.
fn check_frames(frame: &[u8]) {
    let (counts, errors) = check(|attacker| {
        // Many at once, so that the attack is not slowed down by sending.
        repeat(attacker, &frame.repeat(1_000), 500);
    });
    assert_eq!(counts.frame_floods + counts.protocol_errors, 1, "{counts:?}");
    assert!(errors.is_empty() || errors == [ENHANCE_YOUR_CALM], "{errors:?}");
}

#[test]
fn settings_flood() {
    check_frames(&settings_frame(&[(0x4, 65_535)]));
}

#[test]
fn empty_settings_flood() {
    check_frames(&settings_frame(&[]));
}

#[test]
fn ping_flood() {
    check_frames(&frame(PING, 0, 0, &[7; 8]));
}

#[test]
fn priority_storm() {
    check_frames(&frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 7]));
}

#[test]
fn window_update_flood() {
    check_frames(&window_frame(0, 1));
}

#[test]
fn unknown_frame_flood() {
    check_frames(&frame(0xfa, 0, 0, b""));
}

#[test]
fn empty_data_flood() {
    let (counts, errors) = check(|attacker| {
        attacker.send(post_frame(1, "/attack", &[]));
        repeat(attacker, &frame(DATA, 0, 1, b"").repeat(1_000), 500);
    });
    assert_eq!(counts.frame_floods + counts.protocol_errors, 1, "{counts:?}");
    assert!(errors.is_empty() || errors == [ENHANCE_YOUR_CALM], "{errors:?}");
}

#[test]
fn control_frames_that_are_not_answered_for() {
    // The attacker reads no answer: what waits to be written must not grow.
    let server = Answering::with_paths();
    let rig = Rig::new(server.address);
    let memory = resident();
    let mut attacker = Frames::connect(rig.address);
    let ping = frame(PING, 0, 0, &[7; 8]).repeat(1_000);
    attacker.peer.repeat_until_blocked(&ping, 1);
    repeat(&mut attacker, &ping, 500);
    assert!(resident().saturating_sub(memory) < MEMORY_MAX);
    let mut other = rig.client_sending(get("/other"));
    assert_eq!(other.answer().text(), "/other");
}

/// A header block that puts one long value into the table and refers to it again and again.
fn bomb(references: usize) -> Vec<u8> {
    let mut head = get_block("/attack", &[]);
    // A literal with incremental indexing: the table has room for one of that size.
    head.extend([0x40, 1, b'x', 127]);
    let length = 4_000 - 127;
    head.extend([(length % 128) as u8 | 128, (length / 128) as u8]);
    head.extend([b'y'; 4_000]);
    // Entry 62 is the newest.
    head.extend(std::iter::repeat_n(0xbe, references));
    head
}

#[test]
fn hpack_bombs() {
    // Just within what a head may be: each unpacks to almost 1 MiB.
    let (counts, _) = check(|attacker| {
        for stream in streams().take(2_000) {
            let bytes = frame(HEADERS, END_STREAM | END_HEADERS, stream, &bomb(250));
            if !attacker.peer.try_send(bytes) {
                return;
            }
        }
    });
    assert!(counts.refused_streams > 0 || counts.stream_floods == 1, "{counts:?}");
}

#[test]
fn hpack_bombs_of_small_fields() {
    let (counts, _) = check(|attacker| {
        for stream in streams().take(2_000) {
            let mut head = get_block("/attack", &[]);
            head.extend([0x40, 1, b'x', 0]);
            head.extend(std::iter::repeat_n(0xbe, 12_000));
            let bytes = frame(HEADERS, END_STREAM | END_HEADERS, stream, &head);
            if !attacker.peer.try_send(bytes) {
                return;
            }
        }
    });
    assert_eq!(counts.stream_floods, 1, "{counts:?}");
}

#[test]
fn hpack_bombs_beyond_all_bounds() {
    let (counts, _) = check(|attacker| {
        let bytes = frame(HEADERS, END_STREAM | END_HEADERS, 1, &bomb(10_000));
        attacker.peer.try_send(bytes);
    });
    assert_eq!(counts.protocol_errors, 1, "{counts:?}");
}

#[test]
fn stalled_readers() {
    // Every stream asks for a large response and takes nothing of it, by its own window or by not
    // reading at all.
    const LENGTH: usize = 256 << 10;
    let body = ok(&"x".repeat(LENGTH));
    let server = Answering::start(move |request| match request.path() {
        "/other" => ok("other"),
        _ => body.clone(),
    });
    let rig = Rig::new(server.address);
    // The log of the server grows too, but not by much.
    let memory = resident();
    let mut windowed = Frames::connect_with(rig.address, &[(0x4, 0)]);
    for stream in streams().take(250) {
        windowed.send(get_frame(stream, "/attack"));
    }
    let mut silent = Frames::connect_with(rig.address, &[(0x4, 0x7fff_ffff)]);
    silent.send(window_frame(0, 0x7fff_0000));
    for stream in streams().take(250) {
        silent.send(get_frame(stream, "/attack"));
    }
    let mut other = rig.client();
    for _ in 0..100 {
        let started = Instant::now();
        other.send(get("/other"));
        assert_eq!(other.answer().text(), "other");
        assert!(started.elapsed() < DELAY_MAX);
    }
    // The server has its answers in memory once for each connection.
    let grown = resident().saturating_sub(memory).saturating_sub(500 * LENGTH);
    assert!(grown < MEMORY_MAX, "stalled readers took {grown} bytes");
    // More streams than that are refused.
    windowed.send(get_frame(999, "/attack"));
    assert_eq!(windowed.streamed(999).reset, Some(0x7));
    assert!(server.log().len() <= SEEN_MAX);
}
