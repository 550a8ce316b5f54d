//! The annotations and the signature of a function in Python.

use pyo3::prelude::*;
use undergo::interface::{Field, Function, Resource, Scalar, Shape, Side, Type, TypeKind};

use crate::handle::ResourceClass;
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
        TypeKind::Own(resource) | TypeKind::Borrow(resource) => match resource.extension.get::<ResourceClass>() {
            Some(class) => class.annotation.clone(),
            None => class_name(&resource.name),
        },
    }
}

/// The annotation of a resource's handles.
pub(crate) fn of_resource(resource: &Resource) -> String {
    let ty = &resource.ty;
    match ty.shape {
        Shape::Object => class_name(&ty.name),
        Shape::Callback => {
            let call = resource.methods.first();
            let params: Vec<String> = call.map_or(&[][..], |call| call.own_params()).iter().map(|param| annotation(&param.ty)).collect();
            format!("Callable[[{}], {}]", params.join(", "), call.map_or_else(|| "None".into(), |call| result(call)))
        }
        Shape::Iterator => {
            let item = resource.methods.first().and_then(|next| item(next.result.as_ref()?)).map_or_else(|| "Any".into(), annotation);
            format!("{}[{item}]", if ty.side == Side::Guest { "Iterator" } else { "Iterable" })
        }
        Shape::Reader | Shape::Writer => if ty.side == Side::Guest { "RawIOBase" } else { "BinaryIO" }.into(),
    }
}

/// The type of the items of an iterator, whose batches have that type.
fn item(batch: &Type) -> Option<&Type> {
    let TypeKind::Tuple(both) = &batch.kind else { return None };
    match &both.items.first()?.kind {
        TypeKind::List(item) => Some(item),
        _ => None,
    }
}

fn result(function: &Function) -> String {
    function.result.as_ref().map_or_else(|| "None".into(), annotation)
}

/// `greet(p: Person, shout: bool) -> str`
pub(crate) fn text(function: &Function) -> String {
    text_as(&python_name(&function.name), function)
}

/// The same with another name.
pub(crate) fn text_as(name: &str, function: &Function) -> String {
    let required = function.required() - usize::from(function.is_method);
    let param = |(i, param): (usize, &Field)| {
        format!("{}: {}{}", python_name(&param.name), annotation(&param.ty), if i >= required { " = None" } else { "" })
    };
    let params: Vec<String> = function.own_params().iter().enumerate().map(param).collect();
    format!("{name}({}) -> {}", params.join(", "), result(function))
}

/// An `inspect.Signature`, of a method with the object or without it.
pub(crate) fn make<'py>(py: Python<'py>, function: &Function, with_object: bool) -> PyResult<Bound<'py, PyAny>> {
    let required = function.required();
    let params = function.params.iter().enumerate().skip(usize::from(function.is_method && !with_object));
    let params: Vec<_> = params.map(|(i, param)| (python_name(&param.name), annotation(&param.ty), i >= required)).collect();
    package::types(py, "make_signature")?.call1((params, result(function)))
}
