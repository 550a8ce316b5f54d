//! Lowers Python objects to guest memory.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyUnicodeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};
use undergo::host::{Blob, Lower, Reject};
use undergo::interface::{Choice, EnumType, RecordType, ResourceType, Scalar, VariantType};
use undergo::{HostObject, Time};

use crate::buffer::Buffer;
use crate::cached::Cached;
use crate::handle::Handle;
use crate::json;
use crate::names::field_name;
use crate::package;
use crate::raised;
use crate::types::{EnumClass, Held, RecordClass, VariantClass};

/// Makes what a guest calls of Python's objects, and keeps these where the garbage collector sees
/// them.
pub(crate) trait Keeper {
    /// An object for a handle of that resource.
    fn object(&self, value: &Bound<'_, PyAny>, resource: &Arc<ResourceType>) -> Lowered<HostObject>;
}

/// A Python object, as a value to be lowered.
#[derive(Clone)]
pub(crate) struct Object<'h, 'py> {
    value: Bound<'py, PyAny>,
    keeper: Option<&'h dyn Keeper>,
}

pub(crate) type Lowered<T> = Result<T, Reject>;

impl<'h, 'py> Object<'h, 'py> {
    /// A value that goes to an instance whose host's objects that one keeps.
    pub(crate) fn of(value: Bound<'py, PyAny>, keeper: &'h dyn Keeper) -> Object<'h, 'py> {
        Object { value, keeper: Some(keeper) }
    }

    /// A value that has no objects of the host.
    pub(crate) fn plain(value: Bound<'py, PyAny>) -> Object<'h, 'py> {
        Object { value, keeper: None }
    }

    /// A part of this one.
    fn part(&self, value: Bound<'py, PyAny>) -> Object<'h, 'py> {
        Object { value, keeper: self.keeper }
    }

    /// Whether it is a bool, Python's or NumPy's: neither stands for a number, since that would
    /// hide a mistake.
    fn is_bool(&self) -> bool {
        self.value.is_exact_instance_of::<PyBool>() || self.is_numpy_bool()
    }

    fn is_numpy_bool(&self) -> bool {
        numpy_bool(self.value.py()).is_some_and(|class| self.value.get_type().is(class))
    }

    /// Something that stands for an int: an int, or what has `__index__` (NumPy's).
    fn integer(&self) -> Lowered<Bound<'py, PyAny>> {
        if self.value.is_exact_instance_of::<PyInt>() {
            return Ok(self.value.clone());
        }
        if self.is_bool() || self.value.is_instance_of::<PyFloat>() || self.value.is_instance_of::<PyString>() {
            return Err(Reject::Type);
        }
        // SAFETY: the lock is held, and the object lives; the result is a new reference, or NULL
        // with an exception.
        let made = unsafe { Bound::from_owned_ptr_or_err(self.value.py(), pyo3::ffi::PyNumber_Index(self.value.as_ptr())) };
        let made = made.map_err(|error| self.unfit(error, &["__index__"]))?;
        // A class of its own could show itself as it likes.
        if made.is_exact_instance_of::<PyInt>() { Ok(made) } else { Err(Reject::Type) }
    }

    /// What an exception of the value's own code says of it. One that is no `Exception` asks the
    /// program to end, and passes as it is.
    fn raised(&self, error: PyErr) -> Reject {
        Reject::Error(raised::refused(self.value.py(), error))
    }

    /// The same for an attempt at what needs one of these methods: a value of a class without them
    /// is of another type.
    fn unfit(&self, error: PyErr, methods: &[&str]) -> Reject {
        let class = self.value.get_type();
        let is_able = || methods.iter().any(|method| class.hasattr(*method).unwrap_or(false));
        if error.is_instance_of::<PyTypeError>(self.value.py()) && !is_able() { Reject::Type } else { self.raised(error) }
    }
}

