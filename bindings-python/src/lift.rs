//! From guest memory to Python objects.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyString, PyTuple};
use undergo::{EnumType, Error, ErrorKind, Lift, RecordType, Result, Scalar, Time};

use crate::errors;
use crate::types::{self, EnumClass, RecordClass};

/// Makes Python objects.
#[derive(Clone, Copy)]
pub(crate) struct ToPython<'py>(pub(crate) Python<'py>);

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
            Failed::Raised(raised) => errors::from_conversion(raised),
            Failed::Core(error) => error,
        }
    }
}

impl<'py> ToPython<'py> {
    fn int<T: IntoPyObject<'py, Target = PyInt, Output = Bound<'py, PyInt>, Error = std::convert::Infallible>>(
        self,
        value: T,
    ) -> Bound<'py, PyAny> {
        let Ok(made) = value.into_pyobject(self.0);
        made.into_any()
    }

    fn call<A: pyo3::call::PyCallArgs<'py>>(self, helper: &str, args: A, what: &str) -> Made<'py> {
        types::conversion(self.0, helper).and_then(|f| f.call1(args)).map_err(|raised| {
            let text = format!("the guest gave {what}: {}", raised.value(self.0));
            Error::new(ErrorKind::TypeMismatch, text)
        })
    }
}

impl<'py> Lift for ToPython<'py> {
    type Value = Bound<'py, PyAny>;

    fn bool(&self, value: bool) -> Made<'py> {
        Ok(PyBool::new(self.0, value).to_owned().into_any())
    }
    fn s64(&self, value: i64) -> Made<'py> {
        Ok(self.int(value))
    }
    fn u64(&self, value: u64) -> Made<'py> {
        Ok(self.int(value))
    }
    fn f32(&self, value: f32) -> Made<'py> {
        Ok(PyFloat::new(self.0, value.into()).into_any())
    }
    fn f64(&self, value: f64) -> Made<'py> {
        Ok(PyFloat::new(self.0, value).into_any())
    }
    fn string(&self, value: &str) -> Made<'py> {
        Ok(PyString::new(self.0, value).into_any())
    }
    fn json(&self, value: &str) -> Made<'py> {
        self.call("load_json", (value,), "text that is not JSON")
    }
    fn scalars(&self, scalar: Scalar, bytes: &[u8]) -> Made<'py> {
        macro_rules! items {
            ($ty:ty, $make:expr) => {{
                let (items, _) = bytes.as_chunks();
                types::list(self.0, items.len(), |i| Ok::<_, Failed>($make(<$ty>::from_le_bytes(items[i]))))?
            }};
        }
        let float = |value| PyFloat::new(self.0, value).into_any();
        Ok(match scalar {
            Scalar::U8 => PyBytes::new(self.0, bytes).into_any(),
            Scalar::S8 => items!(i8, |n| self.int(n)),
            Scalar::S16 => items!(i16, |n| self.int(n)),
            Scalar::U16 => items!(u16, |n| self.int(n)),
            Scalar::S32 | Scalar::WasmI32 => items!(i32, |n| self.int(n)),
            Scalar::U32 => items!(u32, |n| self.int(n)),
            Scalar::S64 | Scalar::WasmI64 => items!(i64, |n| self.int(n)),
            Scalar::U64 => items!(u64, |n| self.int(n)),
            Scalar::F32 => items!(f32, |n: f32| float(n.into())),
            Scalar::F64 => items!(f64, float),
        })
    }
    fn duration(&self, nanoseconds: i64) -> Made<'py> {
        self.call("make_duration", (nanoseconds,), "a duration that timedelta can't hold")
    }
    fn time(&self, time: Time) -> Made<'py> {
        self.call("make_time", (time.seconds, time.nanoseconds, time.offset), "a time that datetime can't hold")
    }
    fn none(&self) -> Made<'py> {
        Ok(self.0.None().into_bound(self.0))
    }
    fn case(&self, cases: &EnumType, case: u32) -> Made<'py> {
        let member = cases.extension.get::<EnumClass>().and_then(|class| class.member(self.0, case));
        member.map_or_else(|| self.string(&cases.cases[case as usize].0), Ok)
    }
    fn list(&self, len: usize, mut item: impl FnMut(usize) -> Made<'py>) -> Made<'py> {
        Ok(types::list(self.0, len, |i| item(i).map_err(Failed::from))?)
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Made<'py>) -> Made<'py> {
        let items = (0..len).map(item).collect::<Result<Vec<_>>>()?;
        let made = PyTuple::new(self.0, items).map_err(errors::from_conversion)?;
        Ok(made.into_any())
    }
    fn map(&self, len: usize, mut entry: impl FnMut(usize) -> Result<(Bound<'py, PyAny>, Bound<'py, PyAny>)>) -> Made<'py> {
        let dict = PyDict::new(self.0);
        for i in 0..len {
            let (key, value) = entry(i)?;
            dict.set_item(key, value).map_err(errors::from_conversion)?;
        }
        Ok(dict.into_any())
    }
    fn record(&self, record: &RecordType, mut field: impl FnMut(usize) -> Made<'py>) -> Made<'py> {
        match record.extension.get::<RecordClass>() {
            Some(class) => Ok(class.make(self.0, |i| field(i).map_err(Failed::from))?),
            None => Err(Error::new(ErrorKind::TypeMismatch, format!("the record {} has no class", record.name))),
        }
    }
}
