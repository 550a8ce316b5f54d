//! One attack on the lifter: a type and a memory, both made of arbitrary bytes. Used by
//! `cargo test` and by core/fuzz.

use std::sync::Arc;

use undergo::host::{GuestMemory, Lift, Piece, ToValue};
use undergo::interface::{
    Case, EnumType, Extension, Field, MapType, RecordType, ResourceType, Scalar, TupleType, Type, TypeKind, VariantType,
};
use undergo::{Error, ErrorKind, Handle, Result, Time, Value};

/// What the bytes still have to give. Zeros follow when they are used up.
struct Source<'d>(&'d [u8]);

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
}

fn a_type(source: &mut Source<'_>, depth: u32) -> Type {
    let choice = if depth == 0 { source.byte() % 7 } else { source.byte() % 13 };
    let inner = |source: &mut Source<'_>| a_type(source, depth - 1);
    Type::new(match choice {
        0 => TypeKind::Bool,
        1 => TypeKind::Scalar(Scalar::ALL[usize::from(source.byte()) % Scalar::ALL.len()]),
        2 => TypeKind::String,
        3 => TypeKind::Json,
        4 => TypeKind::Duration,
        5 => TypeKind::Time,
        6 => {
            let count = if source.byte().is_multiple_of(4) { 300 } else { 3 };
            let cases = (0..count).map(|i| (format!("case-{i}"), String::new())).collect();
            TypeKind::Enum(Arc::new(EnumType { name: "e".into(), docs: String::new(), cases, extension: Extension::default() }))
        }
        7 => TypeKind::List(Arc::new(inner(source))),
        8 => TypeKind::Map(Arc::new(MapType::new(inner(source), inner(source)))),
        9 => TypeKind::Option(Arc::new(inner(source))),
        10 => TypeKind::Tuple(Arc::new(TupleType::new((0..=source.byte() % 4).map(|_| inner(source)).collect()))),
        11 => {
            let count = if source.byte().is_multiple_of(8) { 300 } else { 3 };
            let with_values = source.byte() % 4;
            let case = |i, ty| Case { name: format!("c{i}"), docs: String::new(), ty };
            let cases = (0..count).map(|i| case(i, (i < u32::from(with_values)).then(|| inner(source)))).collect();
            TypeKind::Variant(Arc::new(VariantType::new("v".into(), String::new(), cases)))
        }
        _ => {
            let field = |i, ty| Field { name: format!("f{i}"), docs: String::new(), ty };
            let fields = (0..=source.byte() % 4).map(|i| field(i, inner(source))).collect();
            TypeKind::Record(Arc::new(RecordType::new("r".into(), String::new(), fields)))
        }
    })
}

/// Lifts an arbitrary type from arbitrary memory. It must end soon, in a value or in an error that
/// fits.
pub(crate) fn fuzz_lift(data: &[u8]) {
    let mut source = Source(data);
    let ty = a_type(&mut source, 4);
    // The rest is the memory, small enough that lists that overlap can't mean much.
    let memory = &source.0[..source.0.len().min(4096)];
    // Pointers of arbitrary bytes are hardly ever in bounds: half of the time all words are made
    // small.
    let mut image = memory.to_owned();
    if data.first().is_some_and(|byte| byte & 128 != 0) {
        for word in image.chunks_exact_mut(4) {
            word[1] &= 1;
            word[2] = 0;
            word[3] = 0;
        }
    }
    let budget = Budget(std::cell::Cell::new(1 << 16));
    match undergo::host::lift_bytes(&ty, GuestMemory::new(&image), &image, &budget) {
        Ok(()) => {}
        Err(error) => assert!(
            matches!(error.kind(), ErrorKind::Trap | ErrorKind::TypeMismatch | ErrorKind::OutOfMemory | ErrorKind::HostError),
            "{error:?}"
        ),
    }
    // Where it ended well within the budget, the crate's own values can be made as well.
    if budget.0.get() > 0 {
        let lifted = undergo::host::lift_bytes(&ty, GuestMemory::new(&image), &image, &ToValue);
        assert!(lifted.as_ref().map_or(true, is_small), "{lifted:?}");
    }
}

fn is_small(value: &Value) -> bool {
    match value {
        Value::List(items) => items.len() <= 4096 * 512,
        Value::Bytes(bytes) => bytes.len() <= 4096,
        Value::String(text) | Value::Json(text) => text.len() <= 4096,
        _ => true,
    }
}

/// Counts what is lifted, keeps nothing, and stops when it is too much: then the guest's lists
/// overlap.
struct Budget(std::cell::Cell<u64>);

impl Budget {
    fn spend(&self, cost: usize) -> Result<()> {
        let left = self.0.get().saturating_sub(1 + cost as u64);
        self.0.set(left);
        if left == 0 { Err(Error::new(ErrorKind::HostError, "enough")) } else { Ok(()) }
    }
}

impl Lift for Budget {
    type Value = ();
    fn cost(&self, _: Piece<'_>) -> u64 {
        1
    }
    fn bool(&self, _: bool) -> Result<()> {
        self.spend(1)
    }
    fn s64(&self, _: i64) -> Result<()> {
        self.spend(8)
    }
    fn u64(&self, _: u64) -> Result<()> {
        self.spend(8)
    }
    fn f32(&self, _: f32) -> Result<()> {
        self.spend(4)
    }
    fn f64(&self, _: f64) -> Result<()> {
        self.spend(8)
    }
    fn string(&self, value: &str) -> Result<()> {
        self.spend(value.len())
    }
    fn json(&self, value: &str) -> Result<()> {
        self.spend(value.len())
    }
    fn scalars(&self, scalar: Scalar, bytes: &[u8]) -> Result<()> {
        assert!(bytes.len().is_multiple_of(scalar.size() as usize) && bytes.len() <= 4096);
        self.spend(bytes.len())
    }
    fn duration(&self, _: i64) -> Result<()> {
        self.spend(8)
    }
    fn time(&self, time: Time) -> Result<()> {
        assert!(time.nanoseconds < 1_000_000_000);
        self.spend(16)
    }
    fn none(&self) -> Result<()> {
        self.spend(0)
    }
    fn case(&self, cases: &EnumType, case: u32) -> Result<()> {
        assert!((case as usize) < cases.cases.len());
        self.spend(4)
    }
    fn variant(&self, variant: &VariantType, case: u32, value: Option<()>) -> Result<()> {
        assert_eq!(variant.cases[case as usize].ty.is_some(), value.is_some());
        self.spend(4)
    }
    fn list(&self, len: usize, item: impl FnMut(usize) -> Result<()>) -> Result<()> {
        // As many as are said do lie in the memory, each of a byte at least.
        assert!(len <= 4096);
        self.spend(0)?;
        (0..len).try_for_each(item)
    }
    fn tuple(&self, len: usize, item: impl FnMut(usize) -> Result<()>) -> Result<()> {
        (0..len).try_for_each(item)
    }
    fn map(&self, len: usize, mut entry: impl FnMut(usize) -> Result<((), ())>) -> Result<()> {
        assert!(len <= 4096);
        self.spend(0)?;
        (0..len).try_for_each(|i| entry(i).map(drop))
    }
    fn record(&self, record: &RecordType, field: impl FnMut(usize) -> Result<()>) -> Result<()> {
        (0..record.fields.len()).try_for_each(field)
    }
    fn handle(&self, _: &Arc<ResourceType>, _: Handle) -> Result<()> {
        unreachable!("there is no type with handles")
    }
}
