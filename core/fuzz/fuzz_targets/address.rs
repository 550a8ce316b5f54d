//! Arbitrary bytes as the address of a socket, and as a rule of a network: see
//! core/src/wasi/sockets/address.rs.
#![no_main]

use undergo::{ErrorKind, Network};

libfuzzer_sys::fuzz_target!(|data: (u32, &[u8])| {
    let (port, bytes) = data;
    undergo::host::fuzz_address(bytes, port);
    let mut whole = bytes.to_vec();
    whole.resize(128, 0);
    undergo::host::fuzz_address(&whole, port);
    if let Ok(rule) = std::str::from_utf8(bytes)
        && let Err(error) = Network::new([rule])
    {
        assert_eq!(error.kind(), ErrorKind::TypeMismatch, "{error:?}");
    }
});
