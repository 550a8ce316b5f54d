//! The annotations and the signature of a function in Python.

use pyo3::prelude::*;
use undergo::interface::{Field, Function, Scalar, Type, TypeKind};

use crate::names::{class_name, python_name};
use crate::package;

/// The annotation of a type: `list[str]`.
pub(crate) fn annotation(ty: &Type) -> String {
    match &ty.kind {
        TypeKind::Bool => "bool".into(),
        TypeKind::Scalar(Scalar::F32 | Scalar::F64) => "float".into(),
        TypeKind::Scalar(_) => "int".into(),
        TypeKind::String => "str".into(),
        TypeKind::Json => "Any".into(),
        TypeKind::Duration => "timedelta".into(),
        TypeKind::Time => "datetime".into(),
        TypeKind::List(item) if matches!(item.kind, TypeKind::Scalar(Scalar::U8)) => "bytes".into(),
        TypeKind::List(item) => format!("list[{}]", annotation(item)),
        TypeKind::Map(map) => format!("dict[{}, {}]", annotation(&map.key), annotation(&map.value)),
        TypeKind::Option(inner) => format!("{} | None", annotation(inner)),
        TypeKind::Tuple(tuple) => {
            format!("tuple[{}]", tuple.items.iter().map(annotation).collect::<Vec<_>>().join(", "))
        }
        TypeKind::Record(record) => class_name(&record.name),
        TypeKind::Enum(cases) => class_name(&cases.name),
        TypeKind::Variant(variant) => class_name(&variant.name),
        TypeKind::Own(_) | TypeKind::Borrow(_) => todo!("handles"),
    }
}

fn result(function: &Function) -> String {
    function.result.as_ref().map_or_else(|| "None".into(), annotation)
}

/// `greet(p: Person, shout: bool) -> str`
pub(crate) fn text(function: &Function) -> String {
    let required = function.required();
    let param = |(i, param): (usize, &Field)| {
        format!("{}: {}{}", python_name(&param.name), annotation(&param.ty), if i >= required { " = None" } else { "" })
    };
    let params: Vec<String> = function.params.iter().enumerate().map(param).collect();
    format!("{}({}) -> {}", python_name(&function.name), params.join(", "), result(function))
}

/// An `inspect.Signature`.
pub(crate) fn make<'py>(py: Python<'py>, function: &Function) -> PyResult<Bound<'py, PyAny>> {
    let required = function.required();
    let params = function.params.iter().enumerate();
    let params: Vec<_> = params.map(|(i, param)| (python_name(&param.name), annotation(&param.ty), i >= required)).collect();
    package::types(py, "make_signature")?.call1((params, result(function)))
}
