//! Values as Ruby gives and gets them: in one run of bytes, which Ruby packs and unpacks, so that
//! no object stands for each of them. All numbers are little-endian. `lib/undergo/wire.rb` is the
//! other side.
//!
//! | tag | what follows |
//! | --- | --- |
//! | `n` `t` `f` | nothing: nil, true, false |
//! | `i` `u` | an integer of 64 bits, signed or not |
//! | `I` | a length, and the digits of one that has no room there (to a plugin only) |
//! | `d` | a float of 64 bits |
//! | `s` `b` `y` | a length, and a string: text, bytes, a symbol |
//! | `l` `m` | a count, and the items, or the keys and values |
//! | `r` | the fields of a record by name, as `m` (to a plugin); the number of its type, and the values in order (from a plugin) |
//! | `p` | Ruby's letter for the numbers, a count and their bytes (from a plugin only) |
//! | `j` | a length, and JSON (from a plugin only) |
//! | `D` | nanoseconds, 64 bits |
//! | `T` | seconds, 64 bits, nanoseconds and the offset, 32 bits each |
//! | `o` | a length, and the name of the class of an object that can't cross (to a plugin only) |
//!
//! Lengths, counts and numbers of types have 32 bits.

use std::borrow::Cow;
use std::cell::RefCell;

use undergo::{Blob, EnumType, Error, ErrorKind, Lift, Lower, Piece, RecordType, Reject, Result, Scalar, Time, Type, TypeKind, names};

use crate::json::{self, Misfit, Writer};

/// A value from Ruby. It borrows its text from the bytes.
pub(crate) enum Node<'w> {
    Nil,
    Bool(bool),
    Int(i128),
    /// An integer that no type has room for.
    Huge(&'w str),
    Float(f64),
    Text(&'w str),
    Bytes(&'w [u8]),
    Symbol(&'w str),
    List(Vec<Node<'w>>),
    Map(Vec<(Node<'w>, Node<'w>)>),
    /// An object with fields: a Struct.
    Record(Vec<(Node<'w>, Node<'w>)>),
    Duration(i64),
    Time(Time),
    /// What can't cross, by its class.
    Object(&'w str),
}

/// Deeper values are refused: they are told from cyclic ones by nothing else.
const DEPTH: u32 = 500;

struct Reader<'w> {
    rest: &'w [u8],
    depth: u32,
}

/// Reads a list of values.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Node<'_>>> {
    let mut reader = Reader { rest: bytes, depth: 0 };
    let mut nodes = Vec::new();
    while !reader.rest.is_empty() {
        nodes.push(reader.node()?);
    }
    Ok(nodes)
}

fn damaged() -> Error {
    Error::new(ErrorKind::TypeMismatch, "the binding packed a value that can't be read, which is a mistake in it")
}

impl<'w> Reader<'w> {
    fn take(&mut self, len: usize) -> Result<&'w [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(damaged)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn len(&mut self) -> Result<usize> {
        Ok(u32::from_le_bytes(self.fixed()?) as usize)
    }

    fn run(&mut self) -> Result<&'w [u8]> {
        let len = self.len()?;
        self.take(len)
    }

    fn text(&mut self) -> Result<&'w str> {
        str::from_utf8(self.run()?).map_err(|_| damaged())
    }

    fn pairs(&mut self) -> Result<Vec<(Node<'w>, Node<'w>)>> {
        (0..self.len()?).map(|_| Ok((self.node()?, self.node()?))).collect()
    }

    fn node(&mut self) -> Result<Node<'w>> {
        if self.depth == DEPTH {
            let text = format!("a value is nested more than {DEPTH} deep, or contains itself");
            return Err(Error::new(ErrorKind::TypeMismatch, text));
        }
        self.depth += 1;
        let [tag] = self.fixed()?;
        let node = match tag {
            b'n' => Node::Nil,
            b't' => Node::Bool(true),
            b'f' => Node::Bool(false),
            b'i' => Node::Int(i64::from_le_bytes(self.fixed()?).into()),
            b'u' => Node::Int(u64::from_le_bytes(self.fixed()?).into()),
            b'I' => Node::Huge(self.text()?),
            b'd' => Node::Float(f64::from_le_bytes(self.fixed()?)),
            b's' => Node::Text(self.text()?),
            b'b' => Node::Bytes(self.run()?),
            b'y' => Node::Symbol(self.text()?),
            b'l' => Node::List((0..self.len()?).map(|_| self.node()).collect::<Result<_>>()?),
            b'm' => Node::Map(self.pairs()?),
            b'r' => Node::Record(self.pairs()?),
            b'D' => Node::Duration(i64::from_le_bytes(self.fixed()?)),
            b'T' => Node::Time(Time {
                seconds: i64::from_le_bytes(self.fixed()?),
                nanoseconds: u32::from_le_bytes(self.fixed()?),
                offset: i32::from_le_bytes(self.fixed()?),
            }),
            b'o' => Node::Object(self.text()?),
            _ => return Err(damaged()),
        };
        self.depth -= 1;
        Ok(node)
    }
}

