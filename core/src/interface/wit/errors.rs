//! What functions fail with: texts, and errors with fields.

use std::collections::HashSet;
use std::sync::Arc;

use wit_parser::{InterfaceId, Resolve, TypeDefKind, TypeId, WorldItem};

use super::{Reader, Sort, check_names, docs, invalid};
use crate::error::Result;
use crate::interface::{Case, Failure, Side, Type, TypeKind, VariantType};

/// What a function fails with.
#[derive(Default)]
pub(super) struct Fails {
    pub(super) failure: Failure,
    /// The errors of which there are chains. Without them it is a text.
    pub(super) errors: Option<Arc<VariantType>>,
}

impl Reader<'_> {
    /// The result of a function, of which a `result` is taken apart here. Gives the type of its
    /// value, and what the function fails with, if it can.
    pub(super) fn result(&mut self, ty: &wit_parser::Type, side: Side) -> Result<(Option<Type>, Option<Fails>)> {
        let def = unaliased(self.resolve, *ty).map(|id| &self.resolve.types[id].kind);
        let Some(TypeDefKind::Result(result)) = def else { return Ok((Some(self.ty(ty, 0)?), None)) };
        let value = result.ok.as_ref().map(|ok| self.ty(ok, 0)).transpose()?;
        Ok((value, Some(self.fails(result.err.as_ref(), side)?)))
    }

    fn fails(&mut self, error: Option<&wit_parser::Type>, side: Side) -> Result<Fails> {
        let is_component = self.sort == Sort::Component;
        // A module's own functions fail with texts, or its own errors.
        let is_any = is_component || side == Side::Host;
        let Some(error) = error else {
            return if is_component { Ok(Fails { failure: Failure::Nothing, errors: None }) } else { Err(invalid(NO_ERROR)) };
        };
        if *error == wit_parser::Type::String {
            return Ok(Fails::default());
        }
        match listed_variant(self.resolve, error).map(|errors| self.errors(errors)) {
            Some(Ok(errors)) => Ok(Fails { failure: Failure::Error, errors: Some(errors) }),
            // Other lists of variants are as good as anything else.
            _ if is_any => {
                let (failure, errors) = self.failure(error)?;
                Ok(Fails { failure, errors: Some(errors) })
            }
            Some(Err(error)) => Err(error),
            None => Err(invalid(NO_ERROR)),
        }
    }

    /// The errors with fields that functions return, of which one with that list as its error type
    /// returns a chain. They are known by their place, and no type for hosts to show.
    fn errors(&mut self, id: TypeId) -> Result<Arc<VariantType>> {
        if let Some(known) = self.errors.get(&id) {
            return Ok(known.clone());
        }
        let def = &self.resolve.types[id];
        let TypeDefKind::Variant(variant) = &def.kind else { return Err(invalid("its errors are no variant")) };
        check_names("an error", variant.cases.iter().map(|case| case.name.as_str()))?;
        let mut cases = Vec::with_capacity(variant.cases.len());
        for (i, case) in variant.cases.iter().enumerate() {
            let ty = case.ty.as_ref().map(|ty| self.ty(ty, 0)).transpose()?;
            let fits = match ty.as_ref().map(|ty| &ty.kind) {
                Some(TypeKind::String) => i == 0 && case.name == "text",
                Some(TypeKind::Tuple(both)) => {
                    let is_pair = matches!(both.items[0].kind, TypeKind::String) && both.items.len() == 2;
                    i > 0 && is_pair && matches!(&both.items[1].kind, TypeKind::Record(record) if record.name == case.name)
                }
                _ => false,
            };
            if !fits {
                let text = "an error is text(string), the first of them, or NAME(tuple<string, NAME>) with the record NAME of its fields";
                return Err(invalid(format!("the error {}: {text}", case.name)));
            }
            cases.push(Case { name: case.name.clone(), docs: docs(&case.docs), ty });
        }
        let errors = Arc::new(VariantType::new(def.name.clone().unwrap_or_default(), docs(&def.docs), cases));
        self.errors.insert(id, errors.clone());
        Ok(errors)
    }
}

