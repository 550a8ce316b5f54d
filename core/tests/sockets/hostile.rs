//! A guest that means harm: any numbers for parameters, any bytes for what they point to.

use std::time::Duration;

use undergo::{CallOptions, ErrorKind};

use crate::common::{PLAIN, Random};
use crate::guest::{ACCES, FAULT, FUNCTIONS, Guest, INVAL, OK, RESULT, SPAN, STREAM, V4};

/// Nothing but the port of nobody: what is connected to by chance is refused.
const RULES: [&str; 2] = ["connect=127.0.0.1:1", "listen=127.0.0.1:0"];

#[test]
fn any_parameters_are_answered() {
    let mut random = Random::new(42);
    let ends_well = |guest: &Guest, name: &str, args: &[i64]| match guest.try_call(name, args) {
        Ok(said) => assert!((0..=76).contains(&said), "{name}({args:?}) = {said}"),
        // What wasmtime-wasi makes of numbers that mean nothing to it, where it is a file.
        Err(error) if error.kind() == ErrorKind::Trap && !name.starts_with("sock_") => {}
        // A wait that nothing ends.
        Err(error) => assert_eq!(error.kind(), ErrorKind::Timeout, "{name}({args:?}): {error:?}"),
    };
    for _ in 0..20 {
        let mut guest = Guest::new(&RULES);
        guest.put(0, &random.bytes(65536));
        let first = i64::from(guest.open_any());
        guest.call = CallOptions { timeout: Some(Duration::from_millis(20)), ..PLAIN };
        for _ in 0..300 {
            if guest.instance.dead().is_some() {
                break;
            }
            let (name, params) = FUNCTIONS[random.below(FUNCTIONS.len())];
            // Descriptors that there are, places within the memory and around its end, and small
            // numbers.
            let args: Vec<i64> = params
                .bytes()
                .map(|_| match random.below(7) {
                    0 | 1 => first + random.below(4) as i64,
                    2 => random.below(5) as i64,
                    3 => random.below(65536) as i64,
                    4 => 65536 - random.below(40) as i64,
                    5 => i64::from(random.next() as i32),
                    _ => [0, -1, i64::from(i32::MIN), i64::from(i32::MAX), 4, 128, 1 << 30][random.below(7)],
                })
                .map(|arg| i64::from(arg as i32))
                .collect();
            ends_well(&guest, name, &args);
        }
    }
}

#[test]
fn places_outside_of_the_memory_are_refused() {
    let guest = Guest::new(&RULES);
    let fd = guest.open(V4, STREAM);
    for outside in [65533, -4, i64::from(i32::MAX), i64::from(i32::MIN)] {
        let calls: [(&str, Vec<i64>); 9] = [
            ("sock_open", vec![V4, STREAM, outside]),
            ("sock_accept", vec![fd, 0, outside]),
            ("sock_bind", vec![fd, outside, 80]),
            ("sock_connect", vec![fd, outside, 80]),
            ("sock_getlocaladdr", vec![fd, outside, RESULT.into()]),
            ("sock_recv", vec![fd, outside, 1, 0, RESULT.into(), RESULT.into()]),
            ("sock_send", vec![fd, outside, 1, 0, RESULT.into()]),
            ("fd_read", vec![fd, RESULT.into(), 0, outside]),
            ("fd_fdstat_get", vec![fd, outside]),
        ];
        for (name, args) in calls {
            assert_eq!(guest.call(name, &args), FAULT, "{name}({args:?})");
        }
    }
    // A list that is longer than any may be, and addresses that are.
    assert_eq!(guest.call("sock_send", &[fd, 0, 1025, 0, RESULT.into()]), INVAL);
    assert_eq!(guest.call("sock_send", &[fd, 0, -1, 0, RESULT.into()]), INVAL);
    for len in [0_u32, 3, 5, 127, 129, u32::MAX] {
        guest.put(SPAN, &[128_u32.to_le_bytes(), len.to_le_bytes()].concat());
        assert_eq!(guest.call("sock_connect", &[fd, SPAN.into(), 80]), INVAL, "{len}");
    }
    let [at, _] = guest.address(([127, 0, 0, 1], 1).into());
    assert_eq!(guest.call("sock_connect", &[fd, at, 65536]), INVAL, "no port");
    assert_eq!(guest.call("sock_connect", &[fd, at, 2]), ACCES, "the guest lives on");
}

impl Guest {
    /// A socket of each kind; gives the first one's number.
    fn open_any(&self) -> u32 {
        let numbers: Vec<_> = [(1, 2), (1, 1), (2, 2), (3, 2)]
            .iter()
            .filter(|(family, kind)| self.call("sock_open", &[*family, *kind, RESULT.into()]) == OK)
            .map(|_| self.word(RESULT))
            .collect();
        numbers[0]
    }
}
