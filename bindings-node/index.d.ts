// Type definitions of undergo 0.1.0.
/// <reference types="node" />

/** The version of this package, and of every other part of Undergo. */
export declare const version: string

/** What can be lowered to bytes (`list<u8>`, a Go `[]byte`). */
export type Bytes = Uint8Array | Uint8ClampedArray | ArrayBuffer | DataView | readonly number[]

/** Where compiled code comes from, and where it is kept. */
export interface PluginOptions {
  /**
   * `'tiered'`, the default: quickly at first, and better in the background, for the instances that are made after that. `'fast'`: quickly, to code that takes two
   * to three times as long. `'best'`: well, and wait for it.
   */
  compile?: 'tiered' | 'fast' | 'best'
  /**
   * Where compiled code is kept for the next process. Left out: in the folder that `UNDERGO_CACHE_DIR` names, or else the user's own for caches. A path: in that
   * folder. False: nowhere.
   */
  cache?: string | URL | boolean
  /** How many times as much as usual the module may ask of the compilers: no compilation can be stopped, so what asks for more is refused. 1, if left out. */
  bounds?: number
  /** Milliseconds that loading may take. Behind it a compilation goes on, within the bounds. */
  timeout?: number
  /** Ends the loading before that. */
  signal?: AbortSignal
  /**
   * The path of the program `undergo`, of this version, that compiles in a process of its own, whose time and memory are limited: for modules of strangers.
   */
  compiler?: string | URL
  /** Whether the jumps of Go's code are written as nested blocks and loops before it is compiled, which makes it faster. True, if left out. */
  optimize?: boolean
}

/** A directory of the host, given to the guest. */
export interface Dir {
  /** Its path on the host. */
  path: string | URL
  /** Whether the guest may only read. */
  readonly?: boolean
}

/**
 * Where a guest's output goes. A function gets each line without its newline, on the event loop's thread, while the guest waits; what is not UTF-8 is replaced, a
 * line of more than 64 KiB comes in pieces, and one without a newline when the call ends. What it throws ends the call and the instance, and is the `cause` of what
 * the caller gets. It can't be asynchronous.
 */
export type Output = 'inherit' | 'discard' | 'capture' | ((line: string) => void)

/** What an instance may reach. By default nothing but the standard output and error of this process. */
export interface Sandbox {
  /** `os.Args` behind the program's name, which is always there. */
  args?: Iterable<string>
  /** Environment variables; nothing is taken from this process's own environment. */
  env?: Readonly<Record<string, string>>
  /**
   * Directories of the host, by the path at which the guest sees them; a plain path is given for reading and writing. They are opened once, when an instance, a pool or a run
   * is made of the sandbox. Where none is given at `/`, the guest sees an empty root that it can only read.
   */
  dirs?: Readonly<Record<string, string | URL | Dir>>
  /**
   * Whether the guest gets a folder for temporary files at `/tmp`, of its own and empty: made with it, in the host's own place for such folders, and gone when it is reset or
   * dropped. Only the host's disk bounds what it writes there.
   */
  temp?: boolean
  /**
   * What the guest reads from its standard input: a buffer is its content, `{ file }` a file (or a FIFO), which each instance reads from its beginning, and `'inherit'` the
   * standard input of this process. The guest waits for input as long as its call may.
   */
  stdin?: ArrayBufferView | ArrayBufferLike | { file: string | URL } | 'inherit'
  /** Where standard output goes; by default `'inherit'`, and `'capture'` for a command that is run. What an instance printed is read with `takeStdout()`. */
  stdout?: Output
  /** The same for standard error. Its end is kept for the text of a panic in any case. */
  stderr?: Output
  /** Bytes of a captured stream that are kept, 1 MiB by default; what is beyond is dropped. */
  captureLimit?: number
  /**
   * For runs that can be repeated: the guest's clock begins at this time, from 1970 on, anew for each instance and each run. It goes on by a microsecond whenever the guest
   * reads it, and to the end of a wait (`time.Sleep`, say), which takes no time. Limits of time, and the times of files, are the host's in any case.
   */
  clock?: Date
  /** Likewise: all random numbers of the guest follow from this, of 64 bits, those of `crypto/rand` and the order of maps included: never for keys. */
  seed?: number | bigint
  /**
   * What it may reach over the network: a rule, or several. `'example.org:443'` and `'10.0.0.0/8:5432'` are for connecting, `'listen=127.0.0.1:8080'` is for listening;
   * docs/network.md of the project has all of them. What was denied is in `denied` of the run, the instance and the error, with the rule that would allow it.
   */
  network?: string | Iterable<string>
  /**
   * Addresses such as `'127.0.0.1:8080'` at which the host listens for the guest, which accepts there at descriptor 3 (and behind the directories') on, and needs no rule.
   * They are opened when an instance, a pool or a run is made of the sandbox, and closed with it.
   */
  listeners?: Iterable<string>
}

