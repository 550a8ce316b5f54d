//! Which functions of a module are those of Go's runtime that this crate has to know.
//!
//! Their names are in the `name` section or, where the linker has left that out, in the table that
//! the runtime has for its own tracebacks (`runtime.pclntab`), in the module's data.

use std::collections::HashSet;

use memchr::memmem;
use wasmparser::{BinaryReader, DataKind, DataSectionReader, Name, NameSectionReader, Operator};

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
        let image = image(data);
        // All tables together have no more entries than there is room for: a hostile module has thousands of headers.
        let mut steps = image.len() / 8;
        // Constants of the runtime look like the beginning of the table, too, with none behind them.
        for at in memmem::find_iter(&image, &HEADER) {
            let is_table = runtime.read_table(&image[at..], imported, &mut steps).is_some();
            if (is_table && runtime.is_known) || steps == 0 {
                break;
            }
        }
        runtime
    }

    /// `runtime.pcHeader` and `runtime._func` of Go 1.20 and later.
    fn read_table(&mut self, table: &[u8], imported: u32, steps: &mut usize) -> Option<()> {
        let word = |n: usize| usize::try_from(u64::from_le_bytes(*table.get(8 + 8 * n..)?.first_chunk()?)).ok();
        let count = word(0).filter(|count| *count > 0)?;
        let names = table.get(word(3)?..)?;
        let functions = table.get(word(7)?..)?;
        functions.get(..count.checked_mul(8)?)?;
        let first = read(functions, 0)?;
        // A PC is the number of a function, 16 bits up before Go 1.26.
        let shift = if read(functions, 8)?.wrapping_sub(first) < 1 << 16 { 0 } else { 16 };
        for entry in 0..count {
            *steps = steps.checked_sub(1)?;
            let number = read(functions, entry * 8)?.wrapping_sub(first) >> shift;
            let function = read(functions, entry * 8 + 4)? as usize;
            let name = names.get(read(functions, function.checked_add(4)?)? as usize..)?;
            let end = memchr::memchr(0, &name[..name.len().min(LONGEST_NAME)])?;
            if let (Some(index), Ok(name)) = (imported.checked_add(number), str::from_utf8(&name[..end])) {
                self.add(index, name);
            }
        }
        Some(())
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

/// The beginning of `runtime.pcHeader`: its magic number, two zeros, the quantum of a PC, and the
/// size of a pointer.
const HEADER: [u8; 8] = [0xF1, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8];

/// What is longer is no name.
const LONGEST_NAME: usize = 1 << 10;

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

fn read(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
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
