//! Small modules that a compiler would take long for, or much memory.

/// A number in LEB128.
fn leb(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (n & 127) as u8;
        n >>= 7;
        if n == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 128);
    }
}

fn constant(mut n: i64) -> Vec<u8> {
    let mut out = vec![0x41];
    loop {
        let byte = (n & 127) as u8;
        n >>= 7;
        if n == 0 && byte & 64 == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 128);
    }
}

fn name(text: &str) -> Vec<u8> {
    [leb(text.len() as u64), text.as_bytes().to_vec()].concat()
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [vec![id], leb(content.len() as u64), content.to_vec()].concat()
}

const I32: u8 = 0x7F;
const V128: u8 = 0x7B;

/// A module with a function `_initialize`, and `count` times one of that body, which takes and
/// gives that many words.
pub(crate) fn module(body: &[u8], locals: (u64, u8), arity: usize, count: usize) -> Vec<u8> {
    let words = [leb(arity as u64), vec![I32; arity]].concat();
    let types = [leb(2), vec![0x60, 0, 0, 0x60], words.clone(), words].concat();
    let functions = [leb(count as u64 + 1), vec![0], vec![1; count]].concat();
    let function = [leb(1), leb(locals.0), vec![locals.1], body.to_vec(), vec![0x0B]].concat();
    let function = [leb(function.len() as u64), function].concat();
    let code = [leb(count as u64 + 1), vec![2, 0, 0x0B], function.repeat(count)].concat();
    let exports = [leb(1), name("_initialize"), vec![0, 0]].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &types),
        section(3, &functions),
        section(4, &[1, 0x70, 0, 10]),
        section(5, &[1, 0, 1]),
        section(7, &exports),
        section(10, &code),
    ]
    .concat()
}

fn get(local: usize) -> Vec<u8> {
    [vec![0x20], leb(local as u64)].concat()
}

fn set(local: usize) -> Vec<u8> {
    [vec![0x21], leb(local as u64)].concat()
}

fn load(address: usize) -> Vec<u8> {
    [constant(address as i64), vec![0x28, 2, 0]].concat()
}

/// Code for each number.
fn each(count: usize, code: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    (0..count).flat_map(code).collect()
}

/// Code between locals that get a value each, and the sum of them.
fn around(locals: usize, code: &[u8]) -> Vec<u8> {
    let first = each(locals, |i| [load(4 * i), set(1 + i)].concat());
    let sum = [get(0), each(locals, |i| [get(1 + i), vec![0x6A]].concat())].concat();
    module(&[first, code.to_vec(), sum].concat(), (locals as u64, I32), 1, 1)
}

fn straight(body: &[u8]) -> Vec<u8> {
    module(body, (0, I32), 1, 1)
}

const BLOCK: [u8; 2] = [0x02, 0x40];
const LOOP: [u8; 2] = [0x03, 0x40];
const END: [u8; 1] = [0x0B];

fn targets(numbers: impl ExactSizeIterator<Item = usize>) -> Vec<u8> {
    let count = numbers.len() as u64;
    [vec![0x0E], leb(count), numbers.flat_map(|n| leb(n as u64)).collect(), vec![0]].concat()
}

