//! A running copy of a plugin, for the package's class of that name.

use std::sync::{Arc, Mutex, PoisonError};

use napi::sys::{self, TypedarrayType};
use undergo::host::{ReadAhead, give_turn};
use undergo::{AsyncInstance, CallOptions, Error, ErrorKind, Handle, Result, Usage};

use crate::config;
use crate::function::{self, Callee, Target, Way};
use crate::home::waiting;
use crate::js::{Env, Js, Made, Tagged};
use crate::native::Call;
use crate::object::{self, Held};
use crate::plugin::is_sync;
use crate::promise;

fn instance<'c>(call: &'c Call<'_>) -> Result<(&'c Callee, AsyncInstance)> {
    let callee = call.callee(0)?;
    match &callee.target {
        Target::Instance(instance) => Ok((callee, instance.clone())),
        Target::Lent(loan) => Ok((callee, AsyncInstance::clone(&**loan.get()?))),
        Target::Pool(_) => Err(Error::new(ErrorKind::TypeMismatch, "it is a pool, not an instance")),
    }
}

/// `bind(callee, number, timeout, token, sync, calls)`: the function for an export of an instance
/// or a pool.
pub(crate) fn bind(call: &Call<'_>) -> Result<Js> {
    let number = call.made(config::whole(call.arg(1)?))?.unwrap_or_default();
    let options = call.made(config::call(call.arg(2)?, call.arg(3)?))?;
    function::make(call.env, call.callee(0)?, usize::try_from(number).unwrap_or(usize::MAX), &options, is_sync(call, 4)?, call.arg(5)?)
}

/// `poll(instance, timeout, token, sync)`
pub(crate) fn poll(call: &Call<'_>) -> Result<Js> {
    turn(call, async |instance, options| instance.poll(&options).await, AsyncInstance::poll_here)
}

/// `reset(instance, timeout, token, sync)`
pub(crate) fn reset(call: &Call<'_>) -> Result<Js> {
    turn(call, async |instance, options| instance.reset(&options).await, AsyncInstance::reset_here)
}

fn turn<F: Future<Output = Result<()>> + Send + 'static>(
    call: &Call<'_>,
    awaited: impl FnOnce(AsyncInstance, CallOptions) -> F,
    here: impl FnOnce(&AsyncInstance, &CallOptions) -> Result<()>,
) -> Result<Js> {
    let (callee, instance) = instance(call)?;
    let mut options = call.made(config::call(call.arg(1)?, call.arg(2)?))?;
    if is_sync(call, 3)? {
        options.caller = Some(Arc::new(Way::Sync));
        waiting(call.env, || here(&instance, &options))?;
        return call.undefined();
    }
    options.caller = Some(Arc::new(Way::Promise));
    options.cancel.get_or_insert_with(|| call.home.cancel.clone());
    options.within = call.home.lease();
    let is_within = options.within.is_some();
    let work = awaited(instance, options);
    let future = async move {
        if is_within {
            give_turn().await;
        }
        work.await
    };
    call.made(promise::of(call.home, call.env, Some(callee.table.array()), future, |env, ()| env.undefined()))
}

/// `release(instance)`: returns it to its pool.
pub(crate) fn release(call: &Call<'_>) -> Result<Js> {
    if let Target::Lent(loan) = &call.callee(0)?.target {
        loan.end();
    }
    call.undefined()
}

/// `end(instance)`: lets go of the guest.
pub(crate) fn end(call: &Call<'_>) -> Result<Js> {
    instance(call)?.1.close()?;
    call.undefined()
}

/// `isOpen(object)`: whether the handle of an object of a guest can be used.
pub(crate) fn is_open(call: &Call<'_>) -> Result<Js> {
    call.made(call.env.bool(held(call, 0)?.is_open()))
}

/// `share(object, other)`: has another object stand for the same one of the guest.
pub(crate) fn share(call: &Call<'_>) -> Result<Js> {
    let other = call.arg(1)?;
    call.made(other.own(Held(held(call, 0)?)))?;
    Ok(other)
}

fn held(call: &Call<'_>, number: usize) -> Result<Handle> {
    object::handle(call.arg(number)?).ok_or_else(|| Error::new(ErrorKind::TypeMismatch, "it is no object of a plugin"))
}

/// `closeHandle(instance, object, sync)`: ends a handle, and releases the guest's object, if no
/// call is running.
pub(crate) fn close_handle(call: &Call<'_>) -> Result<Js> {
    let handle = held(call, 1)?;
    // At once: what is called from now on finds it closed.
    handle.close();
    let instance = match instance(call) {
        Ok((_, instance)) => Some(instance),
        // It was returned to its pool, and its handles with it.
        Err(error) if error.kind() == ErrorKind::DeadInstance => None,
        Err(error) => return Err(error),
    };
    if is_sync(call, 2)? {
        instance.map_or(Ok(()), |instance| waiting(call.env, || instance.close_handle_here(&handle)))?;
        return call.undefined();
    }
    let work = async move {
        match instance {
            Some(instance) => instance.close_handle(&handle).await,
            None => Ok(()),
        }
    };
    call.made(promise::of(call.home, call.env, Some(call.callee(0)?.table.array()), work, |env, ()| env.undefined()))
}

/// How many items of an iterator are fetched at once.
struct Ahead(Mutex<ReadAhead>);

impl Tagged for Ahead {
    const TAG: sys::napi_type_tag = sys::napi_type_tag { lower: 0xd85e_02c7_4b19_a6f3, upper: 0x73a1_cf60_e92d_854b };
}

