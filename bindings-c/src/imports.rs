//! The host functions of a C program.

use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use undergo::host::{HostCall, HostFunction, ToValue};
use undergo::interface::Function;
use undergo::{Imports, Plugin, Result, Value};

use crate::arena::Arena;
use crate::boundary::{Destroy, UserData, borrow, borrow_mut, delete, give, null, text};
use crate::chain::from_host;
use crate::errors::ErrorHandle;
use crate::exports::{SignatureValue, mismatch, mismatched};
use crate::guard::guard;
use crate::layout::{Kind, Layout};
use crate::lift::Filling;
use crate::lower::{self, Place};
use crate::object::ObjectHandle;
use crate::plain;
use crate::shape::Shape;
use crate::values::ValueHandle;

/// A host function. `args` is a list of the arguments, and belongs to Undergo. On success it sets
/// `*result` to a value, which then belongs to Undergo, or leaves it NULL for none, and returns
/// NULL. An error that it returns (`undergo_error_new`, or one that it has received) belongs to
/// Undergo. It becomes the Go error if the import returns one. Otherwise it ends the call and the
/// instance, and the caller of the export gets it.
///
/// It is called on the thread of the call; for a pool, on several at once. It may call the instance
/// that has called it. It must not unwind or longjmp.
pub type HostFn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, args: *const ValueHandle, result: *mut *mut ValueHandle) -> *mut ErrorHandle>;

/// Any function, which Undergo passes to the adapter that knows its type.
pub type AnyFn = Option<unsafe extern "C" fn()>;

/// The adapter of an import in a generated header: it calls `function` with the content of the
/// struct `args`, and lets it fill `result`, whose nested data may be in the arena, or anywhere
/// else where it lives until the next call of the function. Objects in the result belong to Undergo
/// then, unless the function fails.
pub type AdapterFn = Option<
    unsafe extern "C" fn(
        function: AnyFn,
        user_data: *mut c_void,
        args: *const c_void,
        result: *mut c_void,
        arena: *mut Arena,
    ) -> *mut ErrorHandle,
>;

/// The functions that a program provides to instances. Not thread-safe while being modified;
/// instances and pools take a copy when they are created.
pub struct ImportsHandle {
    core: Imports,
    /// Those with structs, which have to be those that the plugin wants.
    typed: Vec<Typed>,
    kept: Arc<Kept>,
}

/// What lives as long as the functions.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<UserData>>);

impl Kept {
    pub(crate) fn new(data: UserData) -> Arc<Kept> {
        Arc::new(Kept(Mutex::new(vec![data])))
    }
}

struct Typed {
    interface: String,
    name: String,
    digest: u64,
    signature: *const SignatureValue,
}

impl ImportsHandle {
    /// The functions for a plugin; those with structs must be made for it.
    pub(crate) fn of(&self, plugin: &Plugin) -> Result<Imports> {
        let mut wrong = Vec::new();
        for typed in &self.typed {
            let found = plugin.imports().find(|(interface, function)| *interface == typed.interface && function.name == typed.name);
            if let Some((_, function)) = found
                && function.digest() != typed.digest
            {
                // SAFETY: `undergo_imports_set_typed` asks for a signature that stays.
                wrong.push(mismatched(unsafe { borrow(typed.signature, "signature") }?, Some(function))?);
            }
        }
        if wrong.is_empty() { Ok(self.core.clone()) } else { Err(mismatch(&wrong.join("; "))) }
    }

    /// Gives a function, in place of the one of that name that was given before.
    pub(crate) fn set(&mut self, interface: &str, name: &str, function: Arc<dyn HostFunction>) {
        self.typed.retain(|typed| typed.interface != interface || typed.name != name);
        self.core.set(interface, name, function);
    }

    /// Gives functions of the core's own.
    pub(crate) fn serve(&mut self, give: impl FnOnce(&mut Imports)) {
        give(&mut self.core);
    }

    /// Gives the exports of another instance, in place of functions of their names.
    pub(crate) fn link(&mut self, interface: &str, instance: &undergo::Instance) {
        let plugin = instance.plugin();
        self.typed.retain(|typed| typed.interface != interface || !plugin.exports().any(|function| function.name == typed.name));
        self.core.link(interface, instance);
    }
}

/// SAFETY: NULL, or imports that nobody changes meanwhile.
pub(crate) unsafe fn imports(given: *const ImportsHandle, plugin: &Plugin) -> Result<Imports> {
    // SAFETY: the caller's promise.
    unsafe { given.as_ref() }.map_or_else(|| Ok(Imports::default()), |given| given.of(plugin))
}

/// Creates an empty list of functions. Free it with `undergo_imports_delete`.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_imports_new() -> *mut ImportsHandle {
    give(ImportsHandle { core: Imports::default(), typed: Vec::new(), kept: Arc::default() })
}

/// Frees it. NULL is accepted. Instances that were created with it keep the functions and their
/// user data as long as they live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_imports_delete(imports: *mut ImportsHandle) {
    // SAFETY: C's promise.
    unsafe { delete(imports) };
}