/** What an instance may use. By default there is no limit but those of WebAssembly (4 GiB of memory) and of one value. Sizes are bytes, or a text: `'64MiB'`. */
export interface Limits {
  /** Guest memory. */
  memory?: number | string
  /** Milliseconds that a call may take, and that the initialisation may: computing, sleeping, host functions and waiting for the instance. */
  timeout?: number
  /** Bytes that JavaScript may need for one value from the guest, as objects, 1 GiB by default. */
  value?: number | string
  /** Bytes that the guest may write to each of its two outputs over its life; what is beyond is dropped, which is no error for the guest. */
  output?: number | string
  /** Elements of the guest's tables, all together, 4,194,304 by default. Go's table has one for each function, and never grows. */
  table?: number
  /** Guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power of two; 4 MiB by default, enough for a hundred thousand Go calls, one within the other. */
  stack?: number | string
  /**
   * How much each call, and the initialisation, may compute, in units of about one WebAssembly instruction: a limit that does not depend on the machine. It costs
   * about a tenth of the speed.
   */
  fuel?: number
  /**
   * Descriptors of this process that the guest may hold at once, 128 by default: files, directories, sockets, connections that it accepted, and pipes. Beyond it the
   * guest gets the error "too many open files".
   */
  descriptors?: number
}

/**
 * A function that the host gives. It may give a promise: the guest waits for it, and no thread does. What it throws, or rejects with, is the error that the Go code
 * gets, where the import returns one; elsewhere it ends the call and the instance, and is the `cause` of what the caller gets.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type HostFunction = (...args: any[]) => unknown

/**
 * The functions that a plugin needs: `{ interface: { name: function } }`, by their names in camelCase. They are called as methods of the inner object. What the
 * plugin does not need is not looked at.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Imports = Readonly<Record<string, any>>

/** How an instance is made. */
export interface InstanceOptions<I extends object = Imports> {
  /** The functions that the plugin needs. */
  imports?: I
  /** What it may reach; nothing by default. */
  sandbox?: Sandbox
  /** What it may use. */
  limits?: Limits
  /**
   * Whether integers of 64 bits (Go's `int`, `int64`, `uint`, `uint64`) come as bigints, and lists of them as BigInt64Array or BigUint64Array. Otherwise they are
   * numbers, and what a number would not hold exactly, beyond ±2^53, is a `type-mismatch`. Bigints are accepted in any case.
   */
  bigint?: boolean
}

/** How a pool is made. Its timeout covers waiting for an instance, and making one. */
export interface PoolOptions<I extends object = Imports> extends InstanceOptions<I> {
  /** The most instances that there are at once; they are made when calls need them. */
  size: number
  /** After so many calls an instance is replaced; 1 is a fresh instance for each call. Left out: it serves as long as it lives. */
  maxCalls?: number
  /** Milliseconds after which an instance that was not called is dropped. Left out: it is kept. */
  idle?: number
}

