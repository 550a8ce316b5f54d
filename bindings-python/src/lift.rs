//! Lifts values from guest memory to Python objects.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use undergo::host::{Lift, Piece, check_json_depth, not_given, unreadable_json};
use undergo::interface::{EnumType, RecordType, ResourceType, Scalar, VariantType};
use undergo::{Error, ErrorKind, HostObject, Result, Time};

use crate::handle::ResourceClass;
use crate::json;
use crate::package;
use crate::raised;
use crate::types::{EnumClass, RecordClass, VariantClass};

/// Makes Python objects.
#[derive(Clone, Copy)]
pub(crate) struct ToPython<'o, 'py> {
    py: Python<'py>,
    /// What calls the methods of the guest's objects.
    owner: Option<&'o Bound<'py, PyAny>>,
}

type Made<'py> = Result<Bound<'py, PyAny>>;

/// An exception or an error, until it is clear which way it goes.
enum Failed {
    Raised(PyErr),
    Core(Error),
}

impl From<PyErr> for Failed {
    fn from(raised: PyErr) -> Failed {
        Failed::Raised(raised)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Core(error)
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Error {
        match failed {
            Failed::Raised(raised) => raised::from_conversion(raised),
            Failed::Core(error) => error,
        }
    }
}

impl<'o, 'py> ToPython<'o, 'py> {
    /// Makes what holds no objects of a guest.
    pub(crate) fn plain(py: Python<'py>) -> ToPython<'o, 'py> {
        ToPython { py, owner: None }
    }

    /// Makes the results of that owner's calls.
    pub(crate) fn of(owner: &'o Bound<'py, PyAny>) -> ToPython<'o, 'py> {
        ToPython { py: owner.py(), owner: Some(owner) }
    }

    fn int<T: IntoPyObject<'py, Target = PyInt, Output = Bound<'py, PyInt>, Error = std::convert::Infallible>>(
        self,
        value: T,
    ) -> Bound<'py, PyAny> {
        let Ok(made) = value.into_pyobject(self.py);
        made.into_any()
    }

    fn call<A: pyo3::call::PyCallArgs<'py>>(self, helper: &str, args: A, what: &str) -> Made<'py> {
        package::values(self.py, helper).and_then(|f| f.call1(args)).map_err(|raised| {
            // An interrupt is not a remark on the value.
            if !raised.is_instance_of::<pyo3::exceptions::PyException>(self.py) {
                return raised::from_host(self.py, raised);
            }
            let text = format!("the guest gave {what}: {}", raised.value(self.py));
            Error::new(ErrorKind::TypeMismatch, text)
        })
    }
}

