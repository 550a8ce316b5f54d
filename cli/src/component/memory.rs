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

/// Far more than a module has of what looks like one.
const MOST_HEADERS: usize = 64;

/// Words of `runtime.moduledata` in Go 1.24 to 1.27: the bounds of what lies in memory, in order.
const BOUNDS: [u32; 8] = [24, 25, 26, 27, 28, 29, 30, 31];

/// The word that is the end of all data.
const END: u32 = 34;

/// The module with memory reserved.
pub(super) fn reserve(module: &[u8]) -> Result<Vec<u8>> {
    let data = Data::read(module)?;
    let (place, end) =
        data.find_end().context("the data of Go's runtime is not where Go 1.24 to 1.27 has it: build it with one of them")?;
    let base = end.next_multiple_of(16);
    let new_end = base + RESERVED;
    if u64::from(new_end) > data.memory {
        bail!("its memory is smaller at the beginning than Go makes it");
    }
    let mut patched = module.to_vec();
    for (n, byte) in new_end.to_le_bytes().into_iter().enumerate() {
        let at = data.offset(place + n as u32).context("the end of its data is not in its data")?;
        patched[at] = byte;
    }
    add_allocator(&patched, base)
}

/// The data that a module's memory has at the beginning.
struct Data<'m> {
    /// By address.
    segments: Vec<Segment<'m>>,
    /// The size of its memory at the beginning.
    memory: u64,
}

struct Segment<'m> {
    address: u32,
    /// Where in the file it is.
    offset: usize,
    bytes: &'m [u8],
}

impl<'m> Data<'m> {
    fn read(module: &'m [u8]) -> Result<Data<'m>> {
        let (mut segments, mut memory) = (Vec::new(), 0);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::MemorySection(section) => {
                    for ty in section {
                        memory = ty?.initial << 16;
                    }
                }
                Payload::DataSection(section) => {
                    for data in section {
                        let data = data?;
                        let DataKind::Active { offset_expr, .. } = data.kind else { continue };
                        let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else { continue };
                        let (address, size) = (value.cast_unsigned(), data.data.len());
                        if u64::from(address) + size as u64 > memory {
                            bail!("its data does not fit into its memory");
                        }
                        segments.push(Segment { address, offset: data.range.end - size, bytes: data.data });
                    }
                }
                _ => {}
            }
        }
        segments.sort_by_key(|segment| segment.address);
        Ok(Data { segments, memory })
    }

    /// The address of the word with the end of all data, and that end.
    fn find_end(&self) -> Option<(u32, u32)> {
        // Constants of the runtime look like a header's beginning, too; nothing refers to those.
        self.find(&HEADER).take(MOST_HEADERS).find_map(|header| {
            self.find(&u64::from(header).to_le_bytes()).find_map(|moduledata| {
                let word = |n: u32| self.word(moduledata.checked_add(8 * n)?);
                let bounds = BOUNDS.into_iter().map(word).collect::<Option<Vec<_>>>()?;
                let end = word(END)?;
                let all = bounds.is_sorted() && bounds[0] > 0 && bounds[bounds.len() - 1] <= end;
                let last = self.segments.last().map_or(0, |segment| segment.address + segment.bytes.len() as u32);
                (moduledata % 8 == 0 && all && last <= end && u64::from(end) <= self.memory).then_some((moduledata + 8 * END, end))
            })
        })
    }

    /// The addresses of these bytes.
    fn find<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        self.segments.iter().flat_map(move |segment| memmem::find_iter(segment.bytes, bytes).map(|at| segment.address + at as u32))
    }

    /// The pointer at that address.
    fn word(&self, address: u32) -> Option<u32> {
        let mut bytes = [0; 8];
        for (n, byte) in (0..).zip(&mut bytes) {
            // What no segment has is zero.
            *byte = self.segment(address.checked_add(n)?).map_or(0, |(segment, at)| segment.bytes[at]);
        }
        u32::try_from(u64::from_le_bytes(bytes)).ok()
    }

    /// Where in the file the byte at that address is.
    fn offset(&self, address: u32) -> Option<usize> {
        self.segment(address).map(|(segment, at)| segment.offset + at)
    }

    fn segment(&self, address: u32) -> Option<(&Segment<'m>, usize)> {
        let behind = self.segments.partition_point(|segment| segment.address <= address);
        let segment = self.segments.get(behind.checked_sub(1)?)?;
        let at = (address - segment.address) as usize;
        (at < segment.bytes.len()).then_some((segment, at))
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
