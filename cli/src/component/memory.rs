//! Memory for the adapter of WASI in a module of Go.
//!
//! The adapter keeps its state and its stack in the module's memory, and grows that for them, which
//! Go's runtime does not expect: it takes the end of its data for the beginning of its heap, and
//! all memory that is there when it grows for its own. To ask the runtime for memory does not do
//! either, because the adapter is called before there is a runtime. So the end of the data is set
//! behind some memory for the adapter, and a function of its own gives it that.

use anyhow::{Context, Result, bail};
use memchr::memmem;
use wasm_encoder::{BlockType, Encode, Function, MemArg, Module, RawSection, ValType};
use wasmparser::{BinaryReader, DataKind, Operator, Parser, Payload};

/// Bytes for the adapter: its state and its stack take a page of 64 KiB each.
const RESERVED: u32 = 3 << 16;

/// The name under which the encoder of components looks for it.
const EXPORT: &str = "cabi_realloc_adapter";

/// `runtime.pcHeader`: the magic number, two zeros, the quantum of a PC, and the size of a pointer.
const HEADER: [u8; 8] = [0xF1, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8];

/// Bytes of data. Go's linker makes nothing larger.
const LARGEST: usize = 1 << 30;

/// Far more than a module has of what looks like one.
const MOST_HEADERS: usize = 64;

/// Words of `runtime.moduledata` in Go 1.24 to 1.27: the bounds of what lies in memory, in order.
const BOUNDS: [usize; 8] = [24, 25, 26, 27, 28, 29, 30, 31];

/// The word that is the end of all data.
const END: usize = 34;

/// The module with memory reserved.
pub(super) fn reserve(module: &[u8]) -> Result<Vec<u8>> {
    let data = Data::read(module)?;
    let (place, end) =
        data.find_end().context("the data of Go's runtime is not where Go 1.24 to 1.27 has it: build it with one of them")?;
    if u64::from(end) + u64::from(RESERVED) + 16 > data.memory.min(u64::from(u32::MAX)) {
        bail!("its memory is smaller at the beginning than Go makes it");
    }
    let base = end.next_multiple_of(16);
    let new_end = base + RESERVED;
    let mut patched = module.to_vec();
    for (n, byte) in (0..).zip(new_end.to_le_bytes()) {
        match data.offset(place + n) {
            Some(at) => patched[at] = byte,
            // Zeros have no place in the file.
            None if byte == 0 => {}
            None => bail!("the end of its data is not in its data"),
        }
    }
    add_allocator(&patched, base)
}

/// The data that a module's memory has at the beginning.
struct Data {
    /// By address.
    segments: Vec<Segment>,
    /// All of it, as it lies in memory: the linker leaves zeros out, also within numbers.
    image: Vec<u8>,
    /// The size of its memory at the beginning.
    memory: u64,
}

struct Segment {
    address: usize,
    /// Where in the file it is.
    offset: usize,
    size: usize,
}

impl Data {
    fn read(module: &[u8]) -> Result<Data> {
        let mut data = Data { segments: Vec::new(), image: Vec::new(), memory: 0 };
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::MemorySection(section) => {
                    for ty in section {
                        data.memory = ty?.initial << 16;
                    }
                }
                Payload::DataSection(section) => {
                    for segment in section {
                        data.add(&segment?)?;
                    }
                }
                _ => {}
            }
        }
        data.segments.sort_by_key(|segment| segment.address);
        Ok(data)
    }

    fn add(&mut self, segment: &wasmparser::Data<'_>) -> Result<()> {
        let DataKind::Active { offset_expr, .. } = &segment.kind else { return Ok(()) };
        let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else { return Ok(()) };
        let (address, size) = (value.cast_unsigned() as usize, segment.data.len());
        let end = address + size;
        if end as u64 > self.memory || end > LARGEST {
            bail!("its data does not fit into its memory");
        }
        self.image.resize(self.image.len().max(end), 0);
        self.image[address..end].copy_from_slice(segment.data);
        self.segments.push(Segment { address, offset: segment.range.end - size, size });
        Ok(())
    }

    /// The address of the word with the end of all data, and that end.
    fn find_end(&self) -> Option<(usize, u32)> {
        // Constants of the runtime look like a header's beginning, too; nothing refers to those.
        memmem::find_iter(&self.image, &HEADER).take(MOST_HEADERS).find_map(|header| {
            let pointer = (header as u64).to_le_bytes();
            memmem::find_iter(&self.image, &pointer).filter(|at| at % 8 == 0).find_map(|moduledata| {
                let bounds = BOUNDS.into_iter().map(|n| self.word(moduledata + 8 * n)).collect::<Option<Vec<_>>>()?;
                let (first, end) = (bounds[0], self.word(moduledata + 8 * END)?);
                let is_one = first > 0 && bounds.is_sorted() && bounds.last() <= Some(&end) && self.image.len() <= end as usize;
                (is_one && u64::from(end) <= self.memory).then_some((moduledata + 8 * END, end))
            })
        })
    }

    /// The pointer at that address.
    fn word(&self, address: usize) -> Option<u32> {
        u32::try_from(u64::from_le_bytes(*self.image.get(address..)?.first_chunk()?)).ok()
    }

    /// Where in the file the byte at that address is.
    fn offset(&self, address: usize) -> Option<usize> {
        let behind = self.segments.partition_point(|segment| segment.address <= address);
        let segment = self.segments.get(behind.checked_sub(1)?)?;
        let at = address - segment.address;
        (at < segment.size).then_some(segment.offset + at)
    }
}