/// A value on its way to a plugin.
#[derive(Clone, Copy)]
pub(crate) struct Given<'v, 'w>(pub(crate) &'v Node<'w>);

impl<'v, 'w> Given<'v, 'w> {
    fn name(&self) -> Result<&'v str, Reject> {
        match self.0 {
            Node::Text(text) | Node::Symbol(text) => Ok(text),
            _ => Err(Reject::Type),
        }
    }
}

const SECOND: f64 = 1e9;

impl<'a> Lower<'a> for Given<'_, '_> {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self.0 {
            Node::Nil => "nil",
            Node::Bool(true) => "true",
            Node::Bool(false) => "false",
            Node::Int(_) | Node::Huge(_) => "Integer",
            Node::Float(_) => "Float",
            Node::Text(_) => "String",
            Node::Bytes(_) => "String of bytes",
            Node::Symbol(_) => "Symbol",
            Node::List(_) => "Array",
            Node::Map(_) => "Hash",
            Node::Record(_) => "Struct",
            Node::Duration(_) => "Rational",
            Node::Time(_) => "Time",
            Node::Object(class) => return Cow::Owned((*class).to_owned()),
        })
    }

    fn as_bool(&self) -> Result<bool, Reject> {
        if let Node::Bool(value) = self.0 { Ok(*value) } else { Err(Reject::Type) }
    }

    fn as_s64(&self) -> Result<i64, Reject> {
        match self.0 {
            Node::Int(n) => i64::try_from(*n).map_err(|_| Reject::Value(format!("{n} is out of range for s64"))),
            Node::Huge(digits) => Err(Reject::Value(format!("{digits} is out of range for s64"))),
            _ => Err(Reject::Type),
        }
    }

    fn as_u64(&self) -> Result<u64, Reject> {
        let beyond = |n: &dyn std::fmt::Display| Reject::Value(format!("{n} is out of range for u64 (0 to {})", u64::MAX));
        match self.0 {
            Node::Int(n) => u64::try_from(*n).map_err(|_| beyond(n)),
            Node::Huge(digits) => Err(beyond(digits)),
            _ => Err(Reject::Type),
        }
    }

    fn as_f64(&self) -> Result<f64, Reject> {
        match self.0 {
            Node::Float(value) => Ok(*value),
            Node::Int(value) => Ok(*value as f64),
            Node::Duration(nanoseconds) => Ok(*nanoseconds as f64 / SECOND),
            _ => Err(Reject::Type),
        }
    }

    fn as_str(&self) -> Result<Cow<'_, str>, Reject> {
        match self.0 {
            Node::Text(text) | Node::Symbol(text) => Ok(Cow::Borrowed(text)),
            // Ruby's bytes are often text that came over a socket.
            Node::Bytes(bytes) => {
                let text = str::from_utf8(bytes);
                text.map(Cow::Borrowed).map_err(|error| Reject::Value(format!("the string is not valid UTF-8: {error}")))
            }
            _ => Err(Reject::Type),
        }
    }

    fn as_scalars(&self, scalar: Scalar) -> Result<Option<Blob<'a>>, Reject> {
        match self.0 {
            Node::Bytes(bytes) if scalar == Scalar::U8 => Ok(Some(Blob::Guarded(Box::new((*bytes).to_owned())))),
            Node::Text(_) if scalar == Scalar::U8 => Err(Reject::Value("expected bytes, got text: give text.b for its bytes".to_owned())),
            _ => Ok(None),
        }
    }

    fn as_list(&self) -> Result<impl ExactSizeIterator<Item = Result<Self, Reject>>, Reject> {
        if let Node::List(items) = self.0 { Ok(items.iter().map(|item| Ok(Given(item)))) } else { Err(Reject::Type) }
    }

    fn as_map(&self) -> Result<impl ExactSizeIterator<Item = Result<(Self, Self), Reject>>, Reject> {
        let Node::Map(pairs) = self.0 else { return Err(Reject::Type) };
        Ok(pairs.iter().map(|(key, value)| Ok((Given(key), Given(value)))))
    }

    fn as_record(&self, record: &RecordType) -> Result<Vec<Option<Self>>, Reject> {
        let (Node::Map(pairs) | Node::Record(pairs)) = self.0 else { return Err(Reject::Type) };
        let mut values: Vec<Option<Self>> = record.fields.iter().map(|_| None).collect();
        for (key, value) in pairs {
            let name = Given(key).name().map_err(|_| Reject::Value(format!("the keys of {} must be symbols or strings", record.name)))?;
            let number = record.fields.iter().position(|field| is_named(&field.name, name));
            let number = number.ok_or_else(|| Reject::Value(record.unknown_field(name, names::snake)))?;
            values[number] = Some(Given(value));
        }
        Ok(values)
    }

    fn is_none(&self) -> bool {
        matches!(self.0, Node::Nil)
    }

    fn as_enum(&self, cases: &EnumType) -> Result<u32, Reject> {
        let name = self.name()?;
        let found = cases.cases.iter().position(|(case, _)| is_named(case, name));
        found.and_then(|number| u32::try_from(number).ok()).ok_or_else(|| Reject::Value(cases.unknown_case(name)))
    }

    fn as_json(&self) -> Result<Cow<'_, str>, Reject> {
        Writer::text(|writer| to_json(self.0, writer)).map(Cow::Owned)
    }

    fn as_duration(&self) -> Result<i64, Reject> {
        match self.0 {
            Node::Duration(nanoseconds) => Ok(*nanoseconds),
            Node::Int(seconds) => seconds
                .checked_mul(1_000_000_000)
                .and_then(|nanoseconds| i64::try_from(nanoseconds).ok())
                .ok_or_else(|| Reject::Value(format!("{seconds} seconds are more than a duration can have"))),
            Node::Float(seconds) => {
                let nanoseconds = (seconds * SECOND).round();
                // The bounds are floats themselves.
                let fits = nanoseconds >= i64::MIN as f64 && nanoseconds < i64::MAX as f64;
                if fits { Ok(nanoseconds as i64) } else { Err(Reject::Value(format!("{seconds} seconds can't be a duration"))) }
            }
            _ => Err(Reject::Type),
        }
    }

    fn as_time(&self) -> Result<Time, Reject> {
        if let Node::Time(time) = self.0 { Ok(*time) } else { Err(Reject::Type) }
    }
}

