//! Numbers of fixed width, and instants.

/// A number of fixed width.
#[cfg_attr(not(feature = "host"), non_exhaustive)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are WIT's")]
pub enum Scalar {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    /// The i32 of a bare module, which says nothing of its sign: takes -2³¹ to 2³²-1, and is lifted
    /// signed.
    WasmI32,
    /// The i64 of a bare module: takes -2⁶³ to 2⁶⁴-1, and is lifted signed.
    WasmI64,
}

/// An instant with an offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
    /// Seconds east of UTC.
    pub offset: i32,
}

impl Scalar {
    /// Every scalar.
    pub const ALL: &[Scalar] = &[
        Scalar::S8,
        Scalar::U8,
        Scalar::S16,
        Scalar::U16,
        Scalar::S32,
        Scalar::U32,
        Scalar::S64,
        Scalar::U64,
        Scalar::F32,
        Scalar::F64,
        Scalar::WasmI32,
        Scalar::WasmI64,
    ];

    /// Bytes in memory.
    #[must_use]
    pub const fn size(self) -> u32 {
        match self {
            Scalar::S8 | Scalar::U8 => 1,
            Scalar::S16 | Scalar::U16 => 2,
            Scalar::S32 | Scalar::U32 | Scalar::F32 | Scalar::WasmI32 => 4,
            Scalar::S64 | Scalar::U64 | Scalar::F64 | Scalar::WasmI64 => 8,
        }
    }

    /// The name in WIT; for a bare module's, in WebAssembly.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Scalar::S8 => "s8",
            Scalar::U8 => "u8",
            Scalar::S16 => "s16",
            Scalar::U16 => "u16",
            Scalar::S32 => "s32",
            Scalar::U32 => "u32",
            Scalar::S64 => "s64",
            Scalar::U64 => "u64",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
            Scalar::WasmI32 => "i32",
            Scalar::WasmI64 => "i64",
        }
    }
}
