//! Iterables of the host.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use undergo::host::{Batches, HostCall, HostFunction, ToValue};
use undergo::{Error, ErrorKind, Result, Value};

use crate::arena::Arena;
use crate::boundary::{Destroy, UserData, borrow, null};
use crate::errors::ErrorHandle;
use crate::exports::SignatureValue;
use crate::guard::{guard, put};
use crate::handles::NextResult;
use crate::imports::{self, AnyFn, Kept};
use crate::methods::method_name;
use crate::object::ObjectHandle;
use crate::shape::Shape;
use crate::values::ValueHandle;

/// Gives the next item of an iterable: it sets `*item` to a value, which then belongs to Undergo,
/// or leaves it NULL at the end, after which it is not called again. An error that it returns
/// belongs to Undergo, and ends the call of the guest after the items before it.
pub type NextFn = Option<unsafe extern "C" fn(data: *mut c_void, item: *mut *mut ValueHandle) -> *mut ErrorHandle>;

/// The adapter of an iterable in a generated header: it calls `function`, which fills the struct
/// `item` and sets `*has_item`, or leaves it false at the end. What the item points to may be in
/// the arena, or anywhere else where it lives as long as the iterable.
pub type NextAdapterFn = Option<
    unsafe extern "C" fn(function: AnyFn, data: *mut c_void, item: *mut c_void, has_item: *mut bool, arena: *mut Arena) -> *mut ErrorHandle,
>;

/// Creates an iterable of the host, for `undergo_value_object` and a parameter that takes one. The
/// guest takes its items in batches, by calls on the thread of the call; what one call has not
/// taken, the next one does. Otherwise as `undergo_object_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_items_new(
    next: NextFn,
    data: *mut c_void,
    drop: Destroy,
    object: *mut *mut ObjectHandle,
) -> *mut ErrorHandle {
    guard(|| {
        let kept = Kept::new(UserData { data, destroy: drop });
        let next = next.ok_or_else(|| null("next"))?;
        let function: Arc<dyn HostFunction> =
            Arc::new(Values { next, data: UserData::borrowed(data), batches: Batches::default(), _kept: kept });
        // SAFETY: C's promise.
        unsafe { put(object, "object", || Ok(ObjectHandle::named(vec![("next".to_owned(), function)]))) }
    })
}

/// The same with structs: for generated headers. The signature is that of `next`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_items_new_typed(
    signature: *const SignatureValue,
    adapter: NextAdapterFn,
    function: AnyFn,
    data: *mut c_void,
    drop: Destroy,
    object: *mut *mut ObjectHandle,
) -> *mut ErrorHandle {
    guard(|| {
        let kept = Kept::new(UserData { data, destroy: drop });
        // SAFETY: C's promise.
        let digest = unsafe { borrow(signature, "signature") }?.digest;
        let adapter = adapter.ok_or_else(|| null("adapter"))?;
        if function.is_none() {
            return Err(null("next"));
        }
        let structs = Structs { adapter, function, data: UserData::borrowed(data), digest, batches: Batches::default(), _kept: kept };
        let function: Arc<dyn HostFunction> = Arc::new(structs);
        // SAFETY: C's promise.
        unsafe { put(object, "object", || Ok(ObjectHandle::named(vec![("next".to_owned(), function)]))) }
    })
}

/// The most items that are given at once, however many the guest asks for.
const MOST: u32 = 1024;

/// How many items the guest asks for.
pub(crate) fn most(call: &mut HostCall<'_>) -> Result<u32> {
    if method_name(&call.function().name) != "next" {
        let text = format!("the host's object is an iterable, and has no method {}", method_name(&call.function().name));
        return Err(Error::new(ErrorKind::HostError, text));
    }
    match call.args(&ToValue)?.first() {
        Some(Value::Int(most)) => Ok(u32::try_from(*most).unwrap_or(MOST).clamp(1, MOST)),
        _ => Ok(1),
    }
}

struct Values {
    next: unsafe extern "C" fn(*mut c_void, *mut *mut ValueHandle) -> *mut ErrorHandle,
    data: UserData,
    batches: Batches,
    _kept: Arc<Kept>,
}

impl HostFunction for Values {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let (most, function, mut items) = (most(call)?, call.function(), Vec::new());
        let has_ended = call.outside(|| {
            self.batches.gather(most, || {
                let mut item: *mut ValueHandle = ptr::null_mut();
                // SAFETY: C's promise: the function may be called so, with its own data.
                let returned = unsafe { (self.next)(self.data.data, &raw mut item) };
                // SAFETY: what the function gives is handed over, also when it fails.
                let item = (!item.is_null()).then(|| unsafe { Box::from_raw(item) }.0);
                // SAFETY: an error that is returned is handed over.
                unsafe { imports::check(returned, function) }?;
                let is_there = item.is_some();
                items.extend(item);
                Ok(is_there)
            })
        })?;
        call.answer(&&Value::List(vec![Value::List(items), Value::Bool(has_ended)]))
    }
}

struct Structs {
    adapter: unsafe extern "C" fn(AnyFn, *mut c_void, *mut c_void, *mut bool, *mut Arena) -> *mut ErrorHandle,
    function: AnyFn,
    data: UserData,
    digest: u64,
    batches: Batches,
    _kept: Arc<Kept>,
}

impl HostFunction for Structs {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let (shape, function) = (Shape::called(call, self.digest)?, call.function());
        let Some(item) = shape.item() else { return Err(no_iterator()) };
        let most = most(call)?;
        let mut arena = Arena::new();
        let items = arena.alloc((most as usize).saturating_mul(item.size), item.align)?.as_ptr();
        let mut result = NextResult { items: items.cast(), len: 0, has_ended: false };
        result.has_ended = call.outside(|| {
            self.batches.gather(most, || {
                let (at, mut has_item) = (items.wrapping_add(result.len * item.size), false);
                // SAFETY: there is room for so many items. C's promise: the adapter may be called
                // so, with that function and its data; an error that is returned is handed over.
                unsafe {
                    at.write_bytes(0, item.size);
                    let returned = (self.adapter)(self.function, self.data.data, at.cast(), &raw mut has_item, &raw mut arena);
                    imports::check(returned, function)?;
                }
                result.len += usize::from(has_item);
                Ok(has_item)
            })
        })?;
        // SAFETY: C's promise: the function has filled the items with what lives until now.
        unsafe { imports::answer(call, shape, (&raw mut result).cast()) }
    }
}

#[cold]
fn no_iterator() -> Error {
    Error::new(ErrorKind::SignatureMismatch, "the signature is none of an iterator's next")
}
