//! Addresses as guests write and read them. Nothing from a guest is trusted.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::wasi::errno;

/// The numbers of the address families.
pub(crate) const V4: u16 = 1;
pub(crate) const V6: u16 = 2;
pub(crate) const UNIX: u16 = 3;

/// Bytes of an address that begins with its family.
const WHOLE: usize = 128;

/// Bytes of the path of a Unix socket on most systems, with the terminating zero.
const PATH: usize = 108;

/// A socket's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Ip(SocketAddr),
    /// A path, which may be no text; empty for a socket without a name.
    Unix(Vec<u8>),
}

impl Address {
    /// Reads an address: 4 or 16 bytes are an IP address, 128 bytes begin with the family. The
    /// error is the guest's number for it.
    pub(crate) fn decode(bytes: &[u8], port: u32) -> Result<Address, i32> {
        let port = u16::try_from(port).map_err(|_| errno::INVAL)?;
        let (family, rest) = match bytes.len() {
            4 => (V4, bytes),
            16 => (V6, bytes),
            WHOLE => (u16::from_le_bytes([bytes[0], bytes[1]]), &bytes[2..]),
            _ => return Err(errno::INVAL),
        };
        match family {
            V4 => {
                let ip = rest.first_chunk::<4>().ok_or(errno::INVAL)?;
                Ok(Address::Ip(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(*ip)), port)))
            }
            V6 => {
                let ip = rest.first_chunk::<16>().ok_or(errno::INVAL)?;
                Ok(Address::Ip(SocketAddr::new(IpAddr::V6(Ipv6Addr::from(*ip)), port)))
            }
            UNIX => {
                let end = rest.iter().position(|byte| *byte == 0).ok_or(errno::NAMETOOLONG)?;
                // Nothing before the zero would be a name in Linux's abstract namespace, or one
                // that the system chooses: no rule can name these.
                match end {
                    0 => Err(errno::INVAL),
                    PATH.. => Err(errno::NAMETOOLONG),
                    _ => Ok(Address::Unix(rest[..end].to_vec())),
                }
            }
            _ => Err(errno::AFNOSUPPORT),
        }
    }

    /// Writes an address into a guest's buffer, which it fills, and returns the port; `None` is no
    /// address at all.
    pub(crate) fn encode(address: Option<&Address>, buffer: &mut [u8]) -> Result<u16, i32> {
        buffer.fill(0);
        let (family, port, room) = match (address, buffer.len()) {
            (_, WHOLE) => {
                let (family, room) = buffer.split_at_mut(2);
                (Some(family), address.map_or(0, Address::port), room)
            }
            (Some(address), 4 | 16) => (None, address.port(), buffer),
            (None, 4 | 16) => return Ok(0),
            _ => return Err(errno::INVAL),
        };
        let Some(address) = address else { return Ok(0) };
        let octets;
        let bytes = match address {
            Address::Ip(SocketAddr::V4(ip)) => &ip.ip().octets()[..],
            Address::Ip(SocketAddr::V6(ip)) => {
                octets = ip.ip().octets();
                &octets[..]
            }
            Address::Unix(path) if family.is_some() => path,
            Address::Unix(_) => return Err(errno::INVAL),
        };
        room.get_mut(..bytes.len()).ok_or(errno::INVAL)?.copy_from_slice(bytes);
        if let Some(family) = family {
            family.copy_from_slice(&address.family().to_le_bytes());
        }
        Ok(port)
    }

    pub(crate) fn family(&self) -> u16 {
        match self {
            Address::Ip(SocketAddr::V4(_)) => V4,
            Address::Ip(SocketAddr::V6(_)) => V6,
            Address::Unix(_) => UNIX,
        }
    }

    /// The family's number in version 1 of the extension.
    pub(crate) fn version(&self) -> u32 {
        if self.family() == V4 { 4 } else { 6 }
    }

    fn port(&self) -> u16 {
        match self {
            Address::Ip(ip) => ip.port(),
            Address::Unix(_) => 0,
        }
    }
}

/// In the form that rules use.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Ip(ip) => ip.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", String::from_utf8_lossy(path)),
        }
    }
}

/// Reads any bytes as an address, as guests give them, writes the result, and checks that this is
/// read as the same. Used by the tests and by core/fuzz.
///
/// # Panics
///
/// If that is not so.
#[cfg(any(test, fuzzing))]
#[allow(unreachable_pub, reason = "public for core/fuzz alone")]
pub fn read_and_write(bytes: &[u8], port: u32) {
    let Ok(address) = Address::decode(bytes, port) else { return };
    let mut buffer = [0xFF; WHOLE];
    let written = Address::encode(Some(&address), &mut buffer).map(|port| Address::decode(&buffer, port.into()));
    assert_eq!(written, Ok(Ok(address.clone())));
    for size in [0, 4, 16, bytes.len()] {
        // There may be room or not; nothing is written beyond it.
        let _ = Address::encode(Some(&address), &mut vec![0; size]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> Address {
        Address::Ip(text.parse().expect("an address"))
    }

    fn whole(family: u16, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; WHOLE];
        bytes[..2].copy_from_slice(&family.to_le_bytes());
        bytes[2..2 + rest.len()].copy_from_slice(rest);
        bytes
    }

    #[test]
    fn addresses_of_all_families_are_read() {
        assert_eq!(Address::decode(&[127, 0, 0, 1], 80), Ok(ip("127.0.0.1:80")));
        assert_eq!(Address::decode(&whole(V4, &[10, 1, 2, 3]), 5432), Ok(ip("10.1.2.3:5432")));
        assert_eq!(Address::decode(&Ipv6Addr::LOCALHOST.octets(), 443), Ok(ip("[::1]:443")));
        assert_eq!(Address::decode(&whole(V6, &Ipv6Addr::LOCALHOST.octets()), 443), Ok(ip("[::1]:443")));
        assert_eq!(Address::decode(&whole(UNIX, b"/run/a"), 0), Ok(Address::Unix(b"/run/a".to_vec())));
    }

    #[test]
    fn what_is_no_address_has_its_number() {
        assert_eq!(Address::decode(&[127, 0, 0, 1], 65536), Err(errno::INVAL));
        assert_eq!(Address::decode(&[], 0), Err(errno::INVAL));
        assert_eq!(Address::decode(&[0; 127], 0), Err(errno::INVAL));
        assert_eq!(Address::decode(&whole(0, &[]), 0), Err(errno::AFNOSUPPORT));
        assert_eq!(Address::decode(&whole(UNIX, b"\0abstract"), 0), Err(errno::INVAL));
        assert_eq!(Address::decode(&whole(UNIX, &[b'x'; 108]), 0), Err(errno::NAMETOOLONG));
        assert_eq!(Address::decode(&whole(UNIX, &[b'x'; 126]), 0), Err(errno::NAMETOOLONG));
        assert_eq!(Address::encode(Some(&ip("[::1]:1")), &mut [0; 4]), Err(errno::INVAL));
        assert_eq!(Address::encode(Some(&Address::Unix(vec![b'x'; 127])), &mut [0; WHOLE]), Err(errno::INVAL));
        assert_eq!(Address::encode(None, &mut [0; 17]), Err(errno::INVAL));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 16 } else { 1000 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_read_is_written_alike(bytes in proptest::collection::vec(any::<u8>(), 0..=160), family in 0_u16..5, port in 0_u32..70_000) {
            let mut sized = bytes;
            if sized.len() > 126 {
                sized.resize(WHOLE, 0);
                sized[..2].copy_from_slice(&family.to_le_bytes());
            }
            read_and_write(&sized, port);
        }
    }
}
