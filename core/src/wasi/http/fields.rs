//! Headers and trailers, as guests have them.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::wasi::http::bindings::types::HeaderError;

/// Bytes of all names and values, and how many of them there may be: as much as is read from peers.
const MOST_BYTES: usize = 64 << 10;
pub(crate) const MOST_FIELDS: usize = 128;

/// What is between two neighbours, and not for guests: the host's end of a connection says it. The
/// same as Wasmtime's own.
const FORBIDDEN: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
    HeaderName::from_static("http2-settings"),
];

/// Headers or trailers. Cheap to clone.
#[derive(Clone, Debug, Default)]
#[allow(unreachable_pub, reason = "bindings.rs exports it")]
pub struct Fields {
    map: Arc<HeaderMap>,
    /// Whether they belong to a message, and can't be changed.
    is_fixed: bool,
}

/// Why a field can't be added.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The guest is told.
    Told(Reason),
    /// There are too many, for which WASI has no error.
    TooMany,
}

/// [`HeaderError`], which can't be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    InvalidSyntax,
    Forbidden,
    Immutable,
}

impl From<Reason> for HeaderError {
    fn from(reason: Reason) -> HeaderError {
        match reason {
            Reason::InvalidSyntax => HeaderError::InvalidSyntax,
            Reason::Forbidden => HeaderError::Forbidden,
            Reason::Immutable => HeaderError::Immutable,
        }
    }
}

impl Fields {
    /// Those of a message from outside.
    pub(crate) fn received(mut map: HeaderMap) -> Fields {
        // What the peer calls its neighbour's own is not for the guest either.
        let named: Vec<HeaderName> = map.get_all(header::CONNECTION).iter().flat_map(tokens).filter_map(|name| name.parse().ok()).collect();
        for name in named.iter().chain(&FORBIDDEN) {
            map.remove(name);
        }
        Fields { map: Arc::new(map), is_fixed: true }
    }

    /// The same fields, which can be changed.
    pub(crate) fn copied(&self) -> Fields {
        Fields { map: self.map.clone(), is_fixed: false }
    }

    /// The same fields, which can't be changed.
    pub(crate) fn fixed(mut self) -> Fields {
        self.is_fixed = true;
        self
    }

    pub(crate) fn map(&self) -> &HeaderMap {
        &self.map
    }

    pub(crate) fn into_map(self) -> HeaderMap {
        Arc::unwrap_or_clone(self.map)
    }

    /// The values of a name; none for what is no name.
    pub(crate) fn get(&self, name: &str) -> Vec<Vec<u8>> {
        let Ok(name) = name.parse::<HeaderName>() else { return Vec::new() };
        self.map.get_all(name).iter().map(|value| value.as_bytes().to_vec()).collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        name.parse::<HeaderName>().is_ok_and(|name| self.map.contains_key(name))
    }

    pub(crate) fn append(&mut self, name: &str, value: Vec<u8>) -> Result<(), Refused> {
        let name = self.changeable(name)?;
        let value = parse(&name, value)?;
        if name == header::CONTENT_LENGTH && self.map.contains_key(&name) {
            // Two would be understood differently by different parties.
            return Err(Refused::Told(Reason::InvalidSyntax));
        }
        self.check_room(1, name.as_str().len() + value.len())?;
        Arc::make_mut(&mut self.map).try_append(name, value).map_err(|_| Refused::TooMany)?;
        Ok(())
    }

    /// Replaces the values of a name.
    pub(crate) fn set(&mut self, name: &str, values: Vec<Vec<u8>>) -> Result<(), Refused> {
        let parsed = self.changeable(name)?;
        for value in &values {
            parse(&parsed, value.clone())?;
        }
        let mut changed = self.clone();
        Arc::make_mut(&mut changed.map).remove(parsed);
        for value in values {
            changed.append(name, value)?;
        }
        *self = changed;
        Ok(())
    }

    pub(crate) fn delete(&mut self, name: &str) -> Result<(), Refused> {
        let name = self.changeable(name)?;
        Arc::make_mut(&mut self.map).remove(name);
        Ok(())
    }