/// Whether that is the name in WIT, or as Ruby writes it.
fn is_named(wit: &str, name: &str) -> bool {
    wit == name || (wit.len() == name.len() && wit.bytes().zip(name.bytes()).all(|(a, b)| a == b || (a == b'-' && b == b'_')))
}

/// Writes the value as JSON.
fn to_json(node: &Node<'_>, writer: &mut Writer) -> Result<(), Misfit> {
    match node {
        Node::Nil => writer.raw("null"),
        Node::Bool(value) => writer.raw(if *value { "true" } else { "false" }),
        Node::Int(value) => writer.raw(&value.to_string()),
        Node::Huge(digits) => writer.raw(digits),
        Node::Float(value) => writer.float(*value),
        Node::Text(text) | Node::Symbol(text) => writer.string(text),
        Node::Bytes(bytes) => writer.string(str::from_utf8(bytes).map_err(|_| Misfit::new("JSON has no bytes: give text"))?),
        Node::List(items) => writer.list(items, |writer, item| to_json(item, writer)),
        Node::Map(pairs) | Node::Record(pairs) => {
            let members = pairs.iter().map(|(key, value)| match key {
                Node::Text(name) | Node::Symbol(name) => (Some(*name), value),
                _ => (None, value),
            });
            writer.object(members, |writer, value| to_json(value, writer))
        }
        Node::Duration(_) => Err(Misfit::new("JSON has no Rational: give a Float")),
        Node::Time(_) => Err(Misfit::new("JSON has no Time: give a String")),
        Node::Object(class) => Err(Misfit::new(format!("JSON has no {class}"))),
    }
}

/// Lifts what a plugin gives, into bytes. Its records are known by their place among the types of
/// the plugin's interface.
pub(crate) struct Packing {
    bytes: RefCell<Vec<u8>>,
    plugin: undergo::Plugin,
}

impl Packing {
    pub(crate) fn new(plugin: undergo::Plugin) -> Packing {
        Packing { bytes: RefCell::default(), plugin }
    }

    /// What was lifted, one value behind the other.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes.into_inner()
    }

    fn put<const N: usize>(&self, tag: u8, fixed: [u8; N]) {
        let mut bytes = self.bytes.borrow_mut();
        bytes.push(tag);
        bytes.extend_from_slice(&fixed);
    }

    fn run(&self, tag: u8, run: &[u8]) -> Result<()> {
        self.put(tag, count(run.len())?);
        self.bytes.borrow_mut().extend_from_slice(run);
        Ok(())
    }
}

fn count(len: usize) -> Result<[u8; 4]> {
    let short = u32::try_from(len).map(u32::to_le_bytes);
    short.map_err(|_| Error::new(ErrorKind::TypeMismatch, format!("a value of {len} bytes or items is too long for Ruby")))
}

impl Lift for Packing {
    type Value = ();

