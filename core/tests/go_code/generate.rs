//! Functions of the shape that Go's back end writes, with any control flow.
//!
//! Each notes where it comes in a hash in memory, decides by numbers from a seed in memory, and
//! gives up after so many segments. What it calls may unwind, whereupon it is called again with the
//! block that the call was to return to, as Go's scheduler does.

use std::fmt::Write as _;

use crate::random::Random;

/// Where in memory a run has its state.
pub(crate) const HASH: u64 = 1024;
pub(crate) const SEED: u64 = 1032;
pub(crate) const BUDGET: u64 = 1040;
/// The PC at which the function is to be resumed.
pub(crate) const PENDING: u64 = 1048;
/// The PC at which it is resumed after a panic, or 0.
pub(crate) const RECOVER: u64 = 1056;
/// The stack, some of whose words functions use.
pub(crate) const STACK: u64 = 8192;

/// An area that leaves read and write.
const AREA: u64 = 20000;

/// The PC_F of the first function behind the prelude.
pub(crate) const FIRST_PC: u64 = 0x1000 + 17;

/// A function, as text.
pub(crate) struct Function {
    pub(crate) text: String,
    /// A block in which it can be resumed.
    pub(crate) recover: Option<u32>,
}

/// A module with functions that are exported as `f0`, `f1` and so on, as text.
pub(crate) fn module(seed: u64, count: usize) -> (String, Vec<Option<u32>>) {
    let mut random = Random(seed);
    let mut text = prelude();
    let mut recover = Vec::new();
    for number in 0..count {
        let function = function(&mut random, number, FIRST_PC + number as u64);
        text += &function.text;
        recover.push(function.recover);
    }
    (text + ")", recover)
}

/// A plugin with one function, of so many loops within each other.
pub(crate) fn nested(loops: usize) -> String {
    let segments = 2 * loops;
    let mut text = prelude() + "(func $f0 (export \"f0\") (param i32) (result i32) (local i32 i64 i64)\nglobal.get $SP local.set 1 loop\n";
    text += &"block\n".repeat(segments);
    let table: Vec<String> = (0..segments).map(|segment| segment.to_string()).collect();
    let _ = writeln!(text, "local.get 0 br_table {}\nend", table.join(" "));
    for segment in 0..segments {
        text += "local.get 2 i64.const 1 i64.add local.set 2\n";
        if segment >= loops {
            let (head, depth) = (segments - 1 - segment, segments - segment);
            let _ = writeln!(text, "local.get 2 i64.const 3 i64.rem_u i64.eqz if i32.const {head} local.set 0 br {depth} end");
        }
        text += if segment + 1 == segments { "i32.const 0 return end\n" } else { "end\n" };
    }
    text + "unreachable) (func (export \"_initialize\")))"
}