/// The class of NumPy's bools, which does not derive from Python's; `None` while nobody has
/// imported NumPy.
fn numpy_bool(py: Python<'_>) -> Option<&Bound<'_, PyAny>> {
    static CLASS: Cached = Cached::new();
    CLASS.get_or_find(py, || py.import("sys")?.getattr("modules")?.get_item("numpy")?.getattr("bool_")).ok()
}

fn out_of_range(value: &Bound<'_, PyAny>, name: &str, range: &str) -> Reject {
    // A number of thousands of digits is not for a message, and Python refuses to write it.
    let shown = value.str().map_or_else(|_| "the number".to_owned(), |text| text.to_string());
    let shown = if shown.len() > 60 { format!("a number of {} digits", shown.len()) } else { shown };
    Reject::Value(format!("{shown} is out of range for {name} ({range})"))
}

// What a blob lends, it keeps alive by itself: for any lifetime.
impl<'a, 'h, 'py> Lower<'a> for Object<'h, 'py> {
    fn type_name(&self) -> Cow<'static, str> {
        self.value.get_type().name().map_or(Cow::Borrowed("object"), |name| Cow::Owned(name.to_string()))
    }

    fn as_bool(&self) -> Lowered<bool> {
        if let Ok(value) = self.value.cast::<PyBool>() {
            return Ok(value.is_true());
        }
        if self.is_numpy_bool() { self.value.is_truthy().map_err(|error| self.raised(error)) } else { Err(Reject::Type) }
    }

    fn as_s64(&self) -> Lowered<i64> {
        let value = self.integer()?;
        value.extract().map_err(|_| out_of_range(&value, "s64", "-9223372036854775808 to 9223372036854775807"))
    }

    fn as_u64(&self) -> Lowered<u64> {
        let value = self.integer()?;
        value.extract().map_err(|_| out_of_range(&value, "u64", "0 to 18446744073709551615"))
    }

    fn as_f64(&self) -> Lowered<f64> {
        if let Ok(value) = self.value.cast::<PyFloat>() {
            return Ok(value.value());
        }
        if !self.value.is_exact_instance_of::<PyInt>() && (self.is_bool() || self.value.is_instance_of::<PyString>()) {
            return Err(Reject::Type);
        }
        self.value.extract().map_err(|error| self.unfit(error, &["__float__", "__index__"]))
    }

    fn as_str(&self) -> Lowered<Cow<'_, str>> {
        let text = self.value.cast::<PyString>().map_err(|_| Reject::Type)?;
        text.to_str().map(Cow::Borrowed).map_err(|error| {
            if error.is_instance_of::<PyUnicodeError>(self.value.py()) {
                Reject::Value("the string holds a lone surrogate, which UTF-8 has no form for".into())
            } else {
                self.raised(error)
            }
        })
    }

    fn as_scalars(&self, scalar: Scalar) -> Lowered<Option<Blob<'a>>> {
        if scalar == Scalar::U8
            && let Ok(bytes) = self.value.cast_exact::<PyBytes>()
        {
            return Ok(Some(Blob::Guarded(Box::new(Bytes::new(bytes)))));
        }
        if self.value.is_exact_instance_of::<PyList>() || self.value.is_exact_instance_of::<PyTuple>() {
            return Ok(None);
        }
        let buffer = Buffer::of(&self.value, scalar).map_err(|error| self.raised(error))?;
        Ok(buffer.map(|buffer| Blob::Guarded(Box::new(buffer) as _)))
    }

    fn as_list(&self) -> Lowered<impl ExactSizeIterator<Item = Lowered<Self>>> {
        if let Ok(list) = self.value.cast::<PyList>() {
            return Ok(self.list(list.clone()));
        }
        if let Ok(tuple) = self.value.cast::<PyTuple>() {
            return Ok(Items { of: Sequence::Tuple(tuple.clone()), at: 0, keeper: self.keeper });
        }
        if self.value.is_instance_of::<PyString>() || self.value.is_instance_of::<PyBytes>() || self.value.is_instance_of::<PyDict>() {
            return Err(Reject::Type);
        }
        // To make bools of an array's is quicker than to look at each of NumPy's.
        if let Some(list) = self.numpy_bools() {
            return Ok(self.list(list));
        }
        let items = self.value.try_iter().map_err(|error| self.unfit(error, &["__iter__", "__getitem__"]))?;
        let items = PyList::empty(self.value.py()).into_any().call_method1("__iadd__", (items,)).map_err(|error| self.raised(error))?;
        items.cast_into::<PyList>().map(|list| self.list(list)).map_err(|_| Reject::Type)
    }

    fn as_map(&self) -> Lowered<impl ExactSizeIterator<Item = Lowered<(Self, Self)>>> {
        let entries: Vec<(Self, Self)> = if let Ok(dict) = self.value.cast::<PyDict>() {
            dict.iter().map(|(key, value)| (self.part(key), self.part(value))).collect()
        } else {
            let mapping = self.value.cast::<PyMapping>().map_err(|_| Reject::Type)?;
            let items = mapping.items().map_err(|error| self.raised(error))?;
            let pair = |item: Bound<'py, PyAny>| item.extract().map(|(key, value)| (self.part(key), self.part(value)));
            items.iter().map(pair).collect::<PyResult<_>>().map_err(|error| self.raised(error))?
        };
        Ok(entries.into_iter().map(Ok))
    }

    fn as_record(&self, record: &RecordType) -> Lowered<Vec<Option<Self>>> {
        let Some(class) = record.extension.get::<RecordClass>() else { return Err(Reject::Type) };
        if let Ok(dict) = self.value.cast::<PyDict>() {
            return self.fields_of(record, class, dict.iter());
        }
        if class.is_instance(&self.value).map_err(|error| self.raised(error))? {
            let get = |name: &Py<PyString>| self.value.getattr(name.bind(self.value.py())).map(|value| Some(self.part(value)));
            return class.names.iter().map(get).collect::<PyResult<_>>().map_err(|error| self.raised(error));
        }
        if let Ok(mapping) = self.value.cast::<PyMapping>() {
            let items = mapping.items().map_err(|error| self.raised(error))?;
            let pairs: Vec<_> =
                items.iter().map(|item| item.extract()).collect::<PyResult<_>>().map_err(|error: PyErr| self.raised(error))?;
            return self.fields_of(record, class, pairs.into_iter());
        }
        self.attributes(record, class)
    }

    fn is_none(&self) -> bool {
        self.value.is_none()
    }

    fn as_enum(&self, cases: &EnumType) -> Lowered<u32> {
        if let Some(class) = cases.extension.get::<EnumClass>()
            && let Some(case) = class.case(&self.value)
        {
            return Ok(case);
        }
        let name = self.as_str()?;
        cases.case(&name).ok_or_else(|| Reject::Value(cases.unknown_case(&name)))
    }

    fn as_variant(&self, variant: &VariantType) -> Lowered<(u32, Option<Self>)> {
        let Some(class) = variant.extension.get::<VariantClass>() else { return Err(Reject::Type) };
        let py = self.value.py();
        let Some((number, held)) = class.case(&self.value) else {
            return Err(Reject::Value(format!("expected {} ({}), got {}", variant.name, class.listed(py), self.type_name())));
        };
        let value = match held {
            Held::Itself => Some(self.value.clone()),
            Held::Attribute(name) => Some(self.value.getattr(name.bind(py)).map_err(|error| self.raised(error))?),
            Held::Nothing => None,
        };
        Ok((number, value.map(|value| self.part(value))))
    }

    fn as_json(&self) -> Lowered<Cow<'_, str>> {
        json::dump(&self.value).map(Cow::Owned)
    }

    fn as_duration(&self) -> Lowered<i64> {
        let parts = package::values(self.value.py(), "duration_nanoseconds")
            .and_then(|f| f.call1((&self.value,)))
            .map_err(|error| self.raised(error))?;
        if parts.is_none() {
            return Err(Reject::Value(format!("expected datetime.timedelta, got {}", self.type_name())));
        }
        parts.extract().map_err(|_| Reject::Value("the timedelta is longer than 292 years, which a duration can't hold".into()))
    }

    fn as_time(&self) -> Lowered<Time> {
        let parts =
            package::values(self.value.py(), "time_parts").and_then(|f| f.call1((&self.value,))).map_err(|error| self.raised(error))?;
        if parts.is_none() {
            return Err(Reject::Value(format!("expected datetime.datetime, got {}", self.type_name())));
        }
        let (seconds, nanoseconds, offset) = parts.extract().map_err(|error| self.raised(error))?;
        Ok(Time { seconds, nanoseconds, offset })
    }

    fn as_handle(&self, _resource: &ResourceType) -> Lowered<undergo::Handle> {
        self.value.cast::<Handle>().map(|handle| handle.get().core.clone()).map_err(|_| Reject::Type)
    }

    fn as_object(&self, resource: &Arc<ResourceType>) -> Lowered<HostObject> {
        match self.keeper {
            Some(keeper) => keeper.object(&self.value, resource),
            None => Err(Reject::Type),
        }
    }
}