    // Packed, copied to a String, and unpacked: an object of Ruby has 40 bytes, and a place of 8 in
    // what holds it.
    fn cost(&self, piece: Piece<'_>) -> u64 {
        match piece {
            Piece::None | Piece::Some | Piece::Bool => 4,
            // Most need no object, and none needs more than one.
            Piece::Number => 48,
            Piece::Duration => 128,
            Piece::Time => 192,
            Piece::Case(text) | Piece::Text(text) => 64 + 3 * text.len() as u64,
            Piece::Scalars(scalar, len) => {
                let size = u64::from(scalar.size());
                // All but bytes become objects, of which those of 64 bits may need more than their
                // place.
                let object = if size == 1 && scalar == Scalar::U8 {
                    size
                } else if size == 8 {
                    24
                } else {
                    8
                };
                64 + len as u64 * (2 * size + object)
            }
            Piece::List(len) | Piece::Tuple(len) => 64 + 8 * len as u64,
            Piece::Map(len) => 256 + 64 * len as u64,
            Piece::Record(record) => 64 + 8 * record.fields.len() as u64,
        }
    }

    fn bool(&self, value: bool) -> Result<()> {
        self.put(if value { b't' } else { b'f' }, []);
        Ok(())
    }
    fn s64(&self, value: i64) -> Result<()> {
        self.put(b'i', value.to_le_bytes());
        Ok(())
    }
    fn u64(&self, value: u64) -> Result<()> {
        self.put(b'u', value.to_le_bytes());
        Ok(())
    }
    fn f32(&self, value: f32) -> Result<()> {
        self.f64(value.into())
    }
    fn f64(&self, value: f64) -> Result<()> {
        self.put(b'd', value.to_le_bytes());
        Ok(())
    }
    fn string(&self, value: &str) -> Result<()> {
        self.run(b's', value.as_bytes())
    }
    fn json(&self, value: &str) -> Result<()> {
        json::check_digits(value)?;
        self.run(b'j', value.as_bytes())
    }
    fn scalars(&self, scalar: Scalar, bytes: &[u8]) -> Result<()> {
        let (letter, size) = match scalar {
            Scalar::U8 => return self.run(b'b', bytes),
            Scalar::S8 => (b'c', 1),
            Scalar::S16 => (b's', 2),
            Scalar::U16 => (b'S', 2),
            Scalar::S32 | Scalar::WasmI32 => (b'l', 4),
            Scalar::U32 => (b'L', 4),
            Scalar::S64 | Scalar::WasmI64 => (b'q', 8),
            Scalar::U64 => (b'Q', 8),
            Scalar::F32 => (b'e', 4),
            Scalar::F64 => (b'E', 8),
        };
        self.put(b'p', [letter]);
        let mut packed = self.bytes.borrow_mut();
        packed.extend_from_slice(&count(bytes.len() / size)?);
        packed.extend_from_slice(bytes);
        Ok(())
    }
    fn duration(&self, nanoseconds: i64) -> Result<()> {
        self.put(b'D', nanoseconds.to_le_bytes());
        Ok(())
    }
    fn time(&self, time: Time) -> Result<()> {
        self.put(b'T', time.seconds.to_le_bytes());
        let mut packed = self.bytes.borrow_mut();
        packed.extend_from_slice(&time.nanoseconds.to_le_bytes());
        packed.extend_from_slice(&time.offset.to_le_bytes());
        Ok(())
    }
    fn none(&self) -> Result<()> {
        self.put(b'n', []);
        Ok(())
    }
    fn case(&self, cases: &EnumType, case: u32) -> Result<()> {
        self.run(b'y', cases.cases[case as usize].0.as_bytes())
    }
    fn list(&self, len: usize, mut item: impl FnMut(usize) -> Result<()>) -> Result<()> {
        self.put(b'l', count(len)?);
        (0..len).try_for_each(&mut item)
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Result<()>) -> Result<()> {
        self.list(len, item)
    }
    fn map(&self, len: usize, mut entry: impl FnMut(usize) -> Result<((), ())>) -> Result<()> {
        self.put(b'm', count(len)?);
        (0..len).try_for_each(|number| entry(number).map(drop))
    }
    fn record(&self, record: &RecordType, mut field: impl FnMut(usize) -> Result<()>) -> Result<()> {
        self.put(b'r', number_of(&self.plugin, record).to_le_bytes());
        (0..record.fields.len()).try_for_each(&mut field)
    }
}

/// The number of a record among the types of the plugin's interface, which it keeps for the next
/// time.
fn number_of(plugin: &undergo::Plugin, record: &RecordType) -> u32 {
    let find = || {
        let mut types = plugin.interface().map_or(&[][..], |interface| &interface.types).iter();
        let is_it = |ty: &Type| matches!(&ty.kind, TypeKind::Record(other) if other.name == record.name);
        types.position(is_it).and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX)
    };
    record.extension.get_or_init(find).copied().unwrap_or_else(find)
}
