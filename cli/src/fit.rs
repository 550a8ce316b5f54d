//! Whether a component or a plugin fits a world: it imports no more than the world has, and exports
//! all that it asks for, with the same types.

use std::collections::HashSet;

use undergo::host::escape;
use wit_component::WitPrinter;
use wit_parser::{Function, Handle, Interface, Resolve, Type, TypeDefKind, TypeId, TypeOwner, World, WorldId, WorldItem, WorldKey};

use crate::plugin;
use crate::worlds::guarded;

/// A reason why its world does not fit the wanted one.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The function that it is about, as its interface names it, if it is about one.
    pub(crate) function: Option<String>,
    pub(crate) text: String,
}

/// What keeps its world from fitting the wanted one.
pub(crate) fn problems(own: &Resolve, world: WorldId, wanted: &Resolve, into: WorldId) -> Vec<Problem> {
    let compared = guarded(|| {
        let mut fit = Fit { own, wanted, same: HashSet::new(), problems: Vec::new() };
        fit.worlds(&own.worlds[world], &wanted.worlds[into]);
        fit.problems
    });
    compared.unwrap_or_else(|| vec![Problem { function: None, text: "its interface can't be compared".to_owned() }])
}

/// Bytes of an explanation.
const MAX_WHY: usize = 500;

type Compared = Result<(), String>;

struct Fit<'a> {
    own: &'a Resolve,
    wanted: &'a Resolve,
    /// Types that were found to be the same, or that are being compared.
    same: HashSet<(TypeId, TypeId)>,
    problems: Vec<Problem>,
}

