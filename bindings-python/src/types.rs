//! The classes of a plugin's records and enums, made at run time or provided by the user.

use std::collections::HashMap;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};
use undergo::interface::{EnumType, Interface, RecordType, TypeKind, names};

use crate::names::python_name;
use crate::{package, signature};

/// The class that stands for a record.
pub(crate) struct RecordClass {
    class: Py<PyType>,
    /// The fields' names in Python, in order.
    pub(crate) names: Vec<Py<PyString>>,
    /// The numbers of the fields by every name that a dict may use: Python's, and WIT's.
    by_name: HashMap<String, usize>,
    /// Whether an object is made by setting its fields; else its class is called.
    plain: bool,
    /// Bytes that an object takes, without its fields' values.
    cost: u64,
}

impl RecordClass {
    pub(crate) fn field(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn is_instance(&self, object: &Bound<'_, PyAny>) -> PyResult<bool> {
        let class = self.class.bind(object.py());
        if object.get_type().is(class) { Ok(true) } else { object.is_instance(class) }
    }

    pub(crate) fn cost(&self) -> u64 {
        self.cost
    }

    /// Makes an object; `field` gives the fields' values.
    pub(crate) fn make<'py, E: From<PyErr>>(
        &self,
        py: Python<'py>,
        mut field: impl FnMut(usize) -> Result<Bound<'py, PyAny>, E>,
    ) -> Result<Bound<'py, PyAny>, E> {
        if !self.plain {
            let fields = PyDict::new(py);
            for (i, name) in self.names.iter().enumerate() {
                fields.set_item(name.bind(py), field(i)?)?;
            }
            return Ok(self.class.bind(py).call((), Some(&fields))?);
        }
        // SAFETY: the class is a dataclass whose `__new__` is that of `object` (`is_plain`), which
        // would do no more than this.
        let object = unsafe {
            let made = pyo3::ffi::PyType_GenericNew(self.class.as_ptr().cast(), std::ptr::null_mut(), std::ptr::null_mut());
            Bound::from_owned_ptr_or_err(py, made)?
        };
        for (i, name) in self.names.iter().enumerate() {
            let value = field(i)?;
            // SAFETY: three live objects. The generic setter also sets the fields of a frozen
            // class, as the class's own `__init__` does.
            let failed = unsafe { pyo3::ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value.as_ptr()) } != 0;
            if failed {
                return Err(PyErr::fetch(py).into());
            }
        }
        Ok(object)
    }
}

/// The class that stands for an enum.
pub(crate) struct EnumClass {
    /// The members by the number of their case.
    members: Vec<Py<PyAny>>,
}

impl EnumClass {
    pub(crate) fn case(&self, object: &Bound<'_, PyAny>) -> Option<u32> {
        self.members.iter().position(|member| member.is(object)).and_then(|case| u32::try_from(case).ok())
    }

    pub(crate) fn member<'py>(&self, py: Python<'py>, case: u32) -> Option<Bound<'py, PyAny>> {
        self.members.get(case as usize).map(|member| member.bind(py).clone())
    }
}

/// Gives each record and enum of the interface its class, and the classes by name.
pub(crate) fn make_classes<'py>(
    py: Python<'py>,
    interface: &Interface,
    given: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let classes = PyDict::new(py);
    let digest = interface.digest();
    let mut used = 0;
    for ty in &interface.types {
        let (name, class) = match &ty.kind {
            TypeKind::Record(record) => (&record.name, record_class(py, &digest, record, lookup(given, &record.name)?)?),
            TypeKind::Enum(cases) => (&cases.name, enum_class(py, &digest, cases, lookup(given, &cases.name)?)?),
            _ => continue,
        };
        used += usize::from(lookup(given, name)?.is_some());
        classes.set_item(names::pascal(name), class)?;
    }
    if let Some(given) = given
        && used < given.len()
    {
        let known: Vec<String> = classes.keys().iter().map(|key| key.to_string()).collect();
        let text = format!("types has {} which the plugin does not; its types are {}", given.keys(), known.join(", "));
        return Err(PyValueError::new_err(text));
    }
    Ok(classes)
}