impl<'h, 'py> Object<'h, 'py> {
    fn list(&self, list: Bound<'py, PyList>) -> Items<'h, 'py> {
        Items { of: Sequence::List(list), at: 0, keeper: self.keeper }
    }

    /// The items of an array of NumPy's bools.
    fn numpy_bools(&self) -> Option<Bound<'py, PyList>> {
        let class = self.value.get_type();
        let is_array = class.name().is_ok_and(|name| name == "ndarray") && class.module().is_ok_and(|module| module == "numpy");
        let is_bools =
            is_array && self.value.getattr("dtype").and_then(|dtype| dtype.getattr("kind")).is_ok_and(|kind| kind.eq("b").unwrap_or(false));
        if is_bools { self.value.call_method0("tolist").ok()?.cast_into().ok() } else { None }
    }

    fn fields_of(
        &self,
        record: &RecordType,
        class: &RecordClass,
        pairs: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    ) -> Lowered<Vec<Option<Self>>> {
        let mut fields = vec![None; record.fields.len()];
        for (key, value) in pairs {
            let name = key.cast::<PyString>().map_err(|_| Reject::Value(format!("the keys of {} must be strings", record.name)))?;
            let name = name.to_str().map_err(|error| self.raised(error))?;
            let Some(number) = class.field(name) else {
                return Err(Reject::Value(record.unknown_field(name, |field| field_name(record, field))));
            };
            fields[number] = Some(self.part(value));
        }
        Ok(fields)
    }

    /// Any object that has the attributes will do, if it has all that must be there.
    fn attributes(&self, record: &RecordType, class: &RecordClass) -> Lowered<Vec<Option<Self>>> {
        let py = self.value.py();
        let mut fields = Vec::with_capacity(class.names.len());
        for (name, field) in class.names.iter().zip(&record.fields) {
            let value = self.value.getattr_opt(name.bind(py)).map_err(|error| self.raised(error))?;
            if value.is_none() && !matches!(field.ty.kind, undergo::interface::TypeKind::Option(_)) {
                return Err(Reject::Type);
            }
            fields.push(value.map(|value| self.part(value)));
        }
        if fields.iter().all(Option::is_none) { Err(Reject::Type) } else { Ok(fields) }
    }
}

