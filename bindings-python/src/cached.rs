//! Python objects that are looked up once.

use pyo3::prelude::*;
use pyo3::types::PyMapping;
use undergo::host::Lasting;

/// An object that is looked up once, and kept as long as the process runs.
///
/// Not PyO3's `PyOnceLock`, nor `intern!`, which is made of one: a thread that fills one of these
/// waits for the interpreter's lock while others wait for it. Where another thread forks meanwhile,
/// the child would wait for ever.
pub(crate) struct Cached(Lasting<Py<PyAny>>);

impl Cached {
    pub(crate) const fn new() -> Cached {
        Cached(Lasting::new())
    }

    /// The object, if it was looked up.
    pub(crate) fn get<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, PyAny>> {
        self.0.get().map(|object| object.bind(py))
    }

    /// The object, which `find` looks up if need be. Threads that get here at once may all do so.
    pub(crate) fn get_or_find<'py>(
        &self,
        py: Python<'py>,
        find: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<&Bound<'py, PyAny>> {
        if let Some(found) = self.get(py) {
            return Ok(found);
        }
        let found = find()?.unbind();
        Ok(self.0.get_or_make(|| found).bind(py))
    }

    /// The same for what a module has under that name.
    pub(crate) fn get_or_import<'py>(&self, py: Python<'py>, module: &str, name: &str) -> PyResult<&Bound<'py, PyAny>> {
        self.get_or_find(py, || py.import(module)?.getattr(name))
    }
}

/// An object with a `__dict__`.
#[pyclass(dict, frozen, module = "undergo")]
struct WithDict;

/// Fills those of PyO3's own [`PyOnceLock`](pyo3::sync::PyOnceLock)s that this crate uses, while
/// the module is imported: what it knows of the interpreter once an object with a `__dict__` is
/// made, the names of a class's attributes, and the class of mappings.
pub(crate) fn fill(py: Python<'_>) -> PyResult<()> {
    let object = Bound::new(py, WithDict)?;
    let class = object.get_type();
    class.name()?;
    class.module()?;
    // Its answer is known, and of no interest.
    let _ = object.cast::<PyMapping>();
    Ok(())
}

/// A text as an interned string of Python's, which is made once.
macro_rules! interned {
    ($py:expr, $text:literal) => {{
        static TEXT: $crate::cached::Cached = $crate::cached::Cached::new();
        TEXT.get_or_find($py, || Ok(pyo3::types::PyString::intern($py, $text).into_any()))
    }};
}

pub(crate) use interned;