const PRELUDE: &str = r#"(module
(@producers (language "Go" "go1.26.8"))
(memory (export "memory") 1)
(global $SP (export "sp") (mut i32) (i32.const 8192))
(func $next (result i64)
  (i64.store offset=1032 (i32.const 0)
    (i64.add (i64.mul (i64.load offset=1032 (i32.const 0)) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
  (i64.shr_u (i64.load offset=1032 (i32.const 0)) (i64.const 33)))
(func $runtime.callee (param i32) (result i32)
  (i64.store offset=1024 (i32.const 0)
    (i64.add (i64.mul (i64.load offset=1024 (i32.const 0)) (i64.const 31))
      (i64.add (i64.load (global.get $SP)) (i64.extend_i32_u (global.get $SP)))))
  (i64.store offset=1048 (i32.const 0) (i64.load (global.get $SP)))
  (global.set $SP (i32.add (global.get $SP) (i32.const 8)))
  (i64.eqz (i64.rem_u (call $next) (i64.const 3))))
(func $runtime.deferreturn (param i32) (result i32)
  (i32.eqz (call $runtime.callee (i32.const 0)))
  (if (result i32) (then (i32.const 0)) (else
    (i64.store offset=1048 (i32.const 0) (i64.sub (i64.load offset=1048 (i32.const 0)) (i64.rem_u (call $next) (i64.const 2))))
    (i32.const 1))))
(func $runtime.gopanic (param i32) (result i32)
  (drop (call $runtime.callee (i32.const 0)))
  (i64.store offset=1048 (i32.const 0) (i64.load offset=1056 (i32.const 0)))
  (i32.const 1))
(func $runtime.sigpanic (param i32) (result i32)
  (if (i64.lt_u (i64.shr_u (i64.load (global.get $SP)) (i64.const 16)) (i64.const FIRST_PC)) (then
    ;; A leaf's: the caller has left its own PC above.
    (i64.store offset=1024 (i32.const 0)
      (i64.add (i64.mul (i64.load offset=1024 (i32.const 0)) (i64.const 31)) (i64.load offset=8 (global.get $SP))))))
  (call $runtime.gopanic (i32.const 0)))
(func $load (param i32) (result i32) (local i32)
  BEGIN block block block local.get 0 br_table 0 0 0 1 end
  local.get 1 i64.load offset=8 i64.eqz if PANIC_5 end
  local.get 1 i64.extend_i32_u i64.const 16 i64.add i32.wrap_i64 local.get 1 i64.load offset=8 i32.wrap_i64 i64.load8_u i64.store8
  RETURN end unreachable end i32.const 1)
(func $swap (param i32) (result i32) (local i32 i64)
  BEGIN block block block local.get 0 br_table 0 0 0 1 end
  local.get 1 i64.load offset=8 i64.eqz if PANIC_6 end
  local.get 1 i64.load offset=8 i32.wrap_i64 i64.load local.set 2
  local.get 1 i64.load offset=8 i32.wrap_i64 local.get 1 i64.load offset=16 i64.store
  local.get 1 local.get 2 i64.store offset=24
  RETURN end unreachable end i32.const 1)
(func $late (param i32) (result i32) (local i32)
  BEGIN block block block local.get 0 br_table 0 0 0 1 end
  i32.const 20000 i32.const 20000 i64.load i64.const 1 i64.add i64.store
  local.get 1 i64.load offset=8 i64.eqz if PANIC_7 end
  RETURN end unreachable end i32.const 1)
(func $choose (param i32) (result i32) (local i32 i64)
  BEGIN local.get 1 i64.load offset=16 local.tee 2 i64.const 1000 i64.lt_u if
    local.get 2 i64.const 2 i64.mul local.set 2
    local.get 1 local.get 2 i64.store offset=24 RETURN
  else
    local.get 1 local.get 2 i64.const 1 i64.shr_u i64.store offset=24 RETURN
  end
  unreachable)
(func $nothing (param i32) (result i32) (local i32) BEGIN RETURN unreachable)
(func $move (param i32) (result i32) (local i32 i64 i64 i64)
  BEGIN local.get 1 i64.load offset=8 local.set 2 local.get 1 i64.load offset=16 local.set 3 local.get 1 i64.load offset=24 local.set 4
  local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 local.get 4 i32.wrap_i64 memory.copy RETURN unreachable)
(func $clear (param i32) (result i32) (local i32 i64 i64)
  BEGIN local.get 1 i64.load offset=8 local.set 2 local.get 1 i64.load offset=24 local.set 3
  local.get 2 i32.wrap_i64 i32.const 0 local.get 3 i32.wrap_i64 memory.fill RETURN unreachable)
(func $memeqbody (param i64 i64 i64) (result i64)
  local.get 0 local.get 1 i64.eq if i64.const 1 return end
  loop
    local.get 2 i64.eqz if i64.const 1 return end
    local.get 0 i32.wrap_i64 i64.load8_u local.get 1 i32.wrap_i64 i64.load8_u i64.ne if i64.const 0 return end
    local.get 0 i64.const 1 i64.add local.set 0 local.get 1 i64.const 1 i64.add local.set 1 local.get 2 i64.const 1 i64.sub local.set 2
    br 0
  end
  unreachable unreachable)
(func $equal (param i32) (result i32) (local i32)
  BEGIN local.get 1 local.get 1 i64.load offset=8 local.get 1 i64.load offset=16 local.get 1 i64.load offset=24
  call $memeqbody BEGIN i64.store8 offset=32 RETURN unreachable)
(func $memcmp (param i32 i32 i32) (result i32) (local i32 i32)
  local.get 2 if (result i32)
    loop
      local.get 0 i32.load8_s local.tee 3 local.get 1 i32.load8_s local.tee 4 i32.eq if
        local.get 0 i32.const 1 i32.add local.set 0 local.get 1 i32.const 1 i32.add local.set 1
        i32.const 0 local.get 2 i32.const -1 i32.add local.tee 2 i32.eqz br_if 3 drop br 1
      end
    end
    local.get 3 i32.const 255 i32.and local.get 4 i32.const 255 i32.and i32.sub
  else i32.const 0 end
  return unreachable)
(func $compare (param i32) (result i32) (local i32)
  BEGIN local.get 1 local.get 1 i64.load offset=8 i32.wrap_i64 local.get 1 i64.load offset=16 i32.wrap_i64 local.get 1 i64.load offset=24 i32.wrap_i64
  call $memcmp i64.extend_i32_s BEGIN i64.store offset=32 RETURN unreachable)
(func $runtime.wasmDiv (param i64 i64) (result i64)
  local.get 0 i64.const -9223372036854775808 i64.eq if local.get 1 i64.const -1 i64.eq if i64.const -9223372036854775808 return end end
  local.get 0 local.get 1 i64.div_s return unreachable)
"#;

/// The functions that the others call: first those that may unwind, then leaves.
fn prelude() -> String {
    let mut text = PRELUDE
        .replace("FIRST_PC", &FIRST_PC.to_string())
        .replace("BEGIN", "global.get $SP local.set 1")
        .replace("RETURN", "local.get 1 i32.const 8 i32.add local.tee 1 global.set $SP i32.const 0 return");
    for leaf in 5_u64..8 {
        text = text.replace(
            &format!("PANIC_{leaf}"),
            &format!(
                "local.get 1 i32.const 8 i32.sub local.tee 1 global.set $SP\nlocal.get 1 i64.const {} i64.store\n\
                 i32.const 0 call $runtime.sigpanic global.get $SP local.set 1 br_if 2",
                (0x1000 + leaf) << 16 | 1
            ),
        );
    }
    text
}

/// How a segment ends.
enum End {
    Falls,
    Call(&'static str),
    Panic,
    Jump,
    Return,
}

struct Writer<'r> {
    random: &'r mut Random,
    out: String,
    pc: u64,
    segments: usize,
    /// The first block of each segment, and of one behind them.
    first: Vec<u32>,
    /// Of each segment, those that it may jump to.
    targets: Vec<Vec<usize>>,
    segment: usize,
    depth: usize,
    may_unwind: bool,
    /// Whether it decides without calling anything.
    quiet: bool,
}

fn function(random: &mut Random, number: usize, pc: u64) -> Function {
    let segments = 2 + random.below(14);
    let targets = if random.one_in(2) { structured(random, segments) } else { vec![(0..segments).collect(); segments] };
    let (mut first, mut table) = (vec![0], vec![0]);
    for segment in 1..=segments {
        // A block that begins where the one before does.
        for _ in 0..random.below(3) / 2 {
            table.push(segment - 1);
        }
        first.push(table.len() as u32);
        table.push(segment);
    }
    // There is none behind the last segment; the default is the last one.
    table.truncate(table.len() - 1);
    let quiet = random.one_in(2);
    let may_unwind = !random.one_in(5);
    let mut writer = Writer { random, out: String::new(), pc, segments, first, targets, segment: 0, depth: 0, may_unwind, quiet };
    let recover = writer.function(number, &table);
    Function { text: writer.out, recover }
}

/// Jumps as statements with one way in make them: forward, and back to the head of a loop.
fn structured(random: &mut Random, segments: usize) -> Vec<Vec<usize>> {
    let mut loops = Vec::new();
    let mut open = vec![(0, segments)];
    while let Some((from, to)) = open.pop() {
        if to <= from {
            continue;
        }
        if random.one_in(2) {
            loops.push((from, to));
        }
        if to - from > 1 {
            let middle = from + 1 + random.below(to - from - 1);
            open.push((from, middle));
            open.push((middle, to));
        }
    }
    let allowed = |from: usize, to: usize| {
        let is_in = |at: usize, l: &(usize, usize)| (l.0..l.1).contains(&at);
        let enters_at_head = loops.iter().filter(|l| is_in(to, l) && !is_in(from, l)).all(|l| l.0 == to);
        let is_back = loops.iter().any(|l| l.0 == to && is_in(from, l));
        enters_at_head && (to > from || is_back)
    };
    (0..segments).map(|from| (0..segments).filter(|to| allowed(from, *to)).collect()).collect()
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.out += text;
        self.out.push('\n');
    }

    fn function(&mut self, number: usize, table: &[usize]) -> Option<u32> {
        let _ = writeln!(self.out, "(func $f{number} (export \"f{number}\") (param i32) (result i32) (local i32 i64 i64)");
        self.line("global.get $SP local.set 1");
        if self.may_unwind {
            self.line("block");
        }
        self.line("loop");
        for _ in 0..self.segments {
            self.line("block");
        }
        let targets: Vec<String> = table.iter().map(ToString::to_string).collect();
        let (last, others) = targets.split_last().expect("a segment");
        let _ = writeln!(self.out, "local.get 0 br_table {} {last}\nend", others.join(" "));
        let mut recover = None;
        for segment in 0..self.segments {
            self.segment = segment;
            if let Some(block) = self.segment() {
                recover = recover.or(Some(block));
            }
            self.line("end");
        }
        self.line("unreachable");
        if self.may_unwind {
            self.line("end i32.const 1");
        }
        self.line(")");
        recover
    }

    /// Writes a segment; gives the block in which the function can be resumed behind it.
    fn segment(&mut self) -> Option<u32> {
        let is_last = self.segment + 1 == self.segments;
        let _ = writeln!(
            self.out,
            "i32.const 0 i32.const 0 i64.load offset={HASH} i64.const 31 i64.mul i64.const {} i64.add local.get 2 i64.xor i64.store offset={HASH}",
            self.segment + 7
        );
        let _ = writeln!(
            self.out,
            "i32.const 0 i32.const 0 i64.load offset={BUDGET} i64.const 1 i64.sub local.tee 3 i64.store offset={BUDGET}\nlocal.get 3 i64.eqz if"
        );
        self.ret();
        self.line("end");
        for _ in 0..self.random.below(3) {
            self.statement();
        }
        let end = match self.random.below(9) {
            0..=3 if self.may_unwind && !is_last => End::Call(if self.random.one_in(3) { "deferreturn" } else { "callee" }),
            4 if self.may_unwind => End::Panic,
            5 | 6 => End::Jump,
            7 => End::Return,
            _ if is_last => End::Return,
            _ => End::Falls,
        };
        let next = self.first[self.segment + 1];
        match end {
            End::Falls => None,
            // The block of the call itself has to be another one than that of the entry.
            End::Call("deferreturn") if next < 2 => None,
            End::Call(name) => {
                self.call(&format!("runtime.{name}"), next);
                Some(next)
            }
            End::Panic => {
                self.call("runtime.gopanic", next);
                None
            }
            End::Jump => {
                self.jump();
                None
            }
            End::Return => {
                self.ret();
                None
            }
        }
    }

    fn statement(&mut self) {
        match self.random.below(10) {
            7..=9 if self.may_unwind => self.leaf(),
            7 => {
                let divisor = [-3, -1, 1, 7, 10][self.random.below(5)];
                let _ = writeln!(self.out, "local.get 2 i64.const {divisor} call $runtime.wasmDiv local.set 2");
            }
            0 => {
                let _ = writeln!(self.out, "local.get 2 i64.const {} i64.add local.set 2", 1 + self.random.below(9));
            }
            1 => {
                let at = STACK + 16 * self.random.below(8) as u64;
                let _ = writeln!(self.out, "i32.const {at} local.tee 1 global.set $SP");
            }
            2 => {
                let at = 8 * (1 + self.random.below(40));
                let sum = format!("local.get 1 i64.extend_i32_u i64.const {at} i64.add i32.wrap_i64");
                let _ = writeln!(self.out, "{sum} local.get 2 i64.const {at} i64.mul i64.store\n{sum} i64.load local.set 2");
            }
            // The number of the block is free to be used while it is not.
            3 => self.line("i32.const 5 local.set 0 local.get 0 i64.extend_i32_u local.get 2 i64.add local.set 2"),
            4 | 5 => self.branch(),
            _ if self.may_unwind => self.nil_check(),
            _ => {}
        }
    }

    /// Decides by the seed, and jumps, or comes back.
    fn branch(&mut self) {
        // What does not call anything may be unrolled.
        self.line(if self.quiet { "local.get 2 local.get 3 i64.xor" } else { "call $next" });
        let _ = writeln!(self.out, "i64.const {} i64.rem_u i64.eqz if", 2 + self.random.below(3));
        self.depth += 1;
        if self.random.one_in(4) {
            self.line("local.get 2 i64.const 3 i64.mul local.set 2");
        } else {
            self.jump();
        }
        if self.random.one_in(3) {
            self.line("else");
            if self.depth < 3 && self.random.one_in(2) {
                self.branch();
            } else {
                self.jump();
            }
        }
        self.depth -= 1;
        self.line("end");
    }

    fn jump(&mut self) {
        let targets = &self.targets[self.segment];
        if targets.is_empty() {
            return self.ret();
        }
        let target = targets[self.random.below(targets.len())];
        // The last of its blocks may be another one than the first.
        let block = if self.random.one_in(3) { self.first[target + 1] - 1 } else { self.first[target] };
        let block = if target == 0 { 0 } else { block };
        let _ = writeln!(self.out, "i32.const {block} local.set 0 br {}", self.depth + self.segments - 1 - self.segment);
    }

    fn ret(&mut self) {
        self.line("i32.const 0 return");
    }

    fn unwind(&self) -> usize {
        self.depth + self.segments - self.segment
    }

    fn call(&mut self, name: &str, block: u32) {
        let (pc, unwind) = (self.pc << 16 | u64::from(block), self.unwind());
        let _ = writeln!(
            self.out,
            "local.get 1 i32.const 8 i32.sub local.tee 1 global.set $SP\nlocal.get 1 i64.const {pc} i64.store\n\
             i32.const 0 call ${name} global.get $SP local.set 1 br_if {unwind}"
        );
    }

    /// Calls a leaf with two places in the area, the first of which may be nil, and a number.
    fn leaf(&mut self) {
        const LEAVES: [(&str, u64); 9] = [
            ("load", 8),
            ("swap", 16),
            ("late", 16),
            ("choose", 16),
            ("nothing", 0),
            ("move", 0),
            ("clear", 0),
            ("equal", 24),
            ("compare", 24),
        ];
        let number = self.random.below(LEAVES.len());
        let (name, result) = LEAVES[number];
        let place = |modulus: u64| format!("call $next i64.const {modulus} i64.rem_u i64.const {AREA} i64.add");
        let nil = if number < 3 {
            format!("i64.const 0 {} call $next i64.const 8 i64.rem_u i32.wrap_i64 i32.eqz select", place(100))
        } else {
            place(100)
        };
        let other = if (1..4).contains(&number) { "local.get 2".to_owned() } else { place(100) };
        let many = 2 + self.random.below(140);
        let _ = writeln!(self.out, "local.get 1 {nil} i64.store\nlocal.get 1 {other} i64.store offset=8");
        let _ = writeln!(self.out, "local.get 1 call $next i64.const {many} i64.rem_u i64.store offset=16");
        if result != 0 {
            let _ = writeln!(self.out, "local.get 1 i64.const 0 i64.store offset={result}");
        }
        let next = self.first[self.segment + 1];
        self.call(name, next);
        if result != 0 {
            let _ = writeln!(self.out, "local.get 1 i64.load offset={result} local.get 2 i64.add local.set 2");
        }
        for word in 0..3 {
            let _ =
                writeln!(self.out, "i32.const {} i64.load local.get 2 i64.const 31 i64.mul i64.add local.set 2", AREA + 40 * word + word);
        }
    }

    fn nil_check(&mut self) {
        let next = self.first[self.segment + 1];
        self.line("call $next i64.const 16 i64.rem_u i64.eqz if");
        self.depth += 1;
        self.call("runtime.sigpanic", next);
        self.depth -= 1;
        self.line("end");
    }
}