/// A kind of bomb, by its size.
pub(crate) type Kind = (&'static str, fn(usize) -> Vec<u8>);

/// All kinds. A thousand is a few kilobytes of each.
pub(crate) const KINDS: &[Kind] = &[
    ("blocks between many locals", |n| around(n, &[&BLOCK[..], &get(0), &[0x0D, 0], &END].concat().repeat(n))),
    ("blocks within each other", |n| {
        let out = |i: usize| {
            [get(0), vec![0x0D], leb(((i * 7919) % (n - i)) as u64), get(1 + i), set(1 + (i * 13 + 1) % n), END.to_vec()].concat()
        };
        around(n, &[BLOCK.repeat(n), each(n, out)].concat())
    }),
    ("ifs one behind the other", |n| {
        let one = |i: usize| {
            let (then, otherwise) =
                ([get(1 + i), set(1 + (i * 7 + 1) % n)].concat(), [get(1 + (i + 3) % n), set(1 + (i * 5 + 2) % n)].concat());
            [get(0), vec![0x04, 0x40], then, vec![0x05], otherwise, END.to_vec()].concat()
        };
        around(n, &each(n, one))
    }),
    ("ifs within each other", |n| {
        let one = |i: usize| [get(0), vec![0x04, 0x40], get(1 + i), set(1 + (i * 7 + 1) % n)].concat();
        around(n, &[each(n, one), END.repeat(n)].concat())
    }),
    ("loops within each other", |n| {
        let inner = each(n, |i| [get(1 + i), constant(1), vec![0x6A], set(1 + i)].concat());
        around(n, &[LOOP.repeat(n), inner, [&get(0)[..], &[0x0D, 0], &END].concat().repeat(n)].concat())
    }),
    ("loops one behind the other", |n| around(n, &each(n, |i| [&LOOP[..], &get(1 + i), &[0x0D, 0], &END].concat()))),
    ("blocks below a high stack", |n| {
        let blocks = [&BLOCK[..], &get(0), &[0x0D, 0], &END].concat().repeat(n);
        straight(&[each(n, |i| load(4 * i)), blocks, vec![0x6A; n - 1]].concat())
    }),
    ("loops below a high stack", |n| {
        let loops = [&LOOP[..], &get(0), &[0x0D, 0], &END].concat().repeat(n);
        straight(&[each(n, |i| load(4 * i)), loops, vec![0x6A; n - 1]].concat())
    }),
    ("a table of targets", |n| around(n, &[&BLOCK[..], &get(0), &targets((0..n).map(|_| 0)), &END].concat())),
    ("a table of targets that all differ", |n| {
        let arms = each(n, |i| [get(1 + i), set(1 + (i * 7 + 3) % n), END.to_vec()].concat());
        around(n, &[BLOCK.repeat(n), get(0), targets(0..n), arms].concat())
    }),
    ("tables without end", |n| {
        straight(&[&[&BLOCK[..], &get(0), &targets((0..10 * n).map(|_| 0)), &END].concat().repeat(10), &get(0)[..]].concat())
    }),
    ("a dispatcher as Go has it", |n| {
        let arm = |i: usize| [END.to_vec(), get(1 + i), set(1 + (i * 7 + 3) % n), get(1 + i), vec![0x0D], leb((n - 1 - i) as u64)].concat();
        around(n, &[LOOP.to_vec(), BLOCK.repeat(n), get(0), targets(0..n), each(n, arm), END.to_vec()].concat())
    }),
    ("calls of a thousand parameters", |n| {
        let call = [each(1000, get), vec![0x10, 1]].concat();
        module(&[each(1000, get), each(n, |_| [vec![0x1A; 1000], call.clone()].concat())].concat(), (0, I32), 1000, 1)
    }),
    ("a thousand results that go to a thousand parameters", |n| {
        module(&[each(1000, get), [0x10, 1].repeat(n)].concat(), (0, I32), 1000, 1)
    }),
    ("blocks of a thousand values", |n| module(&[each(1000, get), [0x02, 1, 0x0B].repeat(n)].concat(), (0, I32), 1000, 1)),
    ("loops of a thousand values", |n| module(&[each(1000, get), [0x03, 1].repeat(n), END.repeat(n)].concat(), (0, I32), 1000, 1)),
    ("indirect calls", |n| around(n, &[&get(0)[..], &get(0), &[0x11, 1, 0, 0x1A]].concat().repeat(n))),
    ("fills of memory", |n| around(n, &[&get(0).repeat(3)[..], &[0xFC, 0x0B, 0]].concat().repeat(n))),
    ("copies of memory", |n| around(n, &[&get(0).repeat(3)[..], &[0xFC, 0x0A, 0, 0]].concat().repeat(n))),
    ("copies of tables", |n| around(n, &[&get(0).repeat(3)[..], &[0xFC, 0x0E, 0, 0]].concat().repeat(n))),
    ("fills of tables", |n| around(n, &[&get(0)[..], &[0xD0, 0x70], &get(0), &[0xFC, 0x11, 0]].concat().repeat(n))),
    ("growths of memory", |n| around(n, &[&get(0)[..], &[0x40, 0, 0x1A]].concat().repeat(n))),
    ("values that all live at once", |n| straight(&[each(20 * n, |i| load(4 * i)), vec![0x6A; 20 * n - 1]].concat())),
    ("a chain of selects", |n| straight(&[load(0), each(10 * n, |i| [load(4 * i), load(8 * i), vec![0x1B]].concat())].concat())),
    ("divisions", |n| straight(&[load(0), each(10 * n, |i| [load(4 * i), vec![0x6D]].concat())].concat())),
    ("conversions", |n| straight(&[get(0), [0xB2, 0xA8].repeat(50 * n)].concat())),
    ("operators of a byte", |n| straight(&[get(0), [0x67, 0x69, 0x45].repeat(100 * n)].concat())),
    ("vectors", |n| {
        let first = each(n, |i| [constant(16 * i as i64), vec![0xFD, 0, 0, 0], set(1 + i)].concat());
        let blocks = [&BLOCK[..], &get(0), &[0x0D, 0], &END].concat().repeat(n);
        let sum = [get(1), each(n, |i| [get(1 + i), vec![0xFD, 0xAE, 1]].concat()), vec![0xFD, 0x1B, 0]].concat();
        module(&[first, blocks, sum].concat(), (n as u64, V128), 1, 1)
    }),
    ("products of vectors", |n| {
        let first = [get(0), vec![0xFD, 17], set(1)].concat();
        let products = [get(1), vec![0xFD, 0xBA, 1]].concat().repeat(10 * n);
        module(&[first, get(1), products, vec![0xFD, 0x1B, 0]].concat(), (1, V128), 1, 1)
    }),
    ("functions without end", |n| module(&get(0), (0, I32), 1, 100 * n)),
    ("locals in each of many functions", |n| module(&get(0), (50_000, I32), 1, n)),
];

/// A module that imports and exports as many functions under names of their own, of so many
/// parameters each.
pub(crate) fn many(imports: usize, exports: usize, params: usize) -> Vec<u8> {
    let words = [leb(params as u64), vec![I32; params], leb(0)].concat();
    let types = [leb(2), vec![0x60, 0, 0, 0x60], words].concat();
    let wanted = each(imports, |i| [name(""), name(&format!("{i:x}")), vec![0, 1]].concat());
    let given = each(exports, |i| [name(&format!("{i:x}")), vec![0], leb(imports as u64 + 1)].concat());
    let start = [name("_initialize"), vec![0], leb(imports as u64)].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &types),
        section(2, &[leb(imports as u64), wanted].concat()),
        section(3, &[2, 0, 1]),
        section(7, &[leb(exports as u64 + 1), start, given].concat()),
        section(10, &[2, 2, 0, 0x0B, 2, 0, 0x0B]),
    ]
    .concat()
}

/// A module of as many types, each with so many parameters.
pub(crate) fn types(count: usize, params: usize) -> Vec<u8> {
    let other = each(count, |i| [vec![0x60], leb(params as u64), vec![0x7F - (i % 4) as u8; params], leb(0)].concat());
    let exports = [leb(1), name("_initialize"), vec![0, 0]].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[leb(count as u64 + 1), vec![0x60, 0, 0], other].concat()),
        section(3, &[1, 0]),
        section(7, &exports),
        section(10, &[1, 2, 0, 0x0B]),
    ]
    .concat()
}

/// A module with a passive segment of that many bytes.
pub(crate) fn passive(bytes: usize) -> Vec<u8> {
    let exports = [leb(1), name("_initialize"), vec![0, 0]].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[1, 0]),
        section(7, &exports),
        section(10, &[1, 2, 0, 0x0B]),
        section(11, &[vec![1, 1], leb(bytes as u64), vec![7; bytes]].concat()),
    ]
    .concat()
}

/// A module within the bounds that takes a compiler a second or more.
pub(crate) fn slow() -> Vec<u8> {
    let body = [each(4000, |i| load(4 * i)), vec![0x6A; 3999]].concat();
    module(&body, (0, I32), 1, 6)
}
