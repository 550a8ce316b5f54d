//! Interfaces that a component both imports and exports. Their resources are two types each, one of
//! the host and one of the component, and so is what holds handles of them. All other types are the
//! same on both sides.

use std::collections::{HashMap, HashSet};

use wit_parser::{Handle, PackageId, Resolve, Type, TypeDef, TypeDefKind, TypeId, WorldId, WorldItem};

/// Each name counts, and each list or option between them.
const MAX_NESTED: usize = 256;

/// The types of such interfaces.
#[derive(Default)]
pub(super) struct BothWays {
    /// Without handles: that of the import, by that of the export.
    pub(super) same: HashMap<TypeId, TypeId>,
    /// With handles: that of the export, by that of the import.
    pub(super) of_host: HashMap<TypeId, TypeId>,
}

/// Gives the exported ones types of their own, if any such interface of the package's world has
/// resources. The error says what is wrong with the text.
pub(super) fn split(resolve: &mut Resolve, package: PackageId) -> Result<BothWays, String> {
    let mut found = BothWays::default();
    let worlds: Vec<WorldId> = resolve.packages[package].worlds.values().copied().collect();
    // Of several worlds none is read.
    let [world] = worlds[..] else { return Ok(found) };
    if !is_needed(resolve, world) {
        return Ok(found);
    }
    let uses = Uses::of(resolve);
    let holding = uses.holding(resolve);
    if uses.are_deeper_than(MAX_NESTED) {
        return Err("its types are nested too deeply".to_owned());
    }
    resolve.generate_nominal_type_ids(world);
    for item in resolve.worlds[world].exports.values() {
        let WorldItem::Interface { id, .. } = item else { continue };
        let exported = &resolve.interfaces[*id];
        let Some(imported) = exported.clone_of.map(|of| &resolve.interfaces[of]) else { continue };
        for (name, own) in &exported.types {
            let Some(of_import) = imported.types.get(name) else { continue };
            if holding.contains(of_import) {
                found.of_host.insert(*of_import, *own);
            } else {
                found.same.insert(*own, *of_import);
            }
        }
    }
    Ok(found)
}

fn is_needed(resolve: &Resolve, world: WorldId) -> bool {
    let world = &resolve.worlds[world];
    let has_resources = |id| {
        let mut types = resolve.interfaces[id].types.values();
        types.any(|ty| matches!(resolve.types[*ty].kind, TypeDefKind::Resource))
    };
    let interface = |item: &WorldItem| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    };
    let imported: HashSet<_> = world.imports.values().filter_map(interface).collect();
    world.exports.values().filter_map(interface).any(|id| imported.contains(&id) && has_resources(id))
}

/// What is said of types by what they consist of.
#[derive(Default)]
struct Uses {
    users: HashMap<TypeId, Vec<TypeId>>,
    /// How many of its parts a type has.
    parts: HashMap<TypeId, usize>,
}

impl Uses {
    fn of(resolve: &Resolve) -> Uses {
        let mut uses = Uses::default();
        for (id, def) in resolve.types.iter() {
            let mut count = 0;
            parts(&def.kind, |part| {
                uses.users.entry(part).or_default().push(id);
                count += 1;
            });
            uses.parts.insert(id, count);
        }
        uses
    }

    /// Whether types are nested deeper than that. A text may nest as many as it has lines, for
    /// which no recursive walk has the stack.
    fn are_deeper_than(mut self, most: usize) -> bool {
        let mut left: Vec<_> = self.parts.iter().filter(|(_, count)| **count == 0).map(|(id, _)| (*id, 1)).collect();
        let mut depths: HashMap<TypeId, usize> = HashMap::new();
        while let Some((id, depth)) = left.pop() {
            if depth > most {
                return true;
            }
            for user in self.users.remove(&id).unwrap_or_default() {
                let deepest = depths.entry(user).or_default();
                *deepest = (*deepest).max(depth + 1);
                let count = self.parts.entry(user).or_default();
                *count = count.saturating_sub(1);
                if *count == 0 {
                    left.push((user, *deepest));
                }
            }
        }
        false
    }

    /// All types that are resources, or that hold handles of some.
    fn holding(&self, resolve: &Resolve) -> HashSet<TypeId> {
        let is_resource = |(id, def): (TypeId, &TypeDef)| matches!(def.kind, TypeDefKind::Resource).then_some(id);
        let mut left: Vec<_> = resolve.types.iter().filter_map(is_resource).collect();
        let mut found = HashSet::new();
        while let Some(id) = left.pop() {
            if found.insert(id) {
                left.extend(self.users.get(&id).into_iter().flatten());
            }
        }
        found
    }
}

/// The types that a type consists of.
fn parts(kind: &TypeDefKind, mut part: impl FnMut(TypeId)) {
    let mut each = |ty: &Type| {
        if let Type::Id(id) = ty {
            part(*id);
        }
    };
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().for_each(|field| each(&field.ty)),
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => part(*id),
        TypeDefKind::Tuple(tuple) => tuple.types.iter().for_each(each),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).for_each(each),
        TypeDefKind::Option(ty) | TypeDefKind::List(ty) | TypeDefKind::FixedLengthList(ty, _) | TypeDefKind::Type(ty) => each(ty),
        TypeDefKind::Future(ty) | TypeDefKind::Stream(ty) => ty.iter().for_each(each),
        TypeDefKind::Result(result) => result.ok.iter().chain(&result.err).for_each(each),
        TypeDefKind::Map(key, value) => [key, value].into_iter().for_each(each),
        TypeDefKind::Resource | TypeDefKind::Flags(_) | TypeDefKind::Enum(_) | TypeDefKind::Unknown => {}
    }
}