impl<'py> Lift for ToPython<'_, 'py> {
    type Value = Bound<'py, PyAny>;

    // What CPython allocates for each (`sys.getsizeof`, and 16 bytes for the collector's part), and
    // 8 bytes more for an item: they are gathered before their list is made.
    fn cost(&self, piece: Piece<'_>) -> u64 {
        match piece {
            // These are there already.
            Piece::None | Piece::Some | Piece::Bool | Piece::Case(_) | Piece::Text("") | Piece::Scalars(_, 0) => 0,
            Piece::Number => 32,
            Piece::Duration => 48,
            // With its time zone.
            Piece::Time => 160,
            Piece::Text(text) => 56 + text.len() as u64 * width(text),
            // Scalars that are packed are bytes.
            Piece::Scalars(_, len) => 40 + len as u64,
            Piece::List(len) | Piece::Tuple(len) => 72 + len as u64 * 16,
            Piece::Map(0) => 64,
            Piece::Map(len) => 240 + len as u64 * 80,
            Piece::Record(record) => record.extension.get::<RecordClass>().map_or(0, RecordClass::cost),
            Piece::Variant(variant, case) => variant.extension.get::<VariantClass>().map_or(0, |class| class.cost(case)),
            Piece::Handle(_) => 160,
        }
    }
    fn packs(&self, scalar: Scalar) -> bool {
        scalar == Scalar::U8
    }

    fn bool(&self, value: bool) -> Made<'py> {
        Ok(PyBool::new(self.py, value).to_owned().into_any())
    }
    fn s64(&self, value: i64) -> Made<'py> {
        Ok(self.int(value))
    }
    fn u64(&self, value: u64) -> Made<'py> {
        Ok(self.int(value))
    }
    fn f32(&self, value: f32) -> Made<'py> {
        Ok(PyFloat::new(self.py, value.into()).into_any())
    }
    fn f64(&self, value: f64) -> Made<'py> {
        Ok(PyFloat::new(self.py, value).into_any())
    }
    fn string(&self, value: &str) -> Made<'py> {
        Ok(PyString::new(self.py, value).into_any())
    }
    fn json(&self, value: &str) -> Made<'py> {
        // Python's reader calls itself for what is nested, and the host may have told it to go as
        // deep as it likes.
        check_json_depth(value, usize::MAX, json::LEVEL).map_err(unreadable_json)?;
        self.call("load_json", (value,), "text that is not JSON")
    }
    fn scalars(&self, _scalar: Scalar, bytes: &[u8]) -> Made<'py> {
        Ok(PyBytes::new(self.py, bytes).into_any())
    }
    fn duration(&self, nanoseconds: i64) -> Made<'py> {
        self.call("make_duration", (nanoseconds,), "a duration that timedelta can't hold")
    }
    fn time(&self, time: Time) -> Made<'py> {
        self.call("make_time", (time.seconds, time.nanoseconds, time.offset), "a time that datetime can't hold")
    }
    fn none(&self) -> Made<'py> {
        Ok(self.py.None().into_bound(self.py))
    }
    fn case(&self, cases: &EnumType, case: u32) -> Made<'py> {
        let member = cases.extension.get::<EnumClass>().and_then(|class| class.member(self.py, case));
        member.map_or_else(|| self.string(&cases.cases[case as usize].0), Ok)
    }
    fn list(&self, len: usize, item: impl FnMut(usize) -> Made<'py>) -> Made<'py> {
        Ok(PyList::new(self.py, gather(len, item)?).map_err(raised::from_conversion)?.into_any())
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Made<'py>) -> Made<'py> {
        Ok(PyTuple::new(self.py, gather(len, item)?).map_err(raised::from_conversion)?.into_any())
    }
    fn map(&self, len: usize, mut entry: impl FnMut(usize) -> Result<(Bound<'py, PyAny>, Bound<'py, PyAny>)>) -> Made<'py> {
        let dict = PyDict::new(self.py);
        for i in 0..len {
            let (key, value) = entry(i)?;
            dict.set_item(key, value).map_err(raised::from_conversion)?;
        }
        Ok(dict.into_any())
    }
    fn record(&self, record: &RecordType, mut field: impl FnMut(usize) -> Made<'py>) -> Made<'py> {
        match record.extension.get::<RecordClass>() {
            Some(class) => Ok(class.make(self.py, |i| field(i).map_err(Failed::from))?),
            None => Err(no_class(&record.name)),
        }
    }
    fn variant(&self, variant: &VariantType, case: u32, value: Option<Bound<'py, PyAny>>) -> Made<'py> {
        let Some(class) = variant.extension.get::<VariantClass>() else { return Err(no_class(&variant.name)) };
        class.make(self.py, case, value).map_err(raised::from_conversion)
    }

    fn handle(&self, resource: &Arc<ResourceType>, handle: undergo::Handle) -> Made<'py> {
        match (resource.extension.get::<ResourceClass>(), self.owner) {
            (Some(class), Some(owner)) => class.make(owner, handle).map_err(raised::from_conversion),
            _ => Err(no_class(&resource.name)),
        }
    }

    fn object(&self, resource: &Arc<ResourceType>, object: HostObject) -> Made<'py> {
        let own = object.value::<Own>().and_then(|Own(find)| find(self.py));
        own.map(|own| own.into_bound(self.py)).ok_or_else(|| not_given(resource))
    }
}

type Find = dyn Fn(Python<'_>) -> Option<Py<PyAny>> + Send + Sync;

/// What finds an object of the program's that a guest passes back, while its instance lives.
pub(crate) struct Own(pub(crate) Box<Find>);

#[cold]
fn no_class(name: &str) -> Error {
    Error::new(ErrorKind::TypeMismatch, format!("{name} has no class"))
}

/// The items of a list or tuple, which is made when they are all there. To make one may run code of
/// the user's, and Python's collector knows a list from the moment that it is made: nobody may find
/// one with holes.
fn gather<'py>(len: usize, mut item: impl FnMut(usize) -> Made<'py>) -> Result<Vec<Bound<'py, PyAny>>> {
    let mut items = Vec::with_capacity(len);
    for i in 0..len {
        items.push(item(i)?);
    }
    Ok(items)
}

/// Bytes that a string needs for each of its characters: as many as its widest one does.
fn width(text: &str) -> u64 {
    // A character's first byte is its highest; U+0100 begins with 0xC4, and U+10000 with 0xF0.
    match text.bytes().fold(0, u8::max) {
        0..0xC4 => 1,
        0xC4..0xF0 => 2,
        _ => 4,
    }
}
