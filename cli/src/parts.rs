//! What a module or a component is made of: sections, what is nested in it, and who made it.

use std::collections::HashSet;

use undergo::host::component_section;
use undergo::{Error, ErrorKind, Result, Section};
use wasmparser::{ComponentName, CustomSectionReader, KnownCustom, Name, Parser, Payload};

/// The parts, in order. Their names are whatever the file says.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) sections: Vec<Section>,
    pub(crate) nested: Vec<Nested>,
    /// Those of what is nested too, each once.
    pub(crate) producers: Vec<Producer>,
}

/// A module or a component in a component.
pub(crate) struct Nested {
    /// Its number in the component that it is in, after that one's, as `1.0`.
    pub(crate) path: String,
    pub(crate) kind: &'static str,
    pub(crate) name: Option<String>,
    pub(crate) size: usize,
}

/// A language or a tool that had a part in it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Producer {
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) version: String,
}

/// The producers that are read; a file has a handful.
const MAX_PRODUCERS: usize = 1000;

impl Parts {
    /// Reads a file that has been read before, with all bounds.
    pub(crate) fn read(bytes: &[u8]) -> Result<Parts> {
        let (mut parts, mut known) = (Parts::default(), HashSet::new());
        // How many each open component has, and the one that is described, from the outside in.
        let mut counts = vec![0_usize];
        let mut open: Vec<usize> = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(|error| {
                Error::new(ErrorKind::InvalidPlugin, format!("it is damaged: {} (at byte {})", error.message(), error.offset()))
            })?;
            if open.is_empty()
                && let Some((id, range)) = payload.as_section()
            {
                let name = match &payload {
                    Payload::CustomSection(custom) => custom.name(),
                    // A module's come from elsewhere.
                    _ => component_section(id),
                };
                parts.sections.push(Section { name: name.to_owned(), size: range.len() });
            }
            let nested = match &payload {
                Payload::ModuleSection { unchecked_range, .. } => Some(("module", unchecked_range)),
                Payload::ComponentSection { unchecked_range, .. } => Some(("component", unchecked_range)),
                Payload::CustomSection(custom) => {
                    parts.custom(custom, open.last().copied(), &mut known);
                    None
                }
                Payload::End(_) => {
                    open.pop();
                    counts.truncate(open.len() + 1);
                    None
                }
                _ => None,
            };
            if let Some((kind, range)) = nested {
                let number = counts.last_mut().map_or(0, |count| std::mem::replace(count, *count + 1));
                let path = match open.last() {
                    Some(outer) => format!("{}.{number}", parts.nested[*outer].path),
                    None => number.to_string(),
                };
                open.push(parts.nested.len());
                counts.push(0);
                parts.nested.push(Nested { path, kind, name: None, size: range.len() });
            }
        }
        Ok(parts)
    }

    /// A section that engines ignore: a damaged one is left out.
    fn custom(&mut self, custom: &CustomSectionReader<'_>, within: Option<usize>, known: &mut HashSet<Producer>) {
        let name = match custom.as_known() {
            KnownCustom::Name(mut names) => match names.next() {
                Some(Ok(Name::Module { name, .. })) => name,
                _ => return,
            },
            KnownCustom::ComponentName(mut names) => match names.next() {
                Some(Ok(ComponentName::Component { name, .. })) => name,
                _ => return,
            },
            KnownCustom::Producers(fields) => {
                for field in fields.into_iter().flatten() {
                    for value in field.values.into_iter().flatten() {
                        let producer =
                            Producer { field: field.name.to_owned(), name: value.name.to_owned(), version: value.version.to_owned() };
                        if known.len() < MAX_PRODUCERS && known.insert(producer.clone()) {
                            self.producers.push(producer);
                        }
                    }
                }
                return;
            }
            _ => return,
        };
        if let Some(nested) = within {
            self.nested[nested].name = Some(name.to_owned());
        }
    }

    /// The version of Go that compiled a part of it: `go1.26.8`, say.
    pub(crate) fn go(&self) -> Option<String> {
        let go = self.producers.iter().find(|producer| matches!(producer.name.as_str(), "Go" | "Go cmd/compile"))?;
        let version = go.version.split_whitespace().next().unwrap_or_default();
        (version.len() < 64 && version.chars().all(|c| c.is_ascii_graphic())).then(|| version.to_owned())
    }
}
