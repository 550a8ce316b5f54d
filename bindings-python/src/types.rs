//! The classes of a plugin's records, enums, variants and errors, made at run time or provided by
//! the user.

use std::collections::{BTreeSet, HashMap};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};
use undergo::host::{ClassOfCase, classes_of_cases};
use undergo::interface::{Case, EnumType, Interface, RecordType, Type, TypeKind, VariantType, names};

use crate::names::{class_name, field_name, new_class_names};
use crate::{package, signature};

/// The class that stands for a record, or for a case of a variant.
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
    fn new(class: &Bound<'_, PyType>, names: &[String], by_name: HashMap<String, usize>) -> PyResult<RecordClass> {
        let py = class.py();
        let plain = package::types(py, "is_plain")?.call1((class,))?.extract()?;
        // With a dictionary of its attributes, where it has one, and another one in which they are
        // given to its class.
        let has_dict = class.getattr("__dictoffset__")?.extract::<isize>()? != 0;
        let cost = if plain && !has_dict { 48 + 8 * names.len() as u64 } else { 560 + 160 * names.len() as u64 };
        let names = names.iter().map(|name| PyString::intern(py, name).unbind()).collect();
        Ok(RecordClass { class: class.clone().unbind(), names, by_name, plain, cost })
    }

    pub(crate) fn field(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Whether it is this very class.
    pub(crate) fn is_class(&self, class: &Bound<'_, PyAny>) -> bool {
        class.is(&self.class)
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

/// The classes that stand for the cases of a variant.
pub(crate) struct VariantClass {
    cases: Vec<CaseClass>,
    /// The numbers of the cases by the addresses of their classes, which live as long as this.
    by_class: HashMap<usize, u32>,
}

enum CaseClass {
    /// That of the record which the case holds.
    Record(Py<PyType>),
    /// One of its own, with the value in its only field, or without any.
    Own(RecordClass),
}

/// How an object of a case's class holds the value.
pub(crate) enum Held<'c> {
    Itself,
    Attribute(&'c Py<PyString>),
    Nothing,
}

impl VariantClass {
    fn new(variant: &VariantType, cases: Vec<CaseClass>) -> PyResult<VariantClass> {
        let mut by_class = HashMap::new();
        for (case, class) in (0..).zip(&cases) {
            if let Some(other) = by_class.insert(class.class().as_ptr() as usize, case) {
                let (one, other) = (&variant.cases[case as usize].name, &variant.cases[other as usize].name);
                let text = format!("types has one class for the cases {other} and {one} of {}: give each its own", variant.name);
                return Err(PyValueError::new_err(text));
            }
        }
        Ok(VariantClass { cases, by_class })
    }

    /// The number of an object's case, which is that of the first of its class and what that
    /// derives from.
    pub(crate) fn case(&self, object: &Bound<'_, PyAny>) -> Option<(u32, Held<'_>)> {
        let case = *object.get_type().mro().iter().find_map(|class| self.by_class.get(&(class.as_ptr() as usize)))?;
        let held = match &self.cases[case as usize] {
            CaseClass::Record(_) => Held::Itself,
            CaseClass::Own(class) => class.names.first().map_or(Held::Nothing, Held::Attribute),
        };
        Some((case, held))
    }

    /// The object for a case with that value.
    pub(crate) fn make<'py>(&self, py: Python<'py>, case: u32, value: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        match (&self.cases[case as usize], value) {
            (CaseClass::Record(_), Some(value)) => Ok(value),
            (CaseClass::Own(class), value) => class.make(py, |_| Ok(value.clone().unwrap_or_else(|| py.None().into_bound(py)))),
            (CaseClass::Record(_), None) => unreachable!("a record is a value"),
        }
    }

    /// Bytes that such an object takes, without its value.
    pub(crate) fn cost(&self, case: u32) -> u64 {
        match &self.cases[case as usize] {
            CaseClass::Record(_) => 0,
            CaseClass::Own(class) => class.cost(),
        }
    }

    /// The names of the classes.
    pub(crate) fn listed(&self, py: Python<'_>) -> String {
        let name = |case: &CaseClass| case.class().bind(py).name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
        let all: Vec<String> = self.cases.iter().map(name).collect();
        names::listed(all.iter().map(String::as_str))
    }
}

impl CaseClass {
    fn class(&self) -> &Py<PyType> {
        match self {
            CaseClass::Record(class) => class,
            CaseClass::Own(class) => &class.class,
        }
    }
}

/// Gives each type of the interface its class, and the classes by name.
pub(crate) fn make_classes<'py>(
    py: Python<'py>,
    interface: &Interface,
    given: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let (classes, digest) = (PyDict::new(py), interface.digest());
    let mut making = Making { py, digest, given, used: BTreeSet::new(), classes };
    let cases = classes_of_cases(&interface.types, new_class_names(&interface.types));
    for ty in &interface.types {
        match &ty.kind {
            TypeKind::Record(record) => making.record(record)?,
            TypeKind::Enum(cases) => making.cases(cases)?,
            TypeKind::Variant(variant) => making.variant(variant, &cases[&variant.name])?,
            _ => {}
        }
    }
    making.finish()
}