/** Options of calls. */
export interface CallOptions {
  /** Milliseconds that a call may take, waiting for its turn included; the instance's limit when left out. */
  timeout?: number
  /**
   * What can end the calls before: they reject with `cancelled`, whose `cause` is the signal's reason, within some milliseconds, whether the guest computes, sleeps
   * or waits. Their instance has ended then, unless the call had not begun. It can't end a call through `sync`, for which JavaScript waits.
   */
  signal?: AbortSignal
}

/** How a command is run. */
export interface RunOptions<I extends object = Imports> extends InstanceOptions<I>, CallOptions {
  /** `os.Args` behind the program's name. This, `env` and `stdin` are in place of the sandbox's own, where they are given. */
  args?: Iterable<string>
  /** Its environment variables. */
  env?: Readonly<Record<string, string>>
  /** What it reads from its standard input. */
  stdin?: Sandbox['stdin']
}

/** What became of a command. */
export interface Completed {
  /** Its exit code: that of `os.Exit`, 0 when `main` returned, 2 after a panic, whose text is on its standard error. */
  readonly code: number
  /** What it wrote to its standard output, where that is captured. */
  readonly stdout: Buffer
  /** The same for its standard error. */
  readonly stderr: Buffer
  /** Whether it wrote more than that: more than is captured, or than the limits let it write. */
  readonly truncated: boolean
  /** What the sandbox denied it of the network, each thing once with the rule that would allow it; 64 of them at the most. */
  readonly denied: readonly string[]
  /** What it used. */
  readonly usage: Usage
}

/** What an export, or an import, is. */
export interface FunctionDescription {
  /** Its name in JavaScript. */
  readonly name: string
  /** Its name in WIT. */
  readonly witName: string
  /** `greet(p: Person, shout: boolean): string` */
  readonly signature: string
  /** The Go comment. */
  readonly docs: string
}

/** A function that the plugin needs. */
export interface ImportDescription extends FunctionDescription {
  /** The interface that it belongs to. */
  readonly interface: string
}

/** An export: of an instance or a pool it gives a promise. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AsyncFunction = (...args: any[]) => Promise<any>
/** An export of `sync`: it gives its result. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type SyncFunction = (...args: any[]) => any

/** All exports as methods, for a plugin whose types are not known: `undergo bindgen --lang ts` writes them. */
export interface AnyExports {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [name: string]: any
}

