//! Finds the functions of Go's runtime that this crate has to know.
//!
//! Their names are in the `name` section or, if the linker has omitted that, in the table that the
//! runtime uses for its tracebacks (`runtime.pclntab`), in the module's data.

use std::collections::HashSet;

use wasmparser::{BinaryReader, DataKind, DataSectionReader, Name, NameSectionReader, Operator};

use crate::pclntab::GoNames;

/// The functions of the runtime that matter to the flow of control, by their index.
#[derive(Debug, Default)]
pub(crate) struct Runtime {
    /// Raises the panic of a nil dereference; the compiler lets no code follow its call.
    pub(crate) sigpanic: Option<u32>,
    /// Runs deferred calls. A frame may be resumed at the call itself, to call it again.
    pub(crate) deferreturn: Option<u32>,
    /// Ends a goroutine; the first frame of each returns to its second block.
    pub(crate) goexit: Option<u32>,
    /// Functions that never return to their caller.
    pub(crate) never_return: HashSet<u32>,
    /// Those of them that raise a panic.
    pub(crate) panics: HashSet<u32>,
    is_known: bool,
}

impl Runtime {
    /// Whether the runtime's functions were found.
    pub(crate) fn is_known(&self) -> bool {
        self.is_known
    }

    fn add(&mut self, index: u32, name: &str) {
        let Some(name) = name.strip_prefix("runtime.") else { return };
        self.is_known = true;
        match name {
            "sigpanic" => self.sigpanic = Some(index),
            "deferreturn" => self.deferreturn = Some(index),
            "goexit" => self.goexit = Some(index),
            _ => {}
        }
        if never_returns(name) {
            self.never_return.insert(index);
            if name == "sigpanic" || name.starts_with("panic") || name.starts_with("goPanic") {
                self.panics.insert(index);
            }
        }
    }

    /// Reads the section `name`.
    pub(crate) fn from_section(section: NameSectionReader<'_>) -> Runtime {
        let mut runtime = Runtime::default();
        for part in section {
            if let Ok(Name::Function(functions)) = part {
                for naming in functions.into_iter().map_while(Result::ok) {
                    runtime.add(naming.index, naming.name);
                }
            }
        }
        runtime
    }

    /// Reads the runtime's own table. `imported` is how many functions the module imports.
    pub(crate) fn from_data(data: DataSectionReader<'_>, imported: u32) -> Runtime {
        let mut runtime = Runtime::default();
        if let Some(names) = GoNames::find(&image(data), imported) {
            for (index, name) in names.all() {
                runtime.add(index, name);
            }
        }
        runtime
    }
}

/// Functions after whose call the compiler ends a block, and those of the runtime that end the
/// program.
fn never_returns(name: &str) -> bool {
    const OTHERS: [&str; 30] = [
        "gopanic",
        "panicdivide",
        "panicshift",
        "panicoverflow",
        "panicfloat",
        "panicmem",
        "panicwrap",
        "panicdottypeE",
        "panicdottypeI",
        "panicnildottype",
        "panicmakeslicelen",
        "panicmakeslicecap",
        "panicrangestate",
        "panicunsafestringlen",
        "panicunsafestringnilptr",
        "panicunsafeslicelen",
        "panicunsafeslicenilptr",
        "panicSimdImm",
        "morestack",
        "morestack_noctxt",
        "sigpanic",
        "throw",
        "fatal",
        "fatalthrow",
        "fatalpanic",
        "abort",
        "block",
        "badsystemstack",
        "badmcall",
        "badmcall2",
    ];
    name.starts_with("goPanic") || OTHERS.contains(&name)
}

/// Go's read-only data lies at the beginning of its memory.
const LARGEST_IMAGE: usize = 64 << 20;

/// The memory as the module's data fills it. Go leaves out zeros, so the table is in many pieces.
fn image(data: DataSectionReader<'_>) -> Vec<u8> {
    let mut image = Vec::new();
    for segment in data.into_iter().map_while(Result::ok) {
        let DataKind::Active { memory_index: 0, offset_expr } = segment.kind else { continue };
        let Ok(Operator::I32Const { value }) = offset_expr.get_operators_reader().read() else { continue };
        let start = value as u32 as usize;
        let Some(end) = start.checked_add(segment.data.len()).filter(|end| *end <= LARGEST_IMAGE) else { continue };
        if image.len() < end {
            image.resize(end, 0);
        }
        image[start..end].copy_from_slice(segment.data);
    }
    image
}

/// The version of Go that the section `producers` tells: 26 for Go 1.26.8.
pub(crate) fn go_minor(section: &[u8]) -> Option<u32> {
    let section = wasmparser::ProducersSectionReader::new(BinaryReader::new(section, 0)).ok()?;
    for field in section.into_iter().map_while(Result::ok) {
        for value in field.values.into_iter().map_while(Result::ok) {
            if matches!(value.name, "Go" | "Go cmd/compile") {
                let version = value.version.trim_start_matches("go");
                let digits = version.strip_prefix("1.")?.split(|c: char| !c.is_ascii_digit()).next()?;
                return digits.parse().ok();
            }
        }
    }
    None
}
