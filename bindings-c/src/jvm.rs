//! What the Java host calls, by JNI: only numbers cross, and it calls the library's functions by
//! their addresses.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};

use jni_sys::{JNI_OK, JNI_VERSION_1_8, JNIEnv, JavaVM, JavaVMAttachArgs, jclass, jlong, jmethodID, jvalue};
use undergo::ErrorKind;

use crate::dispatch::{DispatchValue, UNDERGO_DISPATCH_RELEASE};
use crate::errors::ErrorHandle;
use crate::{
    self as library, arena, cancel, chain, command, dispatch, entries, errors, handles, imports, instance, object, plugin, pool, sandbox,
    server, services, streams, values,
};

/// Gives the addresses of functions by their names.
macro_rules! symbols {
    ($($module:ident: $($name:ident)*;)*) => {
        fn symbol(name: &[u8]) -> *const c_void {
            $($(
                if name == stringify!($name).as_bytes() {
                    return $module::$name as *const c_void;
                }
            )*)*
            ptr::null()
        }
    };
}

symbols! {
    arena: undergo_arena_alloc undergo_arena_delete;
    cancel: undergo_cancel_new undergo_cancel_cancel undergo_cancel_delete;
    chain: undergo_error_chained undergo_error_with_chain;
    command: undergo_plugin_run undergo_completed_code undergo_completed_delete undergo_completed_denied
        undergo_completed_is_truncated undergo_completed_stderr undergo_completed_stdout undergo_completed_used;
    dispatch: undergo_dispatch_depth undergo_error_dispatched undergo_error_ending_dispatched undergo_error_new_dispatched
        undergo_imports_set_dispatched undergo_object_new_dispatched undergo_sandbox_lines_dispatched;
    entries: undergo_instance_enter undergo_pool_enter;
    errors: undergo_error_delete undergo_error_denied undergo_error_exit_code undergo_error_frame undergo_error_kind
        undergo_error_message undergo_error_of_kind undergo_error_path undergo_error_stderr;
    handles: undergo_handle_close undergo_handle_delete undergo_handle_is_open;
    imports: undergo_imports_delete undergo_imports_new;
    services: undergo_imports_keyvalue undergo_keyvalue_delete undergo_keyvalue_get undergo_keyvalue_new undergo_keyvalue_set;
    instance: undergo_imports_link undergo_instance_delete undergo_instance_denied undergo_instance_handles undergo_instance_is_alive
        undergo_instance_is_best undergo_instance_memory_size undergo_instance_poll undergo_instance_read_memory undergo_instance_reset
        undergo_instance_take_stderr undergo_instance_take_stdout undergo_instance_usage undergo_instance_write_memory;
    library: undergo_version;
    object: undergo_object_delete undergo_object_dispatched;
    plugin: undergo_plugin_delete undergo_plugin_describe undergo_plugin_diagnostic undergo_plugin_export undergo_plugin_find
        undergo_plugin_from_bytes undergo_plugin_go_version undergo_plugin_import undergo_plugin_instantiate_with
        undergo_plugin_interface undergo_plugin_is_best undergo_plugin_kind undergo_plugin_load undergo_plugin_load_compiled
        undergo_plugin_name undergo_plugin_pool undergo_plugin_wait_compiled;
    pool: undergo_pool_close undergo_pool_delete undergo_pool_lend undergo_pool_stats undergo_pool_warm_up;
    sandbox: undergo_sandbox_add_arg undergo_sandbox_add_dir undergo_sandbox_allow_network undergo_sandbox_capture
        undergo_sandbox_delete undergo_sandbox_discard undergo_sandbox_inherit undergo_sandbox_listen undergo_sandbox_new
        undergo_sandbox_set_clock undergo_sandbox_set_env undergo_sandbox_set_seed undergo_sandbox_set_temp
        undergo_sandbox_stdin_bytes undergo_sandbox_stdin_file undergo_sandbox_stdin_inherit;
    server: undergo_plugin_serve undergo_server_address undergo_server_close undergo_server_delete undergo_server_is_closed
        undergo_server_stats;
    streams: undergo_stream_close undergo_stream_read undergo_stream_write;
    values: undergo_value_at undergo_value_delete undergo_value_get_bytes undergo_value_get_string undergo_value_len;
}