impl Fit<'_> {
    fn worlds(&mut self, own: &World, wanted: &World) {
        let (mine, theirs) = (self.own, self.wanted);
        for (key, item) in &own.imports {
            let name = mine.name_world_key(key);
            // Every host gives these by itself.
            if !name.starts_with(plugin::PROVIDED) {
                let other = find(theirs, wanted.imports.iter(), &mine.name_canonicalized_world_key(key));
                self.items("imports", &name, item, other, &wanted.name);
            }
        }
        for (key, item) in &wanted.exports {
            let name = theirs.name_world_key(key);
            match find(mine, own.exports.iter(), &theirs.name_canonicalized_world_key(key)) {
                Some(found) => self.items("exports", &name, found, Some(item), &wanted.name),
                None if is_empty(theirs, item) => {}
                None => self.problem(None, format!("it does not export {name}, which the world {} asks for", wanted.name)),
            }
        }
    }

    /// Compares what it imports or exports with what the world has under that name.
    fn items(&mut self, verb: &str, name: &str, own: &WorldItem, wanted: Option<&WorldItem>, world: &str) {
        let compared = match (own, wanted) {
            (WorldItem::Interface { id, .. }, Some(WorldItem::Interface { id: other, .. })) => {
                let (own, wanted) = (&self.own.interfaces[*id], &self.wanted.interfaces[*other]);
                return self.interfaces(verb, name, own, wanted);
            }
            (WorldItem::Function(own), Some(WorldItem::Function(wanted))) => self.functions(own, wanted),
            (WorldItem::Type { id, .. }, Some(WorldItem::Type { id: other, .. })) => self.ids(*id, *other),
            (_, Some(_)) => Err("the world has something of another kind under that name".to_owned()),
            // Names for types of interfaces are no demand.
            (WorldItem::Type { id, .. }, None) if !matches!(self.own.types[*id].kind, TypeDefKind::Resource) => Ok(()),
            (item, None) if is_empty(self.own, item) => Ok(()),
            (_, None) => Err(format!("the world {world} does not have it")),
        };
        if let Err(why) = compared {
            let function = match own {
                WorldItem::Function(_) => Some(name),
                WorldItem::Interface { id, .. } => self.own.interfaces[*id].functions.keys().next().map(String::as_str),
                WorldItem::Type { .. } => None,
            };
            self.problem(function, format!("it {verb} {name}, and {why}"));
        }
    }

    fn interfaces(&mut self, verb: &str, name: &str, own: &Interface, wanted: &Interface) {
        // It may use less than the world has, and have more than the world asks for.
        let names = if verb == "imports" { own.functions.keys() } else { wanted.functions.keys() };
        for function in names {
            let compared = match (own.functions.get(function), wanted.functions.get(function)) {
                (Some(own), Some(wanted)) => self.functions(own, wanted),
                (Some(_), None) => Err("the world does not have it".to_owned()),
                (None, _) => Err("it does not have it".to_owned()),
            };
            if let Err(why) = compared {
                self.problem(Some(function), format!("of {name}, which it {verb}, the function {function}: {why}"));
            }
        }
    }

    fn problem(&mut self, function: Option<&str>, text: String) {
        self.problems.push(Problem { function: function.map(str::to_owned), text });
    }

    fn functions(&mut self, own: &Function, wanted: &Function) -> Compared {
        if own.kind.is_async() != wanted.kind.is_async() {
            return Err("one of them is async".to_owned());
        }
        let names = |function: &Function| function.params.iter().map(|param| param.name.as_str()).collect::<Vec<_>>().join(", ");
        if !own.params.iter().map(|param| &param.name).eq(wanted.params.iter().map(|param| &param.name)) {
            return Err(format!("its parameters are ({}), and the world has ({})", names(own), names(wanted)));
        }
        for (own, wanted) in own.params.iter().zip(&wanted.params) {
            self.types(&own.ty, &wanted.ty).map_err(|why| within(&own.name, &why))?;
        }
        self.optional(own.result.as_ref(), wanted.result.as_ref()).map_err(|why| within("the result", &why))
    }

    fn optional(&mut self, own: Option<&Type>, wanted: Option<&Type>) -> Compared {
        match (own, wanted) {
            (Some(own), Some(wanted)) => self.types(own, wanted),
            (None, None) => Ok(()),
            (Some(own), None) => Err(format!("it has {}, and the world has nothing", type_name(self.own, own))),
            (None, Some(wanted)) => Err(format!("it has nothing, and the world has {}", type_name(self.wanted, wanted))),
        }
    }

    fn types(&mut self, own: &Type, wanted: &Type) -> Compared {
        match (bare(self.own, *own), bare(self.wanted, *wanted)) {
            (Type::Id(own), Type::Id(wanted)) => self.ids(own, wanted),
            (mine, theirs) if mine == theirs => Ok(()),
            _ => Err(self.differ(own, wanted)),
        }
    }

    fn differ(&self, own: &Type, wanted: &Type) -> String {
        format!("it has {}, and the world has {}", type_name(self.own, own), type_name(self.wanted, wanted))
    }

    fn ids(&mut self, own: TypeId, wanted: TypeId) -> Compared {
        if !self.same.insert((own, wanted)) {
            return Ok(());
        }
        let (mine, theirs) = (&self.own.types[own].kind, &self.wanted.types[wanted].kind);
        match (mine, theirs) {
            (TypeDefKind::Type(own), TypeDefKind::Type(wanted)) => self.types(own, wanted),
            (TypeDefKind::Record(own), TypeDefKind::Record(wanted)) => self.named(
                "fields",
                own.fields.iter().map(|field| (&field.name, Some(&field.ty))),
                wanted.fields.iter().map(|field| (&field.name, Some(&field.ty))),
            ),
            (TypeDefKind::Variant(own), TypeDefKind::Variant(wanted)) => self.named(
                "cases",
                own.cases.iter().map(|case| (&case.name, case.ty.as_ref())),
                wanted.cases.iter().map(|case| (&case.name, case.ty.as_ref())),
            ),
            (TypeDefKind::Enum(own), TypeDefKind::Enum(wanted)) => {
                self.named("cases", own.cases.iter().map(|case| (&case.name, None)), wanted.cases.iter().map(|case| (&case.name, None)))
            }
            (TypeDefKind::Flags(own), TypeDefKind::Flags(wanted)) => {
                self.named("flags", own.flags.iter().map(|flag| (&flag.name, None)), wanted.flags.iter().map(|flag| (&flag.name, None)))
            }
            (TypeDefKind::Tuple(own), TypeDefKind::Tuple(wanted)) if own.types.len() == wanted.types.len() => {
                own.types.iter().zip(&wanted.types).try_for_each(|(own, wanted)| self.types(own, wanted))
            }
            (TypeDefKind::Result(own), TypeDefKind::Result(wanted)) => {
                self.optional(own.ok.as_ref(), wanted.ok.as_ref())?;
                self.optional(own.err.as_ref(), wanted.err.as_ref())
            }
            (TypeDefKind::List(own), TypeDefKind::List(wanted)) | (TypeDefKind::Option(own), TypeDefKind::Option(wanted)) => {
                self.types(own, wanted)
            }
            (TypeDefKind::FixedLengthList(own, length), TypeDefKind::FixedLengthList(wanted, other)) if length == other => {
                self.types(own, wanted)
            }
            (TypeDefKind::Map(key, value), TypeDefKind::Map(other, of_other)) => {
                self.types(key, other)?;
                self.types(value, of_other)
            }
            (TypeDefKind::Future(own), TypeDefKind::Future(wanted)) | (TypeDefKind::Stream(own), TypeDefKind::Stream(wanted)) => {
                self.optional(own.as_ref(), wanted.as_ref())
            }
            (TypeDefKind::Handle(Handle::Own(own)), TypeDefKind::Handle(Handle::Own(wanted)))
            | (TypeDefKind::Handle(Handle::Borrow(own)), TypeDefKind::Handle(Handle::Borrow(wanted))) => {
                self.types(&Type::Id(*own), &Type::Id(*wanted))
            }
            // Resources are the same by name only.
            (TypeDefKind::Resource, TypeDefKind::Resource) if resource(self.own, own) == resource(self.wanted, wanted) => Ok(()),
            _ => Err(self.differ(&Type::Id(own), &Type::Id(wanted))),
        }
    }

    /// Compares names in their order, and the types that go with them.
    fn named<'b>(
        &mut self,
        what: &str,
        own: impl Iterator<Item = (&'b String, Option<&'b Type>)>,
        wanted: impl Iterator<Item = (&'b String, Option<&'b Type>)>,
    ) -> Compared {
        let (own, wanted): (Vec<_>, Vec<_>) = (own.collect(), wanted.collect());
        if !own.iter().map(|(name, _)| name).eq(wanted.iter().map(|(name, _)| name)) {
            let list = |all: &[(&String, Option<&Type>)]| {
                let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
                escape::bounded(&names.join(", "), MAX_WHY).into_owned()
            };
            return Err(format!("it has the {what} {}, and the world has {}", list(&own), list(&wanted)));
        }
        for ((name, own), (_, wanted)) in own.iter().zip(&wanted) {
            self.optional(*own, *wanted).map_err(|why| within(name, &why))?;
        }
        Ok(())
    }
}

