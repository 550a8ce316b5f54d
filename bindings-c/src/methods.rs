//! Objects of the host that have methods, and functions.

use std::ffi::{c_char, c_void};
use std::slice;
use std::sync::Arc;

use undergo::host::{HostCall, HostFunction};
use undergo::{Error, ErrorKind, Result};

use crate::boundary::{Destroy, UserData, borrow, null, text};
use crate::errors::ErrorHandle;
use crate::exports::SignatureValue;
use crate::guard::{guard, put};
use crate::imports::{AdapterFn, AnyFn, Dynamic, HostFn, Kept, Structs};
use crate::object::{ObjectHandle, Origin};

/// A method of an object of the host.
#[repr(C)]
pub struct MethodValue {
    /// Its name in WIT.
    pub name: *const c_char,
    /// The function, which gets the object's data.
    pub function: HostFn,
}

/// The same with structs: for generated headers, which know the adapter and the signature.
#[repr(C)]
pub struct TypedMethodValue {
    /// Its signature, which must stay at its address.
    pub signature: *const SignatureValue,
    /// The adapter, which calls the function.
    pub adapter: AdapterFn,
    /// The function.
    pub function: AnyFn,
}

/// What the name of a function of a resource is without that of the resource.
pub(crate) fn method_name(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, method)| method)
}

/// Reads an array.
///
/// # Safety
///
/// `items` points to `count` items, which live as long as the reference.
pub(crate) unsafe fn array<'a, T>(items: *const T, count: usize, name: &str) -> Result<&'a [T]> {
    match (count, items.is_null()) {
        (0, _) => Ok(&[]),
        (_, true) => Err(null(name)),
        // SAFETY: the caller's promise.
        (_, false) => Ok(unsafe { slice::from_raw_parts(items, count) }),
    }
}

/// Creates an object of the host with these methods, for `undergo_value_object`. All of them get
/// `data`. They are called as `undergo_host_fn` says, on the thread of the call, and may call the
/// instance. The caller frees the object with `undergo_object_delete`.
///
/// `drop` is called with `data` once, on any thread, when nobody has the object any more, or at
/// once if this fails; it may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_object_new(
    methods: *const MethodValue,
    count: usize,
    data: *mut c_void,
    drop: Destroy,
    object: *mut *mut ObjectHandle,
) -> *mut ErrorHandle {
    guard(|| {
        let kept = Kept::new(UserData { data, destroy: drop });
        // SAFETY: C's promise.
        unsafe {
            put(object, "object", || {
                let given = array(methods, count, "methods")?;
                let method = |method: &MethodValue| {
                    let function = method.function.ok_or_else(|| null("the function of a method"))?;
                    let user_data = UserData::borrowed(data);
                    Ok((text(method.name, "the name of a method")?.to_owned(), Dynamic { function, user_data, _kept: kept.clone() }))
                };
                let named: Arc<dyn HostFunction> = Arc::new(Named(given.iter().map(method).collect::<Result<_>>()?));
                let names = given.iter().map(|method| text(method.name, "the name of a method").map(str::to_owned));
                let methods = names.map(|name| Ok((name?, named.clone()))).collect::<Result<_>>()?;
                Ok(ObjectHandle::named(methods).from(Origin::data(data, drop)))
            })
        }
    })
}

/// Creates a function of the host, for `undergo_value_object` and a parameter that takes one: an
/// object with the one method `call`. Otherwise as `undergo_object_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_callback_new(
    function: HostFn,
    data: *mut c_void,
    drop: Destroy,
    object: *mut *mut ObjectHandle,
) -> *mut ErrorHandle {
    let call = MethodValue { name: c"call".as_ptr(), function };
    // SAFETY: C's promise.
    unsafe { undergo_object_new(&raw const call, 1, data, drop, object) }
}

/// Creates an object of the host whose methods have structs: for generated headers. Otherwise as
/// `undergo_object_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_object_new_typed(
    methods: *const TypedMethodValue,
    count: usize,
    data: *mut c_void,
    drop: Destroy,
    object: *mut *mut ObjectHandle,
) -> *mut ErrorHandle {
    guard(|| {
        let kept = Kept::new(UserData { data, destroy: drop });
        // SAFETY: C's promise.
        unsafe {
            put(object, "object", || {
                let method = |method: &TypedMethodValue| {
                    let signature = borrow(method.signature, "the signature of a method")?;
                    let name = method_name(text(signature.name, "the name of a method")?).to_owned();
                    let adapter = method.adapter.ok_or_else(|| null("the adapter of a method"))?;
                    if method.function.is_none() {
                        return Err(null(&format!("the function {name}")));
                    }
                    let data = UserData::borrowed(data);
                    let structs = Structs { adapter, function: method.function, data, digest: signature.digest, _kept: kept.clone() };
                    let function: Arc<dyn HostFunction> = Arc::new(structs);
                    Ok((name, function))
                };
                let methods = array(methods, count, "methods")?.iter().map(method).collect::<Result<_>>()?;
                Ok(ObjectHandle::named(methods).from(Origin::data(data, drop)))
            })
        }
    })
}

/// Methods with values, in the place of each: they find the one that is called by its name.
struct Named(Vec<(String, Dynamic)>);

impl HostFunction for Named {
    fn call(&self, call: &mut HostCall<'_>) -> Result<()> {
        let name = method_name(&call.function().name);
        match self.0.iter().find(|(own, _)| own == name) {
            Some((_, function)) => function.call(call),
            None => Err(Error::new(ErrorKind::HostError, format!("the host's object has no method {name}"))),
        }
    }
}