/// Adds a function, by the WIT names of its interface and its own. Functions that the plugin does
/// not import are ignored. `destroy`, if there is one, is called once with the user data, when
/// nobody can call the function any more (the imports and all instances that were created with them
/// are gone), or at once if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_imports_set(
    imports: *mut ImportsHandle,
    interface: *const c_char,
    name: *const c_char,
    function: HostFn,
    user_data: *mut c_void,
    destroy: Destroy,
) -> *mut ErrorHandle {
    guard(|| {
        let user_data = UserData { data: user_data, destroy };
        // SAFETY: C's promise.
        let (imports, interface, name) = unsafe { (borrow_mut(imports, "imports")?, text(interface, "interface")?, text(name, "name")?) };
        let function = function.ok_or_else(|| null("function"))?;
        let kept = imports.kept.clone();
        imports.set(interface, name, Arc::new(Dynamic { function, user_data, _kept: kept }));
        Ok(())
    })
}

/// Adds a function with structs: for generated headers, which know the adapter and the signature.
/// The signature must stay at its address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_imports_set_typed(
    imports: *mut ImportsHandle,
    signature: *const SignatureValue,
    adapter: AdapterFn,
    function: AnyFn,
    user_data: *mut c_void,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (imports, wanted) = unsafe { (borrow_mut(imports, "imports")?, borrow(signature, "signature")?) };
        // SAFETY: C's promise.
        let (interface, name) = unsafe { (text(wanted.interface, "interface")?, text(wanted.name, "name")?) };
        let adapter = adapter.ok_or_else(|| null("adapter"))?;
        if function.is_none() {
            return Err(null(&format!("the function {interface}.{name}")));
        }
        let data = UserData::borrowed(user_data);
        let given = Structs { adapter, function, data, digest: wanted.digest, _kept: imports.kept.clone() };
        imports.set(interface, name, Arc::new(given));
        imports.typed.push(Typed { interface: interface.to_owned(), name: name.to_owned(), digest: wanted.digest, signature });
        Ok(())
    })
}

/// Keeps user data that several functions share as long as these: `destroy` is called once, when
/// nobody can call any of them any more, or at once if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_imports_keep(imports: *mut ImportsHandle, user_data: *mut c_void, destroy: Destroy) -> *mut ErrorHandle {
    guard(|| {
        let user_data = UserData { data: user_data, destroy };
        // SAFETY: C's promise.
        let imports = unsafe { borrow_mut(imports, "imports") }?;
        imports.kept.0.lock().unwrap_or_else(PoisonError::into_inner).push(user_data);
        Ok(())
    })
}

/// What a function of C returned.
///
/// SAFETY: an error that is not NULL is handed over.
pub(crate) unsafe fn check(returned: *mut ErrorHandle, function: &Function) -> Result<()> {
    // SAFETY: the caller's promise.
    if returned.is_null() { Ok(()) } else { Err(unsafe { from_host(returned, function) }) }
}

/// A function with values.
pub(crate) struct Dynamic {
    pub(crate) function: unsafe extern "C" fn(*mut c_void, *const ValueHandle, *mut *mut ValueHandle) -> *mut ErrorHandle,
    pub(crate) user_data: UserData,
    pub(crate) _kept: Arc<Kept>,
}

impl HostFunction for Dynamic {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let args = ValueHandle(Value::List(call.args(&ToValue)?));
        let mut result = ptr::null_mut();
        // SAFETY: C's promise: the function may be called so, with its own data.
        let returned = call.outside(|| unsafe { (self.function)(self.user_data.data, &raw const args, &raw mut result) });
        let result = if result.is_null() {
            None
        } else {
            // SAFETY: what the function gives as its result is handed over, also when it fails.
            Some(unsafe { Box::from_raw(result) }.0)
        };
        // SAFETY: an error that is returned is handed over.
        unsafe { check(returned, call.function()) }?;
        call.answer(&&result.unwrap_or(Value::None))
    }
}

/// A function with structs.
pub(crate) struct Structs {
    pub(crate) adapter: unsafe extern "C" fn(AnyFn, *mut c_void, *const c_void, *mut c_void, *mut Arena) -> *mut ErrorHandle,
    pub(crate) function: AnyFn,
    pub(crate) data: UserData,
    pub(crate) digest: u64,
    pub(crate) _kept: Arc<Kept>,
}

impl HostFunction for Structs {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let shape = Shape::called(call, self.digest)?;
        let mut nested = Scratch::new();
        // SAFETY: the scratch outlives the arena.
        let mut arena = unsafe { nested.arena() };
        let (mut args, mut result) = (Room::new(), Room::new());
        let args = args.zeroed(shape.params.size);
        // SAFETY: there is room for the struct of the arguments.
        unsafe { take_args(call, shape, args, &mut arena) }?;
        let result = result.zeroed(shape.result.as_ref().map_or(0, |layout| layout.size));
        // SAFETY: C's promise: the adapter may be called so, with that function and its data.
        let returned =
            call.outside(|| unsafe { (self.adapter)(self.function, self.data.data, args.cast(), result.cast(), &raw mut arena) });
        // SAFETY: an error that is returned is handed over.
        unsafe { check(returned, call.function()) }?;
        // SAFETY: C's promise: the function has filled the struct with what lives until now.
        unsafe { answer(call, shape, result) }
    }
}

