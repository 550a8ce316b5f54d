//! The types of an interface as RBS, Ruby's language of signatures.

use undergo::interface::{Function, Resource, ResourceType, Scalar, Shape, Side, Type, TypeKind, VariantType};

use super::text;
use crate::bindgen::classes::{CaseClass, Classes};

/// Which way a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// What the gem makes: one exact type.
    FromGuest,
    /// What it accepts, which is more.
    ToGuest,
}

/// The constants of the module.
pub(super) struct Names<'p> {
    classes: Classes,
    resources: &'p [Resource],
    /// The constants of those with objects, by their numbers.
    objects: Vec<Option<String>>,
}

impl<'p> Names<'p> {
    /// The gem finds the plugin's types by their own names in PascalCase: nothing is reserved
    /// before them, but keywords.
    pub(super) fn new(types: &[Type], resources: &'p [Resource]) -> Names<'p> {
        let mut classes = Classes::new(types, ["BEGIN", "END"]);
        let objects = resources.iter().map(|resource| (resource.ty.shape == Shape::Object).then(|| classes.declare(&resource.ty.name)));
        let objects = objects.collect();
        Names { classes: classes.with_cases(types), resources, objects }
    }

    /// A new name for a constant.
    pub(super) fn constant(&mut self, kebab: &str) -> String {
        self.classes.declare(kebab)
    }

    /// The class of a resource's objects, or the module of what the host gives for it.
    pub(super) fn object(&self, resource: &ResourceType) -> String {
        self.objects.get(resource.number).cloned().flatten().unwrap_or_else(|| "untyped".to_owned())
    }

    /// What is passed as a handle.
    fn handle(&self, resource: &ResourceType) -> String {
        // Who takes what the host gives is the guest, and the other way round.
        let (item, given, answered) = match resource.side {
            Side::Guest => ("Enumerator", Direction::ToGuest, Direction::FromGuest),
            Side::Host => ("Enumerable", Direction::FromGuest, Direction::ToGuest),
        };
        let function = self.resources.get(resource.number).and_then(|resource| resource.methods.first());
        match (resource.shape, resource.side) {
            (Shape::Object, _) => self.object(resource),
            (Shape::Callback, _) => {
                let signature = function.map_or_else(|| "(?) -> untyped".to_owned(), |call| self.signature(call, given, answered));
                format!("^{signature}")
            }
            (Shape::Iterator, side) => {
                let items = function.and_then(|next| self.items(next, answered)).unwrap_or_else(|| "untyped".to_owned());
                if side == Side::Guest { format!("{item}[{items}, nil]") } else { format!("{item}[{items}]") }
            }
            (Shape::Reader, Side::Guest) => "Undergo::Reader".to_owned(),
            (Shape::Writer, Side::Guest) => "Undergo::Writer".to_owned(),
            (Shape::Reader, Side::Host) => "_Reader".to_owned(),
            (Shape::Writer, Side::Host) => "_Writer".to_owned(),
        }
    }

    /// The items of an iterator's batches.
    fn items(&self, next: &Function, direction: Direction) -> Option<String> {
        let TypeKind::Tuple(batch) = &next.result.as_ref()?.kind else { return None };
        let TypeKind::List(item) = &batch.items.first()?.kind else { return None };
        Some(self.show(item, direction))
    }

    /// The constant of a record, an enum or a variant.
    pub(super) fn of(&self, kebab: &str) -> String {
        self.classes.of(kebab)
    }

    /// The cases of a variant with their classes.
    pub(super) fn cases<'v>(&self, variant: &'v VariantType) -> Vec<CaseClass<'v>> {
        self.classes.cases(variant)
    }

    pub(super) fn show(&self, ty: &Type, direction: Direction) -> String {
        let accepts = direction == Direction::ToGuest;
        match &ty.kind {
            TypeKind::Bool => "bool".to_owned(),
            TypeKind::Scalar(Scalar::F32 | Scalar::F64) => if accepts { "Numeric" } else { "Float" }.to_owned(),
            TypeKind::Scalar(_) => "Integer".to_owned(),
            TypeKind::String => "String".to_owned(),
            TypeKind::Json => "untyped".to_owned(),
            TypeKind::Duration => if accepts { "Numeric" } else { "Rational" }.to_owned(),
            TypeKind::Time => "Time".to_owned(),
            TypeKind::List(item) if matches!(item.kind, TypeKind::Scalar(Scalar::U8)) => "String".to_owned(),
            TypeKind::List(item) => format!("Array[{}]", self.show(item, direction)),
            TypeKind::Map(map) => format!("Hash[{}, {}]", self.show(&map.key, direction), self.show(&map.value, direction)),
            TypeKind::Option(inner) => match self.show(inner, direction) {
                nested if nested == "untyped" || nested.ends_with('?') => nested,
                plain if plain.contains(" | ") || plain.starts_with('^') => format!("({plain})?"),
                plain => format!("{plain}?"),
            },
            TypeKind::Tuple(tuple) => {
                let items: Vec<String> = tuple.items.iter().map(|item| self.show(item, direction)).collect();
                format!("[{}]", items.join(", "))
            }
            TypeKind::Record(record) if accepts => format!("{} | Hash[Symbol, untyped]", self.of(&record.name)),
            TypeKind::Record(record) => self.of(&record.name),
            TypeKind::Enum(_) if accepts => "Symbol | String".to_owned(),
            TypeKind::Enum(_) => "Symbol".to_owned(),
            TypeKind::Variant(variant) if accepts => format!("{} | Hash[Symbol, untyped]", self.of(&variant.name)),
            TypeKind::Variant(variant) => self.of(&variant.name),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => self.handle(resource),
        }
    }

    /// The signature of a function: `(Person p, bool shout) -> String`.
    pub(super) fn signature(&self, function: &Function, given: Direction, answered: Direction) -> String {
        let params = function.own_params().iter().map(|param| {
            let shown = self.show(&param.ty, given);
            let is_apart = shown.starts_with('^') || (shown.contains(" | ") && !shown.ends_with('?'));
            let shown = if is_apart { format!("({shown})") } else { shown };
            format!("{shown} {}", text::identifier(&param.name))
        });
        let result = function.result.as_ref().map_or_else(|| "void".to_owned(), |ty| self.show(ty, answered));
        let result = if result.contains(" | ") && !result.ends_with('?') { format!("({result})") } else { result };
        format!("({}) -> {result}", params.collect::<Vec<_>>().join(", "))
    }
}
