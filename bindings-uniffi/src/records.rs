//! What calls, commands and pools report.

/// What an instance used.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Usage {
    /// Seconds that the last call took, or the initialisation before the first.
    pub time: f64,
    /// Bytes of guest memory after it.
    pub memory: u64,
    /// Fuel that it used; none without a limit of fuel.
    pub fuel: Option<u64>,
}

impl From<undergo::Usage> for Usage {
    fn from(usage: undergo::Usage) -> Usage {
        Usage { time: usage.time.as_secs_f64(), memory: usage.memory, fuel: usage.fuel }
    }
}

/// How many handles an instance has to do with.
#[derive(Clone, Copy, Debug, uniffi::Record)]
pub struct HandleCounts {
    /// Handles that the guest has: of objects of the host, and of its own on their way.
    pub held: u32,
    /// Handles of the guest's objects that the program has.
    pub given: u32,
}

impl From<undergo::HandleCounts> for HandleCounts {
    fn from(undergo::HandleCounts { held, given }: undergo::HandleCounts) -> HandleCounts {
        HandleCounts { held, given }
    }
}

/// The result of a command.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Completed {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to its standard output, if that is captured.
    pub stdout: Vec<u8>,
    /// The same for its standard error.
    pub stderr: Vec<u8>,
    /// Whether it wrote more than that.
    pub truncated: bool,
    /// What it used.
    pub usage: Usage,
    /// What the sandbox denied it of the network, each denial once, with the rule that would allow
    /// it.
    pub denied: Vec<String>,
}

impl From<undergo::Completed> for Completed {
    fn from(completed: undergo::Completed) -> Completed {
        let undergo::Completed { code, stdout, stderr, truncated, usage, denied } = completed;
        Completed { code, stdout, stderr, truncated, usage: usage.into(), denied }
    }
}

/// What a pool has done so far, and what it has now.
#[derive(Clone, Debug, uniffi::Record)]
pub struct PoolStats {
    /// Instances that a call has, or that are being made for one.
    pub busy: u64,
    /// Instances that wait for a call.
    pub idle: u64,
    /// Callers that wait for an instance.
    pub waiting: u64,
    /// Calls that were given an instance.
    pub calls: u64,
    /// Instances that were made.
    pub made: u64,
    /// Instances that were dropped because a call had ended them.
    pub died: u64,
    /// Instances that were dropped because they had answered as many calls as they should.
    pub retired: u64,
    /// Instances that were dropped because nobody had called them for long.
    pub shrunk: u64,
}

impl From<undergo::PoolStats> for PoolStats {
    fn from(stats: undergo::PoolStats) -> PoolStats {
        // All fields, by the compiler's word.
        let undergo::PoolStats { busy, idle, waiting, calls, made, died, retired, shrunk } = stats;
        PoolStats { busy: busy as u64, idle: idle as u64, waiting: waiting as u64, calls, made, died, retired, shrunk }
    }
}

/// A function of a plugin's interface.
#[derive(Clone, Debug, uniffi::Record)]
pub struct FunctionInfo {
    /// Its name in WIT.
    pub name: String,
    /// Its Go doc comment.
    pub docs: String,
    /// Its parameters.
    pub params: Vec<ParamInfo>,
    /// The type of its result in WIT; none where it returns nothing.
    pub result: Option<String>,
    /// Whether it can return an error.
    pub fallible: bool,
    /// All of it in one line: `greet(p: person, shout: bool) -> result<string, string>`.
    pub signature: String,
}

impl From<&undergo::interface::Function> for FunctionInfo {
    fn from(function: &undergo::interface::Function) -> FunctionInfo {
        let param = |param: &undergo::interface::Field| ParamInfo { name: param.name.clone(), type_name: param.ty.to_string() };
        FunctionInfo {
            name: function.name.clone(),
            docs: function.docs.clone(),
            params: function.params.iter().map(param).collect(),
            result: function.result.as_ref().map(ToString::to_string),
            fallible: function.fallible,
            signature: function.to_string(),
        }
    }
}

/// A parameter.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ParamInfo {
    /// Its name in WIT.
    pub name: String,
    /// Its type in WIT.
    pub type_name: String,
}

/// A function that the host has to give.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ImportInfo {
    /// The interface that it belongs to.
    pub interface: String,
    /// The function.
    pub function: FunctionInfo,
}

/// What a named type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum TypeKind {
    /// A record.
    Record,
    /// The record with the fields of an error.
    Error,
    /// An enum.
    Enum,
    /// A variant.
    Variant,
}

/// A named type of a plugin's interface.
#[derive(Clone, Debug, uniffi::Record)]
pub struct TypeInfo {
    /// Its name in WIT.
    pub name: String,
    /// Its Go doc comment.
    pub docs: String,
    /// What it is.
    pub kind: TypeKind,
    /// The names of its fields or cases in WIT.
    pub members: Vec<String>,
}

impl TypeInfo {
    /// None for a type of another kind.
    pub(crate) fn of(ty: &undergo::interface::Type) -> Option<TypeInfo> {
        let (name, docs, kind, members) = match &ty.kind {
            undergo::interface::TypeKind::Record(record) => {
                let kind = if record.is_error { TypeKind::Error } else { TypeKind::Record };
                (&record.name, &record.docs, kind, record.fields.iter().map(|field| field.name.clone()).collect())
            }
            undergo::interface::TypeKind::Enum(cases) => {
                (&cases.name, &cases.docs, TypeKind::Enum, cases.cases.iter().map(|(case, _)| case.clone()).collect())
            }
            undergo::interface::TypeKind::Variant(variant) => {
                (&variant.name, &variant.docs, TypeKind::Variant, variant.cases.iter().map(|case| case.name.clone()).collect())
            }
            _ => return None,
        };
        Some(TypeInfo { name: name.clone(), docs: docs.clone(), kind, members })
    }
}