/// Fills the struct of a host function's arguments, and the arena with what it points to.
///
/// # Safety
///
/// There is room for the struct.
#[inline]
pub(crate) unsafe fn take_args(call: &mut HostCall<'_>, shape: &Shape, at: *mut u8, arena: &mut Arena) -> Result<()> {
    if shape.takes_plain
        && let Some(params) = &shape.plain
    {
        // SAFETY: the caller's promise.
        return call.plain_args(|args| unsafe { plain::take(args, params, at, arena) });
    }
    // SAFETY: as above.
    unsafe { lift_args(call, shape, at, arena) }
}

/// The same for any function. Not inlined: what it needs would lie on the stack while the host's
/// code runs, which may call the guest, and so on.
///
/// # Safety
///
/// As above.
#[inline(never)]
unsafe fn lift_args(call: &mut HostCall<'_>, shape: &Shape, at: *mut u8, arena: &mut Arena) -> Result<()> {
    let shared = RefCell::new(std::mem::replace(arena, Arena::new()));
    // SAFETY: the caller's promise.
    let lifted = call.args(&unsafe { Filling::fields(&shape.params, at, &shared) });
    *arena = shared.into_inner();
    lifted.map(drop)
}

/// Answers with the struct of a host function's result, and with the objects that it has.
///
/// # Safety
///
/// The struct lies there, if the function has a result, with all that it points to; its objects are
/// not used again.
#[inline]
pub(crate) unsafe fn answer(call: &mut HostCall<'_>, shape: &Shape, at: *mut u8) -> Result<()> {
    let Some(layout) = &shape.result else { return answer_nothing(call) };
    if let Some(number) = shape.number {
        // SAFETY: the caller's promise.
        return call.answer_number(unsafe { number.read(at) });
    }
    // SAFETY: the caller's promise.
    let place = unsafe { Place::new(at, layout) };
    if shape.is_text
        && let Ok(text) = place.text()
    {
        return call.answer_text(text);
    }
    lower_answer(call, place, layout)
}

/// The same for a function without a result. Not inlined either.
#[inline(never)]
fn answer_nothing(call: &mut HostCall<'_>) -> Result<()> {
    call.answer(&lower::nothing())
}

/// The same for any result. Not inlined, as `lift_args`.
#[inline(never)]
fn lower_answer(call: &mut HostCall<'_>, place: Place<'_>, layout: &Layout) -> Result<()> {
    let answered = call.answer(&place);
    if layout.has_handles() {
        place.each_handle(&mut |at, kind| {
            if let Kind::Object = kind {
                // SAFETY: the function has given it away.
                unsafe { delete(at.cast::<ObjectHandle>()) };
            }
        });
    }
    answered
}

/// Room for a struct: on the stack, unless it is large.
pub(crate) struct Room {
    few: MaybeUninit<[u64; FEW]>,
    many: Vec<u64>,
}

/// Words of most structs.
const FEW: usize = 32;

impl Room {
    #[inline]
    pub(crate) fn new() -> Room {
        Room { few: MaybeUninit::uninit(), many: Vec::new() }
    }

    /// So many bytes, all zero, which stay where they are until this is moved or asked again.
    #[inline]
    pub(crate) fn zeroed(&mut self, size: usize) -> *mut u8 {
        let words = size.div_ceil(8);
        if words > FEW {
            self.many = vec![0; words];
            return self.many.as_mut_ptr().cast();
        }
        let few = self.few.as_mut_ptr().cast::<u64>();
        for i in 0..words {
            // SAFETY: so many words are there.
            unsafe { few.add(i).write(0) };
        }
        few.cast()
    }
}

/// Room for what most structs point to, which is not cleared.
pub(crate) struct Scratch(MaybeUninit<[u128; 32]>);

impl Scratch {
    #[inline]
    pub(crate) fn new() -> Scratch {
        Scratch(MaybeUninit::uninit())
    }

    #[inline]
    pub(crate) fn place(&mut self) -> (*mut c_void, usize) {
        (self.0.as_mut_ptr().cast(), size_of::<[u128; 32]>())
    }

    /// An arena that begins here.
    ///
    /// # Safety
    ///
    /// This outlives it, and what lies in it, and is not used otherwise.
    #[inline]
    pub(crate) unsafe fn arena(&mut self) -> Arena {
        let (at, len) = self.place();
        // SAFETY: the caller's promise.
        unsafe { Arena::over(at.cast(), len) }
    }
}

// SAFETY: what is behind `signature` is a constant of a generated header.
unsafe impl Send for ImportsHandle {}