/// Classes in the making.
struct Making<'g, 'py> {
    py: Python<'py>,
    digest: String,
    given: Option<&'g Bound<'py, PyDict>>,
    /// The keys of those given that are used.
    used: BTreeSet<String>,
    classes: Bound<'py, PyDict>,
}

impl<'py> Making<'_, 'py> {
    fn record(&mut self, record: &RecordType) -> PyResult<()> {
        let shown: Vec<String> = record.fields.iter().map(|field| field_name(record, &field.name)).collect();
        let kind = if record.is_error { "error" } else { "record" };
        let fields = record.fields.iter().zip(&shown);
        let fields = fields
            .map(|(field, name)| (name.clone(), signature::annotation(&field.ty), matches!(field.ty.kind, TypeKind::Option(_))))
            .collect();
        let class = self.class(&[&record.name], &class_name(&record.name), kind, &documentation(record), fields)?;
        if record.is_error {
            package::types(self.py, "check_error")?.call1((&class, &record.name))?;
        }
        let mut by_name = HashMap::new();
        for (i, (field, name)) in record.fields.iter().zip(&shown).enumerate() {
            by_name.insert(names::snake(&field.name), i);
            by_name.insert(field.name.clone(), i);
            by_name.insert(name.clone(), i);
        }
        let made = RecordClass::new(&class, &shown, by_name)?;
        record.extension.get_or_init(|| made);
        Ok(())
    }

    fn cases(&mut self, cases: &EnumType) -> PyResult<()> {
        let members: Vec<_> = cases.cases.iter().map(|(name, _)| (names::snake(name).to_uppercase(), name.clone())).collect();
        let class = self.class(&[&cases.name], &class_name(&cases.name), "enum", &cases.docs, members)?;
        let by_value = |name: &String| {
            class.call1((name,)).map(Bound::unbind).map_err(|_| {
                PyValueError::new_err(format!("the class given for the enum {} has no member with the value {name:?}", cases.name))
            })
        };
        let members = cases.cases.iter().map(|(name, _)| by_value(name)).collect::<PyResult<_>>()?;
        cases.extension.get_or_init(|| EnumClass { members });
        Ok(())
    }

    fn variant(&mut self, variant: &VariantType, names: &[ClassOfCase]) -> PyResult<()> {
        let mut classes = Vec::with_capacity(variant.cases.len());
        for (case, name) in variant.cases.iter().zip(names) {
            let record = case.own_record().and_then(|record| record.extension.get::<RecordClass>());
            classes.push(match (name, record) {
                (ClassOfCase::Record(_), Some(record)) => CaseClass::Record(record.class.clone_ref(self.py)),
                (ClassOfCase::Record(_), None) => unreachable!("a record comes before what has it as a value"),
                (ClassOfCase::New(name) | ClassOfCase::Shared(name), _) => CaseClass::Own(self.case(variant, case, name)?),
            });
        }
        let all: Vec<_> = classes.iter().map(|case| case.class().bind(self.py)).collect();
        let union = package::types(self.py, "union")?.call1((all,))?;
        self.classes.set_item(class_name(&variant.name), union)?;
        let made = VariantClass::new(variant, classes)?;
        variant.extension.get_or_init(|| made);
        Ok(())
    }

    fn case(&mut self, variant: &VariantType, case: &Case, name: &str) -> PyResult<RecordClass> {
        let field = |ty: &Type| ("value", signature::annotation(ty), false);
        let fields: Vec<_> = case.ty.iter().map(field).collect();
        let names: Vec<String> = fields.iter().map(|(name, ..)| (*name).to_owned()).collect();
        let whole = format!("{}.{}", variant.name, case.name);
        let class = self.class(&[&whole, &case.name], name, "case", &case.docs, fields)?;
        RecordClass::new(&class, &names, HashMap::new())
    }

    /// The class of that name: the one that the user gave, or one that is made.
    fn class<T: IntoPyObject<'py>>(
        &mut self,
        wit_names: &[&str],
        name: &str,
        kind: &str,
        docs: &str,
        parts: Vec<T>,
    ) -> PyResult<Bound<'py, PyType>> {
        // Of a case that several variants have there is one class.
        let known = if kind == "case" { self.classes.get_item(name)? } else { None };
        let class = match (self.lookup(wit_names, name)?, known) {
            (Some(given), _) => given,
            (None, Some(known)) => known.cast_into()?,
            (None, None) => package::types(self.py, "make_class")?.call1((&self.digest, kind, name, docs, parts))?.cast_into()?,
        };
        self.classes.set_item(name, &class)?;
        Ok(class)
    }

    /// The class that the user gave for a type, under a WIT name or as the class is called.
    fn lookup(&mut self, wit_names: &[&str], name: &str) -> PyResult<Option<Bound<'py, PyType>>> {
        let Some(given) = self.given else { return Ok(None) };
        for key in wit_names.iter().copied().chain([name]) {
            if let Some(class) = given.get_item(key)? {
                self.used.insert(key.to_owned());
                let class = class.cast_into().map_err(|_| PyTypeError::new_err(format!("types[{key:?}] is not a class")))?;
                return Ok(Some(class));
            }
        }
        Ok(None)
    }

    fn finish(self) -> PyResult<Bound<'py, PyDict>> {
        if let Some(given) = self.given
            && self.used.len() < given.len()
        {
            let is_class = |(_, class): &(Bound<'py, PyAny>, Bound<'py, PyAny>)| class.is_instance_of::<PyType>();
            let known: Vec<String> = self.classes.iter().filter(is_class).map(|(key, _)| key.to_string()).collect();
            let text = format!("types has {} which the plugin does not; its types are {}", given.keys(), known.join(", "));
            return Err(PyValueError::new_err(text));
        }
        Ok(self.classes)
    }
}

/// The record's doc comment, with those of its fields.
fn documentation(record: &RecordType) -> String {
    let fields: Vec<String> = record
        .fields
        .iter()
        .filter(|field| !field.docs.is_empty())
        .map(|field| format!("    {}: {}", field_name(record, &field.name), field.docs.replace('\n', " ")))
        .collect();
    if fields.is_empty() { record.docs.clone() } else { format!("{}\n\nAttributes:\n{}", record.docs, fields.join("\n")) }
}

/// `Types(Person, Color)`: a namespace that shows what it holds.
pub(crate) fn namespace<'py>(py: Python<'py>, classes: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    py.import("types")?.getattr("SimpleNamespace")?.call((), Some(classes))
}