const NO_ERROR: &str = "the error of a result must be a string, or a list of the plugin's errors";

/// The variant of which a type is a list, if it is one.
fn listed_variant(resolve: &Resolve, ty: &wit_parser::Type) -> Option<TypeId> {
    let wit_parser::Type::Id(id) = ty else { return None };
    let TypeDefKind::List(item) = &resolve.types[*id].kind else { return None };
    let item = unaliased(resolve, *item)?;
    matches!(resolve.types[item].kind, TypeDefKind::Variant(_)).then_some(item)
}

/// The definition of a type, if it has one. One that another scope uses is an alias there; there
/// are no circles of them.
pub(super) fn unaliased(resolve: &Resolve, mut ty: wit_parser::Type) -> Option<TypeId> {
    while let wit_parser::Type::Id(id) = ty {
        match &resolve.types[id].kind {
            TypeDefKind::Type(alias) => ty = *alias,
            _ => return Some(id),
        }
    }
    None
}

/// The records with the fields of errors: those within the variants of which results have lists as
/// their errors. They are known before any type is read, since a record is read once.
pub(super) fn records(resolve: &Resolve, sort: Sort) -> HashSet<TypeId> {
    let mut found = HashSet::new();
    {
        // Any record that a function fails with; of a module, a function of its host's.
        let is_component = sort == Sort::Component;
        let imported = resolve.worlds.iter().flat_map(|(_, world)| world.imports.values());
        let imported: HashSet<InterfaceId> =
            imported.filter_map(|item| if let WorldItem::Interface { id, .. } = item { Some(*id) } else { None }).collect();
        let interfaces = resolve.interfaces.iter().filter(|(id, _)| is_component || imported.contains(id));
        let within = interfaces.flat_map(|(_, interface)| interface.functions.values());
        let worlds = resolve.worlds.iter().filter(|_| is_component);
        let items = worlds.flat_map(|(_, world)| world.imports.values().chain(world.exports.values()));
        let of_worlds = items.filter_map(|item| if let WorldItem::Function(function) = item { Some(function) } else { None });
        let results = within.chain(of_worlds).filter_map(|function| unaliased(resolve, function.result?));
        let errors = results.filter_map(|id| if let TypeDefKind::Result(result) = &resolve.types[id].kind { result.err } else { None });
        let errors = errors.filter_map(|error| unaliased(resolve, error));
        found.extend(errors.filter(|id| matches!(resolve.types[*id].kind, TypeDefKind::Record(_))));
    }
    let results = resolve.types.iter().filter_map(|(_, def)| match &def.kind {
        TypeDefKind::Result(result) => result.err,
        _ => None,
    });
    for variant in results.filter_map(|error| listed_variant(resolve, &error)).collect::<HashSet<_>>() {
        let TypeDefKind::Variant(variant) = &resolve.types[variant].kind else { continue };
        for ty in variant.cases.iter().filter_map(|case| case.ty) {
            let wit_parser::Type::Id(pair) = ty else { continue };
            let TypeDefKind::Tuple(pair) = &resolve.types[pair].kind else { continue };
            found.extend(pair.types.iter().filter_map(|ty| unaliased(resolve, *ty)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::error::ErrorKind;
    use crate::interface::{Interface, Type, TypeKind};

    const STORE: &str = r"
package undergo:store;

interface types {
  record entry { key: string }
  record not-found { key: string, code: s64 }
  /// The errors of this plugin.
  variant error { text(string), not-found(tuple<string, not-found>) }
}

world store {
  use types.{entry, error};
  import host: interface {
    use types.{entry, error};
    lookup: func(key: string) -> result<entry, list<error>>;
  }
  export get: func(key: string) -> result<f64, list<error>>;
  export clear: func() -> result<_, list<error>>;
  export count: func() -> u32;
}
";

    #[test]
    fn errors_with_fields_are_read() {
        let interface = Interface::parse(STORE).expect("valid");
        let get = interface.export("get").expect("get");
        assert_eq!(get.to_string(), "get(key: string) -> result<f64, list<error>>");
        let errors = get.errors.as_ref().expect("it has errors");
        assert_eq!((errors.name.as_str(), errors.docs.as_str()), ("error", "The errors of this plugin."));
        let lookup = interface.import("host", "lookup").expect("lookup");
        assert!(
            [lookup, interface.export("clear").expect("clear")]
                .iter()
                .all(|f| f.errors.as_ref().is_some_and(|own| Arc::ptr_eq(own, errors)))
        );
        assert!(interface.export("count").is_some_and(|count| count.errors.is_none() && !count.fallible));
        // The errors have no type that a host shows, but their records do.
        let named: Vec<_> = interface.types.iter().map(Type::to_string).collect();
        assert_eq!(named, ["entry", "not-found"]);
        let of_errors: Vec<_> = interface.types.iter().map(|ty| matches!(&ty.kind, TypeKind::Record(record) if record.is_error)).collect();
        assert_eq!(of_errors, [false, true]);
    }

    /// As where another interface has them.
    #[test]
    fn errors_may_have_other_names_where_they_are_used() {
        let wit = "package a:b;
interface records { record lost { key: string } }
interface errors { use records.{lost}; variant go-error { text(string), lost(tuple<string, lost>) } }
world w {
  use errors.{go-error as failure};
  use records.{lost as gone};
  export f: func() -> result<_, list<failure>>;
  export last: func() -> gone;
}
";
        let interface = Interface::parse(wit).expect("valid");
        let errors = interface.exports[0].errors.as_ref().expect("it has errors");
        assert_eq!((errors.name.as_str(), errors.cases.len()), ("go-error", 2));
        let Some(TypeKind::Record(lost)) = interface.exports[1].result.as_ref().map(|ty| &ty.kind) else { panic!("no record") };
        assert!(lost.is_error, "the same record is one of an error");
    }

    #[test]
    fn what_is_no_error_is_refused() {
        let function = "export f: func() -> result<s8, list<e>>;";
        for (types, text) in [
            ("record r { x: s8 } type e = r;", "a string, or a list of the plugin's errors"),
            ("type e = string;", "a string, or a list of the plugin's errors"),
            ("enum e { text }", "a string, or a list of the plugin's errors"),
            ("variant e { text }", "the error text: an error is text(string)"),
            ("variant e { words(string) }", "the error words:"),
            ("variant e { text(string), other(string) }", "the error other:"),
            ("variant e { text(string), busy }", "the error busy:"),
            ("record r { x: s8 } variant e { r(tuple<string, r>), text(string) }", "the error r:"),
            ("record r { x: s8 } variant e { text(string), r(r) }", "the error r:"),
            ("record r { x: s8 } variant e { text(string), s(tuple<string, r>) }", "the error s:"),
            ("record r { x: s8 } variant e { text(string), r(tuple<r, string>) }", "the error r:"),
            ("record r { x: s8 } variant e { text(string), r(tuple<string, r, r>) }", "the error r:"),
            ("variant r { x(s8) } variant e { text(string), r(tuple<string, r>) }", "the error r:"),
            (
                "record a1 { x: s8 } record a-1 { x: s8 } variant e { text(string), a1(tuple<string, a1>), a-1(tuple<string, a-1>) }",
                "the name of an error, a-1, is the same",
            ),
        ] {
            let wit = format!("package a:b; world w {{ {types} {function} }}");
            let error = Interface::parse(&wit).expect_err(&wit);
            assert_eq!(error.kind(), ErrorKind::InvalidPlugin);
            assert!(error.message().contains(text), "{wit}: {error}");
        }
        let result = |error: &str| Interface::parse(&format!("package a:b; world w {{ export f: func() -> result<s8{error}>; }}"));
        assert!(result("").is_err() && result(", list<string>").is_err() && result(", string").is_ok());
    }
}
