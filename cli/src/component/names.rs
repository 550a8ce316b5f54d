//! The names of what a core module imports and exports, made those of the world that it is to have.

use std::collections::HashMap;

use anyhow::{Result, bail};
use wasm_encoder::{Encode, Module, RawSection};
use wasmparser::{BinaryReader, Parser, Payload};

/// What comes before the name of a function that is called after the one with the rest of the name.
const POST_RETURN: &str = "cabi_post_";

/// What comes before the name of an interface whose resources the module has itself.
const EXPORTED: &str = "[export]";

/// New names.
#[derive(Default)]
pub(super) struct Names {
    /// Of exported functions: `add` becomes `acme:calc/sums#add`.
    functions: HashMap<String, String>,
    /// Of interfaces: `directory` becomes `acme:people/directory@1.0.0`.
    interfaces: HashMap<String, String>,
}

impl Names {
    pub(super) fn function(&mut self, from: &str, into: String) {
        self.functions.insert(from.to_owned(), into);
    }

    pub(super) fn interface(&mut self, from: &str, into: &str) {
        if from != into {
            self.interfaces.insert(from.to_owned(), into.to_owned());
        }
    }

    pub(super) fn of_import<'a>(&'a self, module: &'a str) -> &'a str {
        self.interfaces.get(module).map_or(module, String::as_str)
    }

    fn import(&self, module: &str) -> String {
        match module.strip_prefix(EXPORTED) {
            Some(interface) => format!("{EXPORTED}{}", self.of_import(interface)),
            None => self.of_import(module).to_owned(),
        }
    }

    fn export(&self, name: &str) -> String {
        if let Some(function) = name.strip_prefix(POST_RETURN) {
            return format!("{POST_RETURN}{}", self.export(function));
        }
        if let Some(name) = self.functions.get(name) {
            return name.clone();
        }
        match name.split_once('#') {
            Some((interface, function)) => format!("{}#{function}", self.of_import(interface)),
            None => name.to_owned(),
        }
    }

    /// The module with the new names.
    pub(super) fn apply(&self, module: &[u8]) -> Result<Vec<u8>> {
        if self.functions.is_empty() && self.interfaces.is_empty() {
            return Ok(module.to_vec());
        }
        let mut made = Module::new();
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            let Some((id, range)) = payload.as_section() else { continue };
            let contents = &module[range];
            let data = match payload {
                Payload::ImportSection(_) => self.imports(contents)?,
                Payload::ExportSection(_) => self.exports(contents)?,
                _ => contents.to_vec(),
            };
            made.section(&RawSection { id, data: &data });
        }
        Ok(made.finish())
    }

    fn imports(&self, section: &[u8]) -> Result<Vec<u8>> {
        let mut reader = BinaryReader::new(section, 0);
        let mut data = Vec::with_capacity(section.len());
        let count = reader.read_var_u32()?;
        count.encode(&mut data);
        for _ in 0..count {
            self.import(reader.read_string()?).encode(&mut data);
            reader.read_string()?.encode(&mut data);
            let kind = reader.read_u8()?;
            if kind != 0 {
                bail!("it imports more than functions");
            }
            data.push(kind);
            reader.read_var_u32()?.encode(&mut data);
        }
        Ok(data)
    }

    fn exports(&self, section: &[u8]) -> Result<Vec<u8>> {
        let mut reader = BinaryReader::new(section, 0);
        let mut data = Vec::with_capacity(section.len());
        let count = reader.read_var_u32()?;
        count.encode(&mut data);
        for _ in 0..count {
            self.export(reader.read_string()?).encode(&mut data);
            data.push(reader.read_u8()?);
            reader.read_var_u32()?.encode(&mut data);
        }
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_wherever_they_stand() {
        let mut names = Names::default();
        names.function("add", "acme:calc/sums#add".to_owned());
        names.interface("undergo:calc/api", "acme:calc/api@1.0.0");
        names.interface("directory", "acme:people/directory");
        let module = wat::parse_str(
            r#"(module
                (import "directory" "lookup" (func))
                (import "[export]undergo:calc/api" "[resource-new]page" (func (param i32) (result i32)))
                (import "other" "add" (func))
                (func (export "add"))
                (func (export "cabi_post_add"))
                (func (export "cabi_post_undergo:calc/api#[method]page.text"))
                (func (export "undergo:calc/api#[method]page.text"))
                (memory (export "memory") 1))"#,
        )
        .expect("a module");
        let made = names.apply(&module).expect("renamed");
        wasmparser::Validator::new().validate_all(&made).expect("valid");
        let text: Vec<String> = Parser::new(0)
            .parse_all(&made)
            .filter_map(|payload| match payload.expect("a section") {
                Payload::ImportSection(section) => Some(
                    section
                        .into_imports()
                        .map(|import| import.expect("an import"))
                        .map(|import| format!("{} {}", import.module, import.name))
                        .collect(),
                ),
                Payload::ExportSection(section) => {
                    Some(section.into_iter().map(|export| export.expect("an export").name.to_owned()).collect())
                }
                _ => None,
            })
            .flat_map(|names: Vec<String>| names)
            .collect();
        assert_eq!(
            text,
            [
                "acme:people/directory lookup",
                "[export]acme:calc/api@1.0.0 [resource-new]page",
                "other add",
                "acme:calc/sums#add",
                "cabi_post_acme:calc/sums#add",
                "cabi_post_acme:calc/api@1.0.0#[method]page.text",
                "acme:calc/api@1.0.0#[method]page.text",
                "memory"
            ]
        );
    }
}