/// The items of a list or tuple. A list may change while it is read: what is gone is missed by the
/// core.
struct Items<'h, 'py> {
    of: Sequence<'py>,
    at: usize,
    keeper: Option<&'h dyn Keeper>,
}

enum Sequence<'py> {
    List(Bound<'py, PyList>),
    Tuple(Bound<'py, PyTuple>),
}

impl<'h, 'py> Iterator for Items<'h, 'py> {
    type Item = Lowered<Object<'h, 'py>>;

    fn next(&mut self) -> Option<Self::Item> {
        let value = match &self.of {
            Sequence::List(list) => list.get_item(self.at),
            Sequence::Tuple(tuple) => tuple.get_item(self.at),
        };
        let value = value.ok()?;
        self.at += 1;
        Some(Ok(Object { value, keeper: self.keeper }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = match &self.of {
            Sequence::List(list) => list.len(),
            Sequence::Tuple(tuple) => tuple.len(),
        };
        let left = len.saturating_sub(self.at);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Items<'_, '_> {}

/// A bytes object, kept while its bytes are lent.
struct Bytes {
    data: *const u8,
    len: usize,
    _object: Py<PyBytes>,
}

// SAFETY: a bytes object never changes, and this one is kept alive.
unsafe impl Send for Bytes {}
// SAFETY: as above.
unsafe impl Sync for Bytes {}

impl Bytes {
    fn new(object: &Bound<'_, PyBytes>) -> Bytes {
        let bytes = object.as_bytes();
        Bytes { data: bytes.as_ptr(), len: bytes.len(), _object: object.clone().unbind() }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the pointer and the length are those of the object that `self` keeps alive.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}