/** A plugin's exports as they are of `sync`. */
export type SyncExports<E extends object> = {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [K in keyof E]: E[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R : E[K]
}

/** What instances, pools and their views have besides the exports. */
interface Callable<E extends object> {
  /** All exports, whatever their names: those as well that collide with a property of this object. */
  readonly exports: E
  /** Calls an export whose name is known only when the program runs. Rejects with `unknown-export`, and the names that are near. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  call(name: string, ...args: unknown[]): Promise<any>
  /** A view whose calls have other options: `await instance.using({ timeout: 100 }).greet(person)`. What it does not say is as it was. */
  using(options: CallOptions): View<E>
  /**
   * The same exports, which return when the call is over: for scripts. Nothing else happens on this thread meanwhile, so that a host function can't be asynchronous
   * (a promise from one is a `host-error` there), and a call is `busy` while another has the instance, unless it comes from a host function of that.
   */
  readonly sync: SyncView<E>
}

/** A view of an instance or a pool whose calls have other options. */
export type View<E extends object = AnyExports> = Callable<E> & Omit<E, keyof Callable<E> | 'then'>

/** A view whose calls return when they are over. */
export type SyncView<E extends object = AnyExports> = SyncMembers<E> & Omit<SyncExports<E>, keyof SyncMembers<E> | 'then'>

interface SyncMembers<E extends object> {
  /** All exports, whatever their names. */
  readonly exports: SyncExports<E>
  /** Calls an export whose name is known only when the program runs. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  call(name: string, ...args: unknown[]): any
  /** A view whose calls have other options. */
  using(options: CallOptions): SyncView<E>
}

/** A view of an instance for scripts. */
export type SyncInstance<E extends object = AnyExports> = SyncMembers<E> & SyncTurns & Omit<SyncExports<E>, keyof SyncMembers<E> | keyof SyncTurns | 'then'>

interface SyncTurns {
  /** As `poll` of the instance. */
  poll(options?: CallOptions): void
  /** As `reset` of the instance. */
  reset(options?: CallOptions): void
}

/** A guest's memory, for plugins without an interface. While a call is under way it is `busy`, but for the host function that the call runs. */
export interface Memory {
  /** Bytes, which only grow. */
  readonly size: number
  /** A copy of `length` bytes at `address`. Throws `type-mismatch` when they do not lie within the memory. */
  read(address: number, length: number): Uint8Array
  /** Copies the bytes to `address`. */
  write(address: number, data: ArrayBufferView | ArrayBufferLike): void
}

/** What the last call used, or the initialisation before the first. */
export interface Usage {
  /** Milliseconds that it took, from its entry into the instance on, host functions included. */
  readonly time: number
  /** Bytes of guest memory after it. Guest memory never shrinks, so this is also the most there ever was. */
  readonly memory: number
  /** Fuel that it used; undefined without a limit of fuel. */
  readonly fuel: number | undefined
}

/** A running copy of a plugin, besides its exports. */
export interface InstanceMembers<E extends object = AnyExports> extends Omit<Callable<E>, 'sync'>, Disposable {
  /** The plugin that it is a copy of. */
  readonly plugin: Plugin
  /** Whether it answers calls: it does until a call ends otherwise than by a result or a returned Go error. */
  readonly alive: boolean
  /** The compiler that its code is from. */
  readonly tier: 'fast' | 'best'
  /** Can be read while a call is under way, and once the instance has ended. */
  readonly usage: Usage
  /** What the sandbox has denied it so far of the network, each thing once with the rule that would allow it; 64 of them at the most. */
  readonly denied: readonly string[]
  readonly memory: Memory
  readonly sync: SyncInstance<E>
  /** Gives the guest's background goroutines a turn: they run only while a call does. */
  poll(options?: CallOptions): Promise<void>
  /** Takes the guest back to where it was after its first initialisation; a dead instance lives again. */
  reset(options?: CallOptions): Promise<void>
  /**
   * Lets go of the guest and its memory now, and not when the garbage collector comes to it: later calls are told `dead-instance`. Throws `busy` while a call is
   * under way. `using instance = await plugin.instantiate()` does it at the end.
   */
  close(): void
  /** Takes what the guest wrote to a captured standard output. */
  takeStdout(): Buffer
  /** Takes what the guest wrote to a captured standard error. */
  takeStderr(): Buffer
}

/**
 * A running copy of a plugin: its own memory, goroutines and globals. Its exports are its methods, and give promises. One call runs at a time; others wait, first
 * come, first served. A host function may call back into the instance that called it.
 */
export type Instance<E extends object = AnyExports> = InstanceMembers<E> & Omit<E, keyof InstanceMembers | 'then'>
export declare const Instance: { readonly prototype: InstanceMembers }

/** What a pool did so far, and what it has now. */
export interface PoolStats {
  /** Instances that a call has now. */
  readonly busy: number
  /** Instances that no call has. */
  readonly idle: number
  /** Calls that wait for one. */
  readonly waiting: number
  /** Calls that are over. */
  readonly calls: number
  /** Instances that were made. */
  readonly made: number
  /** Instances that a call has ended. */
  readonly died: number
  /** Instances that were replaced after `maxCalls`. */
  readonly retired: number
  /** Instances that were dropped after `idle`. */
  readonly shrunk: number
}

/** A pool, besides its exports. */
export interface PoolMembers<E extends object = AnyExports> extends Callable<E>, AsyncDisposable {
  /** The plugin whose instances these are. */
  readonly plugin: Plugin
  /** The most instances that there are at once. */
  readonly size: number
  readonly stats: PoolStats
  /** Whether it was closed. */
  readonly closed: boolean
  /** Makes instances until there are that many, or as many as the pool may have. */
  warmUp(instances: number): Promise<void>
  /**
   * Turns away new calls and those that wait, lets those that run finish, and waits for that, as many milliseconds as given: it rejects with `timeout` when some
   * still run by then, and the pool is closed all the same.
   */
  close(timeout?: number): Promise<void>
}

/**
 * Instances of one plugin that stand in for each other: a call takes one that is free, or makes one, or waits its turn. One that a call has ended is replaced.
 * `await using pool = plugin.pool({ size: 8 })` closes it at the end.
 */
export type Pool<E extends object = AnyExports> = PoolMembers<E> & Omit<E, keyof PoolMembers | 'then'>
export declare const Pool: { readonly prototype: PoolMembers }

/** A compiled plugin: load it once, and make instances as often as needed. Each worker loads its own; the code is in the cache by then. */
export declare class Plugin {
  private constructor()
  /** Reads and compiles a plugin, on another thread. Rejects with `invalid-plugin`, which says what to do about it. */
  static load(path: string | URL, options?: PluginOptions): Promise<Plugin>
  /** The same, while JavaScript waits. */
  static loadSync(path: string | URL, options?: PluginOptions): Plugin
  /** Compiles a plugin of these bytes, on another thread. */
  static compile(bytes: ArrayBufferView | ArrayBuffer, options?: PluginOptions): Promise<Plugin>
  /** The same, while JavaScript waits. */
  static compileSync(bytes: ArrayBufferView | ArrayBuffer, options?: PluginOptions): Plugin
  /**
   * Loads a compiled plugin, which `undergo compile` made: native code, which is run as it is, outside the sandbox. `trusted` must be true, to say that the file
   * comes from there through hands that you trust. Damage is noticed, malice is not.
   */
  static loadCompiled(path: string | URL, options: { trusted: true }): Promise<Plugin>
  /** The name of its file. */
  readonly name: string
  /** `'reactor'`, which has exports to call, `'command'`, … */
  readonly kind: string
  /** The interface as WIT text; undefined for a module without one. */
  readonly interface: string | undefined
  /** The version of Go that compiled it, where the module says so. */
  readonly goVersion: string | undefined
  /** Which code the next instance will have. */
  readonly tier: 'fast' | 'best'
  /** What it gives. */
  readonly exports: readonly FunctionDescription[]
  /** What it needs. */
  readonly imports: readonly ImportDescription[]
  /** Waits until nothing of it is being compiled in the background, so that new instances have the best code. */
  waitCompiled(): Promise<void>
  /** Makes an instance. Rejects with `missing-import`, and all functions that are missing. */
  instantiate<E extends object = AnyExports, I extends object = Imports>(options?: InstanceOptions<I>): Promise<Instance<E>>
  /** The same, while JavaScript waits. */
  instantiateSync<E extends object = AnyExports, I extends object = Imports>(options?: InstanceOptions<I>): Instance<E>
  /** Makes a pool of instances, none of which is made yet. Throws `missing-import`. */
  pool<E extends object = AnyExports, I extends object = Imports>(options: PoolOptions<I>): Pool<E>
  /**
   * Runs a command from its beginning to its end. What it prints is captured, up to the sandbox's `captureLimit`, unless the sandbox says where it goes. An exit code
   * is a result, whichever it is; the promise is rejected with `invalid-plugin` for a plugin whose exports are to be called, with `missing-import`, and with what else
   * than an exit ends it: `trap`, `timeout`, `cancelled`, `out-of-fuel`.
   */
  run<I extends object = Imports>(options?: RunOptions<I>): Promise<Completed>
  /** The same, while JavaScript waits, so that a signal can't end it and host functions can't be asynchronous. */
  runSync<I extends object = Imports>(options?: RunOptions<I>): Completed
}

/** Loads a plugin and makes an instance of it. */
export declare function load<E extends object = AnyExports>(path: string | URL, options?: PluginOptions & InstanceOptions): Promise<Instance<E>>

/** What went wrong, as one word: the same in every language. */
export type ErrorCode =
  | 'invalid-plugin'
  | 'missing-import'
  | 'unknown-export'
  | 'signature-mismatch'
  | 'type-mismatch'
  | 'guest-error'
  | 'panic'
  | 'exit'
  | 'trap'
  | 'timeout'
  | 'cancelled'
  | 'out-of-fuel'
  | 'out-of-memory'
  | 'host-error'
  | 'denied'
  | 'dead-instance'
  | 'busy'

/** All of them. */
export declare const errorCodes: readonly ErrorCode[]

/** A frame of a Go traceback. */
export interface Frame {
  /** The function with its package: `main.Greet`. */
  readonly function: string
  /** The source file as the Go toolchain names it; empty where it is not known. */
  readonly file: string
  /** The line in it, from 1; 0 where it is not known. */
  readonly line: number
}

/** What all errors of this package are. `message` has the path and the sentence, and `stack` the frames of Go before those of JavaScript. */
export declare class UndergoError extends Error {
  constructor(message?: string)
  readonly code: ErrorCode
  /** The sentence without the path. */
  readonly reason: string
  /** Where in a value it is wrong: `greet(p.tags[3])`; empty when the error is not about a value. */
  readonly path: string
  /** The whole trace of the goroutine that ended the call, innermost first. */
  readonly frames: readonly Frame[]
  /** The first frame that is not of Go's runtime. */
  readonly origin: Frame | undefined
  /** Of an `exit`. */
  readonly exitCode: number | undefined
  /** What the plugin wrote to its standard error during the call, or the end of it. */
  readonly stderr: string
  /** What the sandbox denied the plugin of the network in the call that failed, the last such thing, with the rule that would allow it: perhaps why it failed. */
  readonly denied: string | undefined
  /** What a host function threw, as the same object; the reason of the signal that was aborted. */
  readonly cause?: unknown
}

/** Not a WebAssembly module, a damaged one, or one that was built in a way that can't be called. */
export declare class InvalidPluginError extends UndergoError {}
/** The plugin needs functions that were not given. */
export declare class MissingImportError extends UndergoError {}
/** The plugin has no export of that name. */
export declare class UnknownExportError extends UndergoError {}
/** A function was given with another signature than the plugin wants. */
export declare class SignatureMismatchError extends UndergoError {}
/** A value does not fit its type; `path` says which. */
export declare class TypeMismatchError extends UndergoError {}
/** The Go function returned an error. The instance lives on. */
export declare class GuestError extends UndergoError {}
/** The Go code panicked, or its runtime gave up. The instance has ended. */
export declare class PanicError extends UndergoError {}
/** The Go code called `os.Exit` with `exitCode`. The instance has ended. */
export declare class ExitError extends UndergoError {}
/** The guest did what WebAssembly forbids, or its stack overflowed. The instance has ended. */
export declare class TrapError extends UndergoError {}
/** The call took longer than its timeout. The instance has ended, unless the call never began. */
export declare class TimeoutError extends UndergoError {}
/** The call was cancelled. The instance has ended, unless the call never began. */
export declare class CancelledError extends UndergoError {}
/** The fuel was used up. The instance has ended. */
export declare class OutOfFuelError extends UndergoError {}
/** The guest wanted more memory than its limit. The instance has ended. */
export declare class OutOfMemoryError extends UndergoError {}
/** A host function failed; `cause` is what it threw. The instance has ended. */
export declare class HostError extends UndergoError {}
/** The sandbox forbids it, or can't be made as asked. */
export declare class DeniedError extends UndergoError {}
/** The instance has ended, and answers no further call; the text tells the first cause. */
export declare class DeadInstanceError extends UndergoError {}
/** The instance is in the middle of another call. */
export declare class BusyError extends UndergoError {}