/// The virtual machine of this process, and the method that is called for all that it has to do.
struct Jvm {
    vm: *mut JavaVM,
    class: jclass,
    method: jmethodID,
}

// SAFETY: the machine may be used on any thread, and so may a global reference and a method.
unsafe impl Send for Jvm {}
// SAFETY: as above.
unsafe impl Sync for Jvm {}

static JVM: OnceLock<Jvm> = OnceLock::new();

/// `Jni.begin`: notes the class and its method `dispatched(long)`, and gives the dispatcher's
/// address; 0 when there is no such method.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn Java_dev_undergo_java_Jni_begin(env: *mut JNIEnv, class: jclass) -> jlong {
    // SAFETY: the machine gives what is valid, on a thread of its own; the texts end with a NUL.
    let found = unsafe {
        let (mut vm, table) = (ptr::null_mut(), &(**env).v1_2);
        let method = (table.GetStaticMethodID)(env, class, c"dispatched".as_ptr(), c"(J)V".as_ptr());
        if method.is_null() || (table.GetJavaVM)(env, &raw mut vm) != JNI_OK {
            return 0;
        }
        Jvm { vm, class: (table.NewGlobalRef)(env, class), method }
    };
    if JVM.set(found).is_err() {
        // A class of another loader: the machine loads a library for one of them only.
        return 0;
    }
    dispatched as *const c_void as jlong
}

/// `Jni.symbol`: the address of a function, whose name is a text that ends with a NUL; 0 for none.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn Java_dev_undergo_java_Jni_symbol(_: *mut JNIEnv, _: jclass, name: jlong) -> jlong {
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(name as *const c_char) };
    symbol(name.to_bytes()) as jlong
}

/// `Jni.enter`: calls a function that takes a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn Java_dev_undergo_java_Jni_enter(_: *mut JNIEnv, _: jclass, function: jlong, entry: jlong) {
    // SAFETY: the caller's promise: it is the address of such a function.
    unsafe { std::mem::transmute::<jlong, unsafe extern "C" fn(jlong)>(function)(entry) }
}

/// `Jni.call`: calls a function that takes up to six numbers or pointers, as Go's `SyscallN` does:
/// they are passed in registers, and those beyond are not looked at.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "JNI passes them so")]
pub unsafe extern "system" fn Java_dev_undergo_java_Jni_call(
    _: *mut JNIEnv,
    _: jclass,
    function: jlong,
    a: jlong,
    b: jlong,
    c: jlong,
    d: jlong,
    e: jlong,
    f: jlong,
) -> jlong {
    type Six = unsafe extern "C" fn(jlong, jlong, jlong, jlong, jlong, jlong) -> jlong;
    // SAFETY: the caller's promise: it is the address of a function of C with at most so many.
    unsafe { std::mem::transmute::<jlong, Six>(function)(a, b, c, d, e, f) }
}

/// `Jni.pair`: calls a function that gives a struct of two words, and writes them.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn Java_dev_undergo_java_Jni_pair(_: *mut JNIEnv, _: jclass, function: jlong, a: jlong, result: jlong) {
    #[repr(C)]
    struct Pair(jlong, jlong);
    // SAFETY: the caller's promise: it is such a function, and there is room for two words.
    unsafe {
        let pair = std::mem::transmute::<jlong, unsafe extern "C" fn(jlong) -> Pair>(function)(a);
        (result as *mut Pair).write(pair);
    }
}

