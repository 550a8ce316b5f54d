//! The names of Go's functions, from the table that Go's runtime has for its own tracebacks
//! (`runtime.pclntab`): `-s -w` drops all others.
//!
//! The table lies in the guest's memory, where a guest can change it: every offset in it is
//! checked. Its layout is that of Go 1.20 and later: `runtime.pcHeader`, `runtime._func` and
//! `cmd/link/internal/wasm`. In a module of another version there are no names.

use memchr::memmem;

/// `runtime.pcHeader`: the magic number, two zeros, the quantum of a PC, and the size of a pointer.
const HEADER: [u8; 8] = [0xF1, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8];

/// Go's data lies at the beginning of its memory.
const SEARCHED: usize = 32 << 20;

/// What is longer is no name.
const LONGEST: usize = 1 << 10;

/// The names of Go's functions in a guest's memory. What they say is a guest's own word.
pub struct GoNames<'m> {
    names: &'m [u8],
    /// Pairs of a PC and where in this the function's own entry is.
    functions: &'m [u8],
    count: usize,
    /// A PC is the number of a function that many bits up: 16 before Go 1.26, and 0 since.
    shift: u32,
    imported: u32,
}

impl<'m> GoNames<'m> {
    /// Finds the table. `imported` is how many functions the module imports, each as often as it
    /// does so.
    #[must_use]
    pub fn find(memory: &'m [u8], imported: u32) -> Option<GoNames<'m>> {
        let searched = &memory[..memory.len().min(SEARCHED)];
        // Constants of the runtime look like a header's beginning, too; those have no table behind
        // them.
        memmem::find_iter(searched, &HEADER).find_map(|at| GoNames::parse(&memory[at..], imported))
    }

    fn parse(table: &'m [u8], imported: u32) -> Option<GoNames<'m>> {
        let word = |n: usize| usize::try_from(u64::from_le_bytes(*table.get(8 + 8 * n..)?.first_chunk()?)).ok();
        let count = word(0).filter(|count| *count > 0)?;
        let names = table.get(word(3)?..)?;
        let functions = table.get(word(7)?..)?;
        functions.get(..count.checked_mul(8)?)?;
        let step = read(functions, 8)?.wrapping_sub(read(functions, 0)?);
        let found = GoNames { names, functions, count, shift: if step < 1 << 16 { 0 } else { 16 }, imported };
        // The first entry has to be a function with a name.
        found.of_entry(0).map(|_| found)
    }

    /// The name of the function with that index of the module: `main.Greet`.
    #[must_use]
    pub fn of(&self, function: u32) -> Option<&'m str> {
        let wanted = function.checked_sub(self.imported)?;
        // In order of their PCs.
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.number(middle)?.cmp(&wanted) {
                std::cmp::Ordering::Equal => return self.of_entry(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// All functions of the table, by the index in the module.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &'m str)> {
        (0..self.count).filter_map(|entry| Some((self.imported.checked_add(self.number(entry)?)?, self.of_entry(entry)?)))
    }

    /// The number of an entry's function, of which the first entry has the first.
    fn number(&self, entry: usize) -> Option<u32> {
        let (first, pc) = (read(self.functions, 0)?, read(self.functions, entry * 8)?);
        Some(pc.wrapping_sub(first) >> self.shift)
    }

    fn of_entry(&self, entry: usize) -> Option<&'m str> {
        let function = read(self.functions, entry * 8 + 4)? as usize;
        let name = self.names.get(read(self.functions, function.checked_add(4)?)? as usize..)?;
        let end = memchr::memchr(0, &name[..name.len().min(LONGEST)])?;
        str::from_utf8(&name[..end]).ok().filter(|name| !name.is_empty())
    }
}

fn read(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A table of functions with these numbers and names, as that Go writes it, behind some other
    /// bytes.
    fn table(functions: &[(u32, &str)], pc: fn(u32) -> u32) -> Vec<u8> {
        let mut names = vec![0];
        let mut pairs = Vec::new();
        let mut entries = Vec::new();
        let pairs_size = (functions.len() as u32 * 2 + 1) * 4;
        for (number, name) in functions {
            pairs.extend([pc(*number), pairs_size + entries.len() as u32 * 4]);
            entries.extend([pc(*number), names.len() as u32]);
            names.extend(name.bytes().chain([0]));
        }
        pairs.push(0);
        let header = HEADER.len() + 8 * 8;
        let functions_at = header + names.len();
        let words = [functions.len(), 0, 0, header, 0, 0, 0, functions_at];
        let mut memory = b"constants: \xF1\xFF\xFF\xFF\0\0\x01\x08 and so on".to_vec();
        memory.extend(HEADER);
        memory.extend(words.iter().flat_map(|word| (*word as u64).to_le_bytes()));
        memory.extend(&names);
        memory.extend(pairs.iter().chain(&entries).flat_map(|word| word.to_le_bytes()));
        memory
    }

    const SINCE_1_26: fn(u32) -> u32 = |number| 0x1000 + number;
    const BEFORE: fn(u32) -> u32 = |number| number << 16;

    #[test]
    fn functions_have_names() {
        for pc in [SINCE_1_26, BEFORE] {
            let memory = table(&[(0, "go:buildid"), (1, "main.main"), (5, "main.(*T).Do")], pc);
            let names = GoNames::find(&memory, 10).expect("a table");
            let of = [9, 10, 11, 12, 15, 16].map(|function| names.of(function));
            assert_eq!(of, [None, Some("go:buildid"), Some("main.main"), None, Some("main.(*T).Do"), None]);
            assert_eq!(names.all().map(|(index, _)| index).collect::<Vec<_>>(), [10, 11, 15]);
        }
    }

    #[test]
    fn without_a_table_there_are_none() {
        for memory in [&b""[..], b"nothing", &HEADER, &[HEADER, HEADER, HEADER].concat()] {
            assert!(GoNames::find(memory, 0).is_none(), "{memory:?}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_table_does_no_harm(at in 0_usize..200, byte in any::<u8>(), function in any::<u32>(), cut in 0_usize..300) {
            let mut memory = table(&[(0, "go:buildid"), (1, "main.main"), (2, "main.Do")], SINCE_1_26);
            let length = memory.len();
            memory[at.min(length - 1)] = byte;
            memory.truncate(length.saturating_sub(cut));
            if let Some(names) = GoNames::find(&memory, 3) {
                for function in [3, 4, 5, function] {
                    prop_assert!(names.of(function).is_none_or(|name| name.len() < LONGEST));
                }
            }
        }
    }
}