/// Adds the function that gives memory from `base` on.
fn add_allocator(module: &[u8], base: u32) -> Result<Vec<u8>> {
    let (mut types, mut functions) = (0, 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    types += group?.types().len() as u32;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    functions += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                }
            }
            Payload::FunctionSection(section) => functions += section.count(),
            _ => {}
        }
    }
    let mut made = Module::new();
    let mut added = 0;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        let Some((id, range)) = payload.as_section() else { continue };
        let contents = &module[range];
        let mut item = Vec::new();
        match payload {
            // A function of four i32, which gives one.
            Payload::TypeSection(_) => item.extend([0x60, 4, 0x7F, 0x7F, 0x7F, 0x7F, 1, 0x7F]),
            Payload::FunctionSection(_) => types.encode(&mut item),
            Payload::ExportSection(_) => {
                EXPORT.encode(&mut item);
                item.push(0);
                functions.encode(&mut item);
            }
            Payload::CodeSectionStart { .. } => allocator(base).encode(&mut item),
            _ => {}
        }
        if item.is_empty() {
            made.section(&RawSection { id, data: contents });
            continue;
        }
        let mut reader = BinaryReader::new(contents, 0);
        let mut data = Vec::with_capacity(contents.len() + item.len() + 5);
        (reader.read_var_u32()? + 1).encode(&mut data);
        data.extend_from_slice(&contents[reader.original_position()..]);
        data.extend(item);
        made.section(&RawSection { id, data: &data });
        added += 1;
    }
    if added != 4 {
        bail!("it has no functions");
    }
    Ok(made.finish())
}

/// `cabi_realloc_adapter`. The word at `base` is how much of the memory behind it is taken.
fn allocator(base: u32) -> Function {
    const WORD: MemArg = MemArg { offset: 0, align: 2, memory_index: 0 };
    const FIRST: u32 = 8;
    let (old_size, align, size, place) = (1, 2, 3, 4);
    let constant = |address: u32| address.cast_signed();
    let mut function = Function::new([(1, ValType::I32)]);
    let mut code = function.instructions();
    // The adapter grows nothing.
    code.local_get(old_size).if_(BlockType::Empty).unreachable().end();
    code.i32_const(constant(base)).i32_load(WORD).i32_const(constant(base + FIRST)).i32_add();
    code.local_get(align).i32_add().i32_const(1).i32_sub();
    code.i32_const(0).local_get(align).i32_sub().i32_and().local_set(place);
    code.local_get(place).i64_extend_i32_u().local_get(size).i64_extend_i32_u().i64_add();
    code.i64_const(i64::from(base + RESERVED)).i64_gt_u().if_(BlockType::Empty).unreachable().end();
    code.i32_const(constant(base));
    code.local_get(place).local_get(size).i32_add().i32_const(constant(base + FIRST)).i32_sub();
    code.i32_store(WORD);
    code.local_get(place).end();
    function
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{CodeSection, ConstExpr, DataSection, ExportSection, FunctionSection, MemorySection, MemoryType, TypeSection};

    use super::*;

    const TABLE: usize = 0x2000;
    const MODULEDATA: usize = 0x3000;

    /// A module with Go's data: the header of its table, and moduledata with these bounds and this
    /// end.
    fn module(bounds: [u64; 8], end: u64, pages: u64) -> Vec<u8> {
        let mut words = [0; 36];
        words[0] = TABLE as u64;
        words[BOUNDS[0]..=BOUNDS[7]].copy_from_slice(&bounds);
        words[END] = end;
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        module.section(&types);
        module.section(FunctionSection::new().function(0));
        let memory = MemoryType { minimum: pages, maximum: None, memory64: false, shared: false, page_size_log2: None };
        module.section(MemorySection::new().memory(memory));
        module.section(ExportSection::new().export("memory", wasm_encoder::ExportKind::Memory, 0));
        let mut nothing = Function::new([]);
        nothing.instructions().end();
        module.section(CodeSection::new().function(&nothing));
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(TABLE as i32), HEADER);
        // As Go's linker does it, without zeros at the beginning.
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        data.active(0, &ConstExpr::i32_const(MODULEDATA as i32 + 1), bytes[1..].iter().copied());
        module.section(&data);
        module.finish()
    }

    const GOOD: [u64; 8] = [0x1000, 0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x5000, 0x5010];

    #[test]
    fn the_end_of_data_moves() {
        let made = reserve(&module(GOOD, 0x5018, 32)).expect("reserved");
        wasmparser::Validator::new().validate_all(&made).expect("valid");
        let data = Data::read(&made).expect("read");
        assert_eq!(data.word(MODULEDATA + 8 * END), Some(0x5020 + RESERVED));
        assert!(memmem::find(&made, EXPORT.as_bytes()).is_some());
    }

    #[test]
    fn what_is_not_gos_data_is_refused() {
        let unsorted = [0x1000, 0x900, 0x2000, 0x3000, 0x4000, 0x5000, 0x5000, 0x5010];
        for (bounds, end, pages) in [(unsorted, 0x5018, 32), (GOOD, 0x5000, 32), (GOOD, 0x3000, 32), (GOOD, 1 << 40, 32), (GOOD, 0x5018, 1)]
        {
            assert!(reserve(&module(bounds, end, pages)).is_err(), "{bounds:x?} {end:x} {pages}");
        }
    }
}
