//! Options of sockets.

use crate::guest::{BYTES, DATAGRAM, FAULT, Guest, INVAL, NOPROTOOPT, NOTSUP, OK, RESULT, RESULT_2, STREAM, V4};

/// Sets an option of level 0 to a number.
fn set(guest: &Guest, fd: i64, level: i64, name: i64, value: &[u8]) -> i64 {
    guest.put(BYTES, value);
    guest.call("sock_setsockopt", &[fd, level, name, BYTES.into(), value.len() as i64])
}

fn get(guest: &Guest, fd: i64, level: i64, name: i64) -> u32 {
    guest.ok("sock_getsockopt", &[fd, level, name, RESULT.into(), 4]);
    guest.word(RESULT)
}

#[test]
fn options_are_set_and_read() {
    let guest = Guest::new(&["any"]);
    let (stream, datagram) = (guest.open(V4, STREAM), guest.open(V4, DATAGRAM));
    assert_eq!((get(&guest, stream, 0, 1), get(&guest, datagram, 0, 1)), (2, 1), "the kind");
    for (fd, level, name) in [(stream, 0, 0), (stream, 0, 7), (datagram, 0, 4)] {
        assert_eq!(get(&guest, fd, level, name), 0);
        assert_eq!(set(&guest, fd, level, name, &1_u32.to_le_bytes()), OK);
        assert_eq!(get(&guest, fd, level, name), 1);
    }
    assert_eq!(get(&guest, stream, 6, 15), 1, "as Go has it everywhere");
    assert_eq!(set(&guest, stream, 6, 15, &0_u32.to_le_bytes()), OK);
    assert_eq!(get(&guest, stream, 6, 15), 0);
    assert_eq!(set(&guest, datagram, 6, 15, &0_u32.to_le_bytes()), NOPROTOOPT);
    for name in [5, 6] {
        assert_eq!(set(&guest, stream, 0, name, &16384_u32.to_le_bytes()), OK);
        assert_eq!(get(&guest, stream, 0, name), 16384);
        assert_eq!(set(&guest, stream, 0, name, &(-1_i32).to_le_bytes()), INVAL);
    }
    assert_eq!(get(&guest, stream, 0, 13), 0);
    guest.listen(stream);
    assert_eq!(get(&guest, stream, 0, 13), 1, "it listens");
    assert_eq!(set(&guest, stream, 0, 9, &[1, 0, 0, 0, 0, 0, 0, 0]), OK);
    assert_eq!(set(&guest, stream, 0, 9, &[1, 0, 0, 0, 9, 0, 0, 0]), NOTSUP, "nobody waits when it closes");
    // What leads past the rules, what can't be set, what there is not, what has another size.
    for (level, name) in [(0, 3), (0, 14), (0, 1), (0, 2), (0, 99), (6, 1), (41, 26)] {
        assert_eq!(set(&guest, stream, level, name, &1_u32.to_le_bytes()), NOPROTOOPT, "{level} {name}");
    }
    assert_eq!(set(&guest, stream, 0, 0, &[1]), INVAL);
}

#[test]
fn the_size_of_a_value_stands_there_or_is_told() {
    let guest = Guest::new(&["any"]);
    let fd = guest.open(V4, STREAM);
    guest.put(RESULT_2, &8_u32.to_le_bytes());
    guest.ok("sock_getsockopt", &[fd, 0, 1, RESULT.into(), RESULT_2.into()]);
    assert_eq!((guest.word(RESULT), guest.word(RESULT_2)), (2, 4));
    guest.put(RESULT_2, &2_u32.to_le_bytes());
    assert_eq!(guest.call("sock_getsockopt", &[fd, 0, 1, RESULT.into(), RESULT_2.into()]), INVAL);
    assert_eq!(guest.call("sock_getsockopt", &[fd, 0, 1, RESULT.into(), 0x7FFF_FFF0]), FAULT);
    assert_eq!(guest.call("sock_getsockopt", &[fd, 0, 1, 0x7FFF_FFF0, 4]), FAULT);
    // Times are as long as two numbers of 64 bits.
    guest.put(BYTES, &[1_u64.to_le_bytes(), 500_000_u64.to_le_bytes()].concat());
    guest.ok("sock_setsockopt", &[fd, 0, 11, BYTES.into(), 16]);
    guest.ok("sock_getsockopt", &[fd, 0, 11, RESULT.into(), 16]);
    assert_eq!(guest.bytes(RESULT, 16), [1_u64.to_le_bytes(), 500_000_u64.to_le_bytes()].concat());
}