/// The item of that name. Versions of an interface that hosts take for each other are the same.
fn find<'a>(resolve: &Resolve, mut items: impl Iterator<Item = (&'a WorldKey, &'a WorldItem)>, name: &str) -> Option<&'a WorldItem> {
    items.find(|(key, _)| resolve.name_canonicalized_world_key(key) == name).map(|(_, item)| item)
}

/// Whether it is an interface of types only, which asks for nothing.
fn is_empty(resolve: &Resolve, item: &WorldItem) -> bool {
    let WorldItem::Interface { id, .. } = item else { return false };
    let interface = &resolve.interfaces[*id];
    interface.functions.is_empty() && !interface.types.values().any(|id| matches!(resolve.types[*id].kind, TypeDefKind::Resource))
}

/// The type that other names stand for.
fn bare(resolve: &Resolve, mut ty: Type) -> Type {
    while let Type::Id(id) = ty
        && let TypeDefKind::Type(inner) = resolve.types[id].kind
    {
        ty = inner;
    }
    ty
}

/// A resource's name, and that of its interface.
fn resource(resolve: &Resolve, id: TypeId) -> (Option<&str>, Option<String>) {
    let def = &resolve.types[id];
    let owner = match def.owner {
        TypeOwner::Interface(interface) => resolve.canonicalized_id_of(interface),
        _ => None,
    };
    (def.name.as_deref(), owner)
}

fn within(name: &str, why: &str) -> String {
    // A stranger's types can be nested without end.
    if why.len() > MAX_WHY { why.to_owned() } else { format!("{name}: {why}") }
}

fn type_name(resolve: &Resolve, ty: &Type) -> String {
    let mut printer = WitPrinter::default();
    match printer.print_type_name(resolve, ty) {
        Ok(()) => escape::bounded(&printer.output.to_string(), MAX_WHY).into_owned(),
        Err(_) => "another type".to_owned(),
    }
}
