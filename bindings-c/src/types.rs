//! The C structs for values of an interface.

use std::ffi::c_char;

/// Text: UTF-8, `len` bytes of it. Text from Undergo is followed by a NUL, which `len` doesn't
/// count; text for Undergo need not be. `ptr` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    pub ptr: *const c_char,
    pub len: usize,
}

/// An instant with an offset from UTC.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TimeValue {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
    /// Seconds east of UTC.
    pub offset: i32,
}

/// A list of bools. As in all lists, `ptr` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BoolList {
    pub ptr: *const bool,
    pub len: usize,
}

/// A list of `int8_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct S8List {
    pub ptr: *const i8,
    pub len: usize,
}

/// Bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BytesList {
    pub ptr: *const u8,
    pub len: usize,
}

/// A list of `int16_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct S16List {
    pub ptr: *const i16,
    pub len: usize,
}

/// A list of `uint16_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct U16List {
    pub ptr: *const u16,
    pub len: usize,
}

/// A list of `int32_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct S32List {
    pub ptr: *const i32,
    pub len: usize,
}

/// A list of `uint32_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct U32List {
    pub ptr: *const u32,
    pub len: usize,
}

/// A list of `int64_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct S64List {
    pub ptr: *const i64,
    pub len: usize,
}

/// A list of `uint64_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct U64List {
    pub ptr: *const u64,
    pub len: usize,
}

/// A list of `float`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct F32List {
    pub ptr: *const f32,
    pub len: usize,
}

/// A list of `double`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct F64List {
    pub ptr: *const f64,
    pub len: usize,
}

/// A list of texts.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TextList {
    pub ptr: *const Text,
    pub len: usize,
}

/// What all lists, texts and maps are.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct List {
    pub(crate) ptr: *const u8,
    pub(crate) len: usize,
}

macro_rules! alike {
    ($($name:ident)*) => {
        $(const _: () = assert!(size_of::<$name>() == size_of::<List>() && align_of::<$name>() == align_of::<List>());)*
    };
}

alike!(Text BoolList S8List BytesList S16List U16List S32List U32List S64List U64List F32List F64List TextList);
// C's bool is one byte, and any other than 0 is true.
const _: () = assert!(size_of::<bool>() == 1);
const _: () = assert!(size_of::<TimeValue>() == 16 && align_of::<TimeValue>() == 8);