/// `readAhead(instance, number)`: what `noteBatch` needs for an iterator of that resource.
pub(crate) fn read_ahead(call: &Call<'_>) -> Result<Js> {
    let number = call.made(config::whole(call.arg(1)?))?.and_then(|number| usize::try_from(number).ok());
    let interface = call.callee(0)?.target.plugin().interface();
    let resource = number.and_then(|number| interface?.resources.get(number));
    let next = resource.and_then(|resource| resource.methods.first());
    let next = next.ok_or_else(|| Error::new(ErrorKind::TypeMismatch, "it is no iterator"))?;
    call.made(Js::owner(call.env, Ahead(Mutex::new(ReadAhead::of(next)))))
}

/// `noteBatch(ahead, milliseconds, items)`: how many items to ask for next.
pub(crate) fn note_batch(call: &Call<'_>) -> Result<Js> {
    let ahead = call.arg(0)?.owned::<Ahead>().ok_or_else(|| Error::new(ErrorKind::TypeMismatch, "it is no iterator"))?;
    let elapsed = call.made(config::milliseconds(call.arg(1)?))?.unwrap_or_default();
    let items = call.made(config::whole(call.arg(2)?))?.unwrap_or_default();
    let mut ahead = ahead.0.lock().unwrap_or_else(PoisonError::into_inner);
    ahead.note(elapsed, usize::try_from(items).unwrap_or(usize::MAX));
    call.made(call.env.number(ahead.most().into()))
}

/// `handles(instance)`: `{ held, given }`
pub(crate) fn handles(call: &Call<'_>) -> Result<Js> {
    let counts = instance(call)?.1.handles();
    let make = || {
        let object = call.env.object()?;
        object.set_named("held", call.env.number(counts.held.into())?)?;
        object.set_named("given", call.env.number(counts.given.into())?)?;
        Ok(object)
    };
    call.made(make())
}

/// `dead(instance)`: what calls are told once it has ended; undefined while it lives.
pub(crate) fn dead(call: &Call<'_>) -> Result<Js> {
    let dead = match instance(call) {
        Ok((_, instance)) => instance.dead(),
        Err(error) if error.kind() == ErrorKind::DeadInstance => Some(error),
        Err(error) => return Err(error),
    };
    match dead {
        Some(error) => call.made(call.env.string(error.message())),
        None => call.undefined(),
    }
}

/// `usage(instance)`: `{ time, memory, fuel }`
pub(crate) fn usage(call: &Call<'_>) -> Result<Js> {
    call.made(usage_object(call.env, instance(call)?.1.usage()))
}

pub(crate) fn usage_object(env: Env, usage: Usage) -> Made {
    let object = env.object()?;
    object.set_named("time", env.number(usage.time.as_secs_f64() * 1000.0)?)?;
    object.set_named("memory", env.number(usage.memory as f64)?)?;
    object.set_named("fuel", usage.fuel.map_or_else(|| env.undefined(), |fuel| env.number(fuel as f64))?)?;
    Ok(object)
}

/// `tier(instance)`
pub(crate) fn tier(call: &Call<'_>) -> Result<Js> {
    call.made(call.env.string(instance(call)?.1.tier().as_str()))
}

/// `takeStdout(instance)`
pub(crate) fn take_stdout(call: &Call<'_>) -> Result<Js> {
    bytes(call, &instance(call)?.1.take_stdout())
}

/// `takeStderr(instance)`
pub(crate) fn take_stderr(call: &Call<'_>) -> Result<Js> {
    bytes(call, &instance(call)?.1.take_stderr())
}

/// `denied(instance)`: an array of strings
pub(crate) fn denied(call: &Call<'_>) -> Result<Js> {
    call.made(call.env.strings(&instance(call)?.1.denied()))
}

/// `readMemory(instance, address, length)`
pub(crate) fn read_memory(call: &Call<'_>) -> Result<Js> {
    let (address, length) = (word(call, 1, "address")?, word(call, 2, "length")?);
    bytes(call, &instance(call)?.1.read_memory(address, length)?)
}

/// `writeMemory(instance, address, bytes)`
pub(crate) fn write_memory(call: &Call<'_>) -> Result<Js> {
    let data = call.arg(2)?.bytes().ok_or_else(|| Error::new(ErrorKind::TypeMismatch, "expected a buffer or a typed array"))?;
    instance(call)?.1.write_memory(word(call, 1, "address")?, crate::bytes::Copied::new(&data).as_ref())?;
    call.undefined()
}

/// `memorySize(instance)`
pub(crate) fn memory_size(call: &Call<'_>) -> Result<Js> {
    call.made(call.env.number(instance(call)?.1.memory_size()? as f64))
}

fn bytes(call: &Call<'_>, bytes: &[u8]) -> Result<Js> {
    call.made(call.env.typed_array(TypedarrayType::uint8_array, bytes, 1))
}

/// A number of 32 bits; a negative one is what a signed i32 export gave for an address above 2 GiB.
fn word(call: &Call<'_>, number: usize, name: &str) -> Result<u32> {
    let given = call.arg(number)?;
    let value = given.f64().map_err(|_| Error::new(ErrorKind::TypeMismatch, format!("the {name} must be a number")))?;
    let unsigned = if value < 0.0 && name == "address" { value + 4_294_967_296.0 } else { value };
    if unsigned.trunc() != unsigned || !(0.0..4_294_967_296.0).contains(&unsigned) {
        return Err(Error::new(ErrorKind::TypeMismatch, format!("the {name} {value} is out of range")));
    }
    Ok(unsigned as u32)
}