/// The class that the user gave for a type, under its WIT name or as the class is called.
fn lookup<'py>(given: Option<&Bound<'py, PyDict>>, name: &str) -> PyResult<Option<Bound<'py, PyType>>> {
    let Some(given) = given else { return Ok(None) };
    let found = match given.get_item(name)? {
        Some(found) => Some(found),
        None => given.get_item(names::pascal(name))?,
    };
    found.map(|class| class.cast_into::<PyType>().map_err(|_| PyTypeError::new_err(format!("types[{name:?}] is not a class")))).transpose()
}

fn record_class<'py>(
    py: Python<'py>,
    digest: &str,
    record: &RecordType,
    given: Option<Bound<'py, PyType>>,
) -> PyResult<Bound<'py, PyType>> {
    let shown: Vec<String> = record.fields.iter().map(|field| python_name(&field.name)).collect();
    let class = match given {
        Some(class) => class,
        None => {
            let fields = record.fields.iter().zip(&shown);
            let fields: Vec<_> = fields
                .map(|(field, name)| (name.as_str(), signature::annotation(&field.ty), matches!(field.ty.kind, TypeKind::Option(_))))
                .collect();
            let made =
                package::types(py, "make_class")?.call1((digest, "record", names::pascal(&record.name), documentation(record), fields))?;
            made.cast_into::<PyType>()?
        }
    };
    let plain = package::types(py, "is_plain")?.call1((&class,))?.extract()?;
    let mut by_name = HashMap::new();
    for (i, (field, name)) in record.fields.iter().zip(&shown).enumerate() {
        by_name.insert(names::snake(&field.name), i);
        by_name.insert(field.name.clone(), i);
        by_name.insert(name.clone(), i);
    }
    // With a dictionary of its attributes, where it has one, and another one in which they are
    // given to its class.
    let has_dict = class.getattr("__dictoffset__")?.extract::<isize>()? != 0;
    let cost = if plain && !has_dict { 48 + 8 * shown.len() as u64 } else { 560 + 160 * shown.len() as u64 };
    let names = shown.iter().map(|name| PyString::intern(py, name).unbind()).collect();
    record.extension.get_or_init(|| RecordClass { class: class.clone().unbind(), names, by_name, plain, cost });
    Ok(class)
}

/// The record's doc comment, with those of its fields.
fn documentation(record: &RecordType) -> String {
    let fields: Vec<String> = record
        .fields
        .iter()
        .filter(|field| !field.docs.is_empty())
        .map(|field| format!("    {}: {}", python_name(&field.name), field.docs.replace('\n', " ")))
        .collect();
    if fields.is_empty() { record.docs.clone() } else { format!("{}\n\nAttributes:\n{}", record.docs, fields.join("\n")) }
}

fn enum_class<'py>(py: Python<'py>, digest: &str, cases: &EnumType, given: Option<Bound<'py, PyType>>) -> PyResult<Bound<'py, PyType>> {
    let class = match given {
        Some(class) => class,
        None => {
            let members: Vec<_> = cases.cases.iter().map(|(name, _)| (names::snake(name).to_uppercase(), name.as_str())).collect();
            package::types(py, "make_class")?
                .call1((digest, "enum", names::pascal(&cases.name), &cases.docs, members))?
                .cast_into::<PyType>()?
        }
    };
    let by_value = |name: &String| {
        class.call1((name,)).map(Bound::unbind).map_err(|_| {
            PyValueError::new_err(format!("the class given for the enum {} has no member with the value {name:?}", cases.name))
        })
    };
    let members = cases.cases.iter().map(|(name, _)| by_value(name)).collect::<PyResult<_>>()?;
    cases.extension.get_or_init(|| EnumClass { members });
    Ok(class)
}

/// `Types(Person, Color)`: a namespace that shows what it holds.
pub(crate) fn namespace<'py>(py: Python<'py>, classes: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    py.import("types")?.getattr("SimpleNamespace")?.call((), Some(classes))
}