    pub(crate) fn entries(&self) -> Vec<(String, Vec<u8>)> {
        self.map.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
    }

    /// The length that they say the body has.
    pub(crate) fn content_length(&self) -> Option<u64> {
        // It was checked when it was added.
        self.map.get(header::CONTENT_LENGTH).and_then(|value| digits(value.as_bytes()))
    }

    fn changeable(&self, name: &str) -> Result<HeaderName, Refused> {
        let name: HeaderName = name.parse().map_err(|_| Refused::Told(Reason::InvalidSyntax))?;
        if FORBIDDEN.contains(&name) {
            return Err(Refused::Told(Reason::Forbidden));
        }
        if self.is_fixed { Err(Refused::Told(Reason::Immutable)) } else { Ok(name) }
    }

    fn check_room(&self, fields: usize, bytes: usize) -> Result<(), Refused> {
        let taken: usize = self.map.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if self.map.len() + fields > MOST_FIELDS || taken + bytes > MOST_BYTES { Err(Refused::TooMany) } else { Ok(()) }
    }
}

fn parse(name: &HeaderName, value: Vec<u8>) -> Result<HeaderValue, Refused> {
    let invalid = || Refused::Told(Reason::InvalidSyntax);
    if *name == header::CONTENT_LENGTH && digits(&value).is_none() {
        return Err(invalid());
    }
    HeaderValue::from_maybe_shared(bytes::Bytes::from(value)).map_err(|_| invalid())
}

/// A number as RFC 9110 has it in Content-Length: digits and nothing else.
pub(crate) fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The words of a list with commas.
pub(crate) fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_field_is_added() {
        let mut fields = Fields::default();
        assert_eq!(fields.append("X-One", b"1".to_vec()), Ok(()));
        assert_eq!(fields.append("x-one", b"2".to_vec()), Ok(()));
        assert_eq!(fields.get("X-ONE"), [b"1", b"2"]);
        for (name, value) in [("x y", "1"), ("", "1"), ("x\r\n", "1"), ("x", "1\r\ny: 2"), ("x", "\0"), ("content-length", "+5")] {
            assert_eq!(fields.append(name, value.into()), Err(Refused::Told(Reason::InvalidSyntax)), "{name}: {value}");
        }
        for name in ["Host", "Transfer-Encoding", "connection", "upgrade"] {
            assert_eq!(fields.append(name, b"x".to_vec()), Err(Refused::Told(Reason::Forbidden)), "{name}");
        }
        assert_eq!(fields.append("Content-Length", b"5".to_vec()), Ok(()));
        assert_eq!(fields.append("Content-Length", b"6".to_vec()), Err(Refused::Told(Reason::InvalidSyntax)));
        assert_eq!((fields.set("content-length", vec![b"7".to_vec()]), fields.content_length()), (Ok(()), Some(7)));
        assert!(fields.set("x-one", vec![b"3".to_vec(), b"\n".to_vec()]).is_err());
        assert_eq!(fields.get("x-one").len(), 2, "all or nothing");
        let mut fixed = fields.clone().fixed();
        assert_eq!(fixed.append("x", Vec::new()), Err(Refused::Told(Reason::Immutable)));
        assert_eq!(fixed.copied().append("x", Vec::new()), Ok(()));
    }

    #[test]
    fn fields_have_bounds() {
        let mut fields = Fields::default();
        let added = (0..1000).take_while(|n| fields.append(&format!("x-{n}"), Vec::new()).is_ok()).count();
        assert_eq!(added, MOST_FIELDS);
        assert_eq!(Fields::default().append("x", vec![b'x'; MOST_BYTES]), Err(Refused::TooMany));
    }

    #[test]
    fn what_concerns_the_connection_is_not_the_guest_s() {
        let mut map = HeaderMap::new();
        for (name, value) in [("connection", "close, X-Hop"), ("x-hop", "1"), ("x-own", "1"), ("transfer-encoding", "chunked")] {
            map.append(name, HeaderValue::from_static(value));
        }
        let names: Vec<String> = Fields::received(map).entries().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["x-own"]);
    }
}
