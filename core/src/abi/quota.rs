//! What lifting one value may cost the host, in memory and in time.

use std::cell::Cell;
use std::sync::Arc;

use crate::config::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{RecordType, ResourceType, Scalar, Type, VariantType};

use super::handles::Handles;

/// Bytes that one value may take in the host, unless the limits say otherwise.
pub(crate) const DEFAULT_MAX_VALUE: u64 = 1 << 30;

/// Bytes between two checks of the deadline: some thousands of small objects, which the slowest
/// host makes within milliseconds.
const LOOK_EVERY: u64 = 128 << 10;

/// A part of a value that a host is about to make, for [`Lift::cost`](crate::host::Lift::cost). A
/// container counts the room for its items, and each item is counted separately as well.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'p> {
    /// An option without a value, or no result.
    None,
    /// An option with a value, without the value itself.
    Some,
    /// A bool.
    Bool,
    /// An integer or a float.
    Number,
    /// A duration.
    Duration,
    /// An instant.
    Time,
    /// The case of an enum, of that name.
    Case(&'p str),
    /// A string.
    Text(&'p str),
    /// That many scalars, as one run of bytes.
    Scalars(Scalar, usize),
    /// A list of that many items.
    List(usize),
    /// A tuple of that many items.
    Tuple(usize),
    /// A map of that many entries.
    Map(usize),
    /// A record.
    Record(&'p RecordType),
    /// The case of a variant with that number, without its value.
    Variant(&'p VariantType, u32),
    /// A handle of an object of the guest.
    Handle(&'p ResourceType),
}

/// How the bounds of a call are checked.
type Look = fn(&Budget) -> Result<()>;

/// What one value may still cost, and what it may have of its instance. A guest's lists may
/// overlap, and so denote far more than its memory holds; and few bytes of a guest may become large
/// objects of the host. Each piece is charged before it is made.
pub(crate) struct Quota<'p> {
    max: u64,
    left: Cell<u64>,
    /// The value of `left` at which the deadline is checked next.
    mark: Cell<u64>,
    /// Bytes of the guest's memory that have been read.
    read: Cell<u64>,
    /// The bounds of the call, and how they are checked.
    budget: Option<(&'p Budget, Look)>,
    /// For a value with handles: the instance's, and the value's type.
    handles: Option<(&'p Arc<Handles>, &'p Type)>,
}

impl<'p> Quota<'p> {
    pub(crate) fn new(max: u64) -> Quota<'p> {
        Quota {
            max,
            left: Cell::new(max),
            mark: Cell::new(max.saturating_sub(LOOK_EVERY)),
            read: Cell::new(0),
            budget: None,
            handles: None,
        }
    }

    /// The quota of a call on its caller's thread.
    #[inline]
    pub(crate) fn within(max: u64, budget: &'p Budget) -> Quota<'p> {
        Quota { budget: Some((budget, Budget::check)), ..Quota::new(max) }
    }

    /// The quota of a call that holds no thread.
    pub(crate) fn within_limits(max: u64, budget: &'p Budget) -> Quota<'p> {
        Quota { budget: Some((budget, Budget::check_limits)), ..Quota::new(max) }
    }

    /// The same for a value that may have handles, if that is its type.
    #[inline]
    pub(crate) fn with_handles(self, handles: &'p Arc<Handles>, ty: Option<&'p Type>) -> Quota<'p> {
        match ty {
            Some(ty) if ty.holds_handles() => Quota { handles: Some((handles, ty)), ..self },
            _ => self,
        }
    }

    /// Where the handles in the value come from, and its type.
    pub(crate) fn handles(&self) -> Option<(&'p Arc<Handles>, &'p Type)> {
        self.handles
    }

    /// Charges bytes of the host's memory, at least one: what takes no memory takes time.
    ///
    /// # Errors
    ///
    /// `out-of-memory` when not enough is left; `timeout` or `cancelled` when the call must end.
    #[inline]
    pub(crate) fn charge(&self, cost: u64) -> Result<()> {
        match self.left.get().checked_sub(cost.max(1)) {
            Some(left) if left >= self.mark.get() => {
                self.left.set(left);
                Ok(())
            }
            left => self.pause(left),
        }
    }

    #[cold]
    fn pause(&self, left: Option<u64>) -> Result<()> {
        let left = left.ok_or_else(|| too_large(self.max))?;
        self.left.set(left);
        self.mark.set(left.saturating_sub(LOOK_EVERY));
        self.look()
    }

    /// Checks whether the call must end: for what takes the host time, but no memory.
    ///
    /// # Errors
    ///
    /// `timeout` or `cancelled` when it must.
    pub(crate) fn look(&self) -> Result<()> {
        self.budget.map_or(Ok(()), |(budget, check)| check(budget))
    }

    /// Counts bytes of the guest's memory that are read.
    #[inline]
    pub(crate) fn note_read(&self, bytes: usize) {
        self.read.set(self.read.get().saturating_add(bytes as u64));
    }

    /// How many bytes of the guest's memory have been read.
    #[inline]
    pub(crate) fn read(&self) -> u64 {
        self.read.get()
    }
}

#[cold]
pub(crate) fn too_large(max: u64) -> Error {
    let text = format!("the guest gave a value that takes more than {max} bytes of the host's memory, the limit for one value");
    Error::new(ErrorKind::OutOfMemory, text)
}

/// The parts of a text of JSON, for hosts that make values of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonPieces {
    /// Arrays.
    pub arrays: usize,
    /// Objects.
    pub objects: usize,
    /// Members of objects.
    pub members: usize,
    /// Strings, including the names of members.
    pub texts: usize,
    /// Numbers, bools and nulls.
    pub words: usize,
}

impl JsonPieces {
    /// Counts them. The counts of a text that is not JSON mean nothing.
    #[must_use]
    pub fn of(text: &str) -> JsonPieces {
        let mut found = JsonPieces::default();
        let mut bytes = text.bytes();
        let mut in_word = false;
        while let Some(byte) = bytes.next() {
            let was_in_word = std::mem::replace(&mut in_word, false);
            match byte {
                b'[' => found.arrays += 1,
                b'{' => found.objects += 1,
                b':' => found.members += 1,
                b'"' => {
                    found.texts += 1;
                    while let Some(byte) = bytes.next() {
                        match byte {
                            b'"' => break,
                            b'\\' => drop(bytes.next()),
                            _ => {}
                        }
                    }
                }
                b']' | b'}' | b',' | b' ' | b'\n' | b'\r' | b'\t' => {}
                _ => {
                    found.words += usize::from(!was_in_word);
                    in_word = true;
                }
            }
        }
        found
    }

    /// Their cost for a host that makes values of them as of a guest's values. `text` is the whole
    /// text.
    #[must_use]
    pub fn cost(self, text: &str, cost: impl Fn(Piece<'_>) -> u64) -> u64 {
        let JsonPieces { arrays, objects, members, texts, words } = self;
        // Every value but the outermost takes room in an array or as a member.
        let places = arrays + objects + texts + words;
        // Hosts may share the empty string.
        let short = cost(Piece::Text("ab"));
        let containers = (arrays as u64).saturating_mul(cost(Piece::List(0))).saturating_add(cost(Piece::List(places)));
        // An object with one member may be much larger than one without.
        let objects = (objects as u64).saturating_mul(cost(Piece::Map(1))).saturating_add(cost(Piece::Map(members)));
        let texts = (texts as u64).saturating_mul(short).saturating_add(cost(Piece::Text(text)));
        let words = (words as u64).saturating_mul(cost(Piece::Number));
        containers.saturating_add(objects).saturating_add(texts).saturating_add(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_json_are_counted() {
        for (text, arrays, objects, members, texts, words) in [
            ("", 0, 0, 0, 0, 0),
            ("null", 0, 0, 0, 0, 1),
            ("[]", 1, 0, 0, 0, 0),
            ("[1,-2.5e3 , true]", 1, 0, 0, 0, 3),
            (r#"{"a": [{}, "[,:{\"]"], "b": 1}"#, 1, 2, 2, 3, 1),
            (r#"["\\", "\\\"", "]"#, 1, 0, 0, 3, 0),
            ("[[[[", 4, 0, 0, 0, 0),
        ] {
            assert_eq!(JsonPieces::of(text), JsonPieces { arrays, objects, members, texts, words }, "{text}");
        }
    }

    #[test]
    fn it_ends_where_it_is_spent() {
        let quota = Quota::new(3 * LOOK_EVERY);
        for _ in 0..3 {
            quota.charge(LOOK_EVERY).expect("so much is left");
        }
        let error = quota.charge(0).expect_err("each piece costs something");
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert!(Quota::new(10).charge(u64::MAX).is_err());
    }
}