/// The numbers of the host's objects that nobody has any more, until the host asks for them. They
/// may come on any thread, also on those that the machine knows nothing of.
static RELEASED: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// `Jni.released`: writes up to `room` numbers of released objects, and gives how many.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn Java_dev_undergo_java_Jni_released(_: *mut JNIEnv, _: jclass, numbers: jlong, room: jlong) -> jlong {
    let mut released = RELEASED.lock().unwrap_or_else(PoisonError::into_inner);
    let count = released.len().min(usize::try_from(room).unwrap_or_default());
    let from = released.len() - count;
    // SAFETY: the caller's promise: there is room for as many.
    unsafe { ptr::copy_nonoverlapping(released[from..].as_ptr(), numbers as *mut u64, count) };
    released.truncate(from);
    count as jlong
}

/// The dispatcher of the Java host.
unsafe extern "C" fn dispatched(dispatch: *mut DispatchValue) {
    // SAFETY: the library calls it with what lives until it returns.
    let (what, id) = unsafe { ((*dispatch).what, (*dispatch).id) };
    if what == UNDERGO_DISPATCH_RELEASE {
        RELEASED.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        return;
    }
    let Some(jvm) = JVM.get() else { return };
    // SAFETY: the machine lives as long as the process.
    unsafe {
        let mut env = ptr::null_mut();
        if ((**jvm.vm).v1_2.GetEnv)(jvm.vm, &raw mut env, JNI_VERSION_1_8) == JNI_OK || attach(jvm, &mut env) {
            call(env.cast(), jvm, dispatch);
        } else {
            (*dispatch).error = failed(c"the host function could not be called: its thread is none of the virtual machine's");
        }
    }
}

/// A thread of the library's that the machine knows, until the thread ends.
struct Attached(*mut JavaVM);

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: the machine lives as long as the process, and the thread runs none of its code.
        unsafe { ((**self.0).v1_2.DetachCurrentThread)(self.0) };
    }
}

thread_local! {
    static ATTACHED: Cell<Option<Attached>> = const { Cell::new(None) };
}

/// Makes this thread, which is a server's, one of the machine's, that does not keep it from
/// ending. Returns whether it is.
///
/// # Safety
///
/// The thread is none of the machine's.
#[cold]
unsafe fn attach(jvm: &Jvm, env: &mut *mut c_void) -> bool {
    let mut name = *b"undergo-serve\0";
    let mut wanted = JavaVMAttachArgs { version: JNI_VERSION_1_8, name: name.as_mut_ptr().cast(), group: ptr::null_mut() };
    // SAFETY: the machine lives as long as the process, and the name is copied.
    let done = unsafe { ((**jvm.vm).v1_4.AttachCurrentThreadAsDaemon)(jvm.vm, env, (&raw mut wanted).cast()) };
    if done != JNI_OK {
        return false;
    }
    // A thread that is ending stays attached, which does no harm.
    let _ = ATTACHED.try_with(|attached| attached.set(Some(Attached(jvm.vm))));
    true
}

fn failed(text: &CStr) -> *mut ErrorHandle {
    // SAFETY: it is a text that ends with a NUL.
    unsafe { errors::undergo_error_of_kind(ErrorKind::HostError as i32, text.as_ptr()) }
}

/// # Safety
///
/// The environment is this thread's, and the dispatch lives until this returns.
unsafe fn call(env: *mut JNIEnv, jvm: &Jvm, dispatch: *mut DispatchValue) {
    let at = jvalue { j: dispatch as jlong };
    // SAFETY: the caller's promise.
    unsafe {
        let table = &(**env).v1_2;
        (table.CallStaticVoidMethodA)(env, jvm.class, jvm.method, &raw const at);
        // The method catches all that can be caught: this is a stack that has no room for it.
        if (table.ExceptionCheck)(env) {
            (table.ExceptionClear)(env);
            (*dispatch).error = failed(c"the host function could not be called: the stack of its thread is used up");
        }
    }
}
