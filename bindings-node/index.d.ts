// Type definitions of undergo 0.1.0.
//
// Every function that takes options throws, or rejects with, a TypeError for an option that does
// not exist or is of the wrong type, and a RangeError for one that is out of range.
/// <reference types="node" />
import type { Readable, Writable } from 'node:stream'
import type { ReadableStream, WritableStream } from 'node:stream/web'

/** The version of this package, and of every other part of Undergo. */
export declare const version: string

/** What can be lowered to bytes (`list<u8>`, a Go `[]byte`). */
export type Bytes = Uint8Array | Uint8ClampedArray | ArrayBuffer | DataView | readonly number[]

/** How a plugin is compiled, and where its code is kept. */
export interface PluginOptions {
  /**
   * `'tiered'`, the default: quickly first, and better in the background, for instances that are
   * made later. `'fast'`: quickly, to code that takes two to three times as long. `'best'`: well,
   * and wait for it.
   */
  compile?: 'tiered' | 'fast' | 'best'
  /**
   * Where compiled code is kept for the next process. By default in the folder that
   * `UNDERGO_CACHE_DIR` names, or in the user's cache folder. A path: in that folder. False:
   * nowhere.
   */
  cache?: string | URL | boolean
  /**
   * How many times as much as usual the module may ask of the compilers; 1 by default. A
   * compilation can't be stopped, so a module that asks for more is refused.
   */
  bounds?: number
  /**
   * Milliseconds that loading may take. A compilation that has begun goes on in the background,
   * within the bounds.
   */
  timeout?: number
  /** Ends the loading earlier. */
  signal?: AbortSignal
  /**
   * The path of an `undergo` program of this version, which compiles in a separate process with
   * limited time and memory: for modules that you don't trust.
   */
  compiler?: string | URL
  /**
   * Whether Go's code is rewritten with structured control flow before it is compiled, which makes
   * it faster. True by default.
   */
  optimize?: boolean
}

/** A directory of the host that the guest gets. */
export interface Dir {
  /** Its path on the host. */
  path: string | URL
  /** Whether the guest may only read. */
  readonly?: boolean
}

/**
 * Where a guest's output goes. A function gets each line without its newline, on the event loop's
 * thread, while the guest waits. It must not be asynchronous. Bytes that are not UTF-8 are
 * replaced, a line of more than 64 KiB comes in pieces, and an unfinished line comes when the call
 * ends. What the function throws ends the call and the instance, and is the `cause` of the caller's
 * error.
 */
export type Output = 'inherit' | 'discard' | 'capture' | ((line: string) => void)

/**
 * What an instance may reach: by default, only the standard output and error of this process.
 *
 * @example
 * const sandbox = { dirs: { '/data': { path: './data', readonly: true } }, env: { TZ: 'UTC' } }
 * const instance = await plugin.instantiate({ sandbox })
 */
export interface Sandbox {
  /** `os.Args` after the program's name, which is always there. */
  args?: Iterable<string>
  /** Environment variables. Nothing is taken from this process's own environment. */
  env?: Readonly<Record<string, string>>
  /**
   * Directories of the host, by the path at which the guest sees them. A plain path is readable and
   * writable. They are opened once, when an instance, a pool or a run is created. If none is given
   * at `/`, the guest sees an empty root that it can only read.
   */
  dirs?: Readonly<Record<string, string | URL | Dir>>
  /**
   * Whether the guest gets a private, empty folder at `/tmp`. It is created with the instance, in
   * the host's own place for temporary files, and removed when the instance is reset or dropped.
   * Only the host's disk limits what the guest writes there.
   */
  temp?: boolean
  /**
   * The guest's standard input: a buffer is its content; `{ file }` is a file or a FIFO, which each
   * instance reads from its beginning; `'inherit'` is the standard input of this process. The guest
   * waits for input as long as its call may last.
   */
  stdin?: ArrayBufferView | ArrayBufferLike | { file: string | URL } | 'inherit'
  /**
   * Where standard output goes: `'inherit'` by default, and `'capture'` for a command that is run.
   * `takeStdout()` returns what an instance has printed.
   */
  stdout?: Output
  /** The same for standard error. Its end is always kept, for the text of a panic. */
  stderr?: Output
  /** Bytes of a captured stream that are kept, 1 MiB by default. The rest is dropped. */
  captureLimit?: number
  /**
   * For repeatable runs: the guest's clock starts at this time, from 1970 on, anew for each
   * instance and each run. It advances by a microsecond whenever the guest reads it, and to the end
   * of a wait such as `time.Sleep`, which takes no time. Timeouts, and the times of files, follow
   * the host's clock.
   */
  clock?: Date
  /**
   * For repeatable runs: all random numbers of the guest follow from these 64 bits, including those
   * of `crypto/rand` and the order of maps. Never use it where keys are made.
   */
  seed?: number | bigint
  /**
   * What the guest may reach over the network: a rule, or several. `'example.org:443'` and
   * `'10.0.0.0/8:5432'` allow connecting, `'listen=127.0.0.1:8080'` allows listening;
   * docs/network.md of the project has all forms. `denied` of the run, the instance and the error
   * lists what was denied, with the rule that would allow it.
   */
  network?: string | Iterable<string>
  /**
   * Addresses such as `'127.0.0.1:8080'` at which the host listens for the guest. The guest accepts
   * at descriptor 3 (after those of directories) and later ones, and needs no rule. The listeners
   * are opened when an instance, a pool or a run is created, and closed with it.
   */
  listeners?: Iterable<string>
}

/**
 * What an instance may use. By default the only limits are those of WebAssembly (4 GiB of memory)
 * and of one value. Sizes are numbers of bytes, or texts such as `'64MiB'`.
 */
export interface Limits {
  /** Guest memory. */
  memory?: number | string
  /**
   * Milliseconds that a call, or the initialisation, may take: computing, sleeping, host functions
   * and waiting for the instance.
   */
  timeout?: number
  /** Bytes that JavaScript may need for one value from the guest, as objects; 1 GiB by default. */
  value?: number | string
  /**
   * Bytes that the guest may write to each of its two outputs over its life. The rest is dropped,
   * which is not an error for the guest.
   */
  output?: number | string
  /**
   * Elements of all tables of the guest together, 4,194,304 by default. Go's table has one for each
   * function, and never grows.
   */
  table?: number
  /**
   * Guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power of two; 4 MiB by
   * default, which is enough for a hundred thousand nested Go calls.
   */
  stack?: number | string
  /**
   * How much each call, and the initialisation, may compute, in units of about one WebAssembly
   * instruction. The limit does not depend on the machine. It costs about a tenth of the speed.
   */
  fuel?: number
  /**
   * Descriptors of this process that the guest may hold at once, 128 by default: files,
   * directories, sockets, accepted connections, and pipes. Beyond the limit the guest gets the
   * error "too many open files".
   */
  descriptors?: number
  /**
   * Handles that the guest may hold at once, 10,000 by default: of this program's objects,
   * callbacks, iterables and streams, and of its own objects on their way.
   */
  handles?: number
}

/**
 * A function that the host provides. It may return a promise: the guest waits for it without
 * holding a thread. What it throws, or rejects with, becomes the error of the Go code if the import
 * returns one. Otherwise it ends the call and the instance, and is the `cause` of the caller's
 * error.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type HostFunction = (...args: any[]) => unknown

/**
 * The functions that a plugin needs, by their names in camelCase: `{ interface: { name: function }
 * }`. They are called as methods of the inner object. Anything that the plugin does not need is
 * ignored. In place of the inner object there may be another instance, whose exports are then
 * called straight from this one's guest.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Imports = Readonly<Record<string, any>>

/** What {@link KeyValue} has room for. */
export interface KeyValueOptions {
  /**
   * Where the stores are: `redis://[user:password@]host[:port][/database]`. Otherwise they are in
   * this process's memory.
   */
  redis?: string
  /** The names of the stores that a plugin can open: `['default']` otherwise. */
  stores?: Iterable<string>
  /** How many keys there may be in memory, in all stores together: 100,000 otherwise. */
  entries?: number
  /** How many bytes these and their values may have, and an answer of Redis: 64 MiB otherwise. */
  bytes?: number | string
}

/** Stores of keys and values, for plugins that import `wasi:keyvalue`. */
export declare class KeyValue {
  constructor(options?: KeyValueOptions)
  /**
   * The value of a key of a store; undefined if there is none.
   *
   * @throws {Error} for a store that has no such name, or that can't be reached
   */
  get(store: string, key: string): Uint8Array | undefined
  /**
   * Sets the value of a key of a store.
   *
   * @throws {Error} as `get`, and for a value that there is no room for
   */
  set(store: string, key: string, value: string | ArrayBufferView | ArrayBuffer): void
}

/**
 * Imports for plugins that keep keys and values: `wasi:keyvalue/store`, `/batch` and `/atomics`.
 * Instances that get the same ones have the same stores.
 *
 * ```js
 * const imports = { ...keyvalue(), ...config({ greeting: 'Hello' }), ...logging() }
 * const counter = await load('counter.wasm', { imports })
 * ```
 */
export declare function keyvalue(stores?: KeyValue | KeyValueOptions): Imports

/**
 * Imports for plugins that read a configuration: `wasi:config/store`, once called `/runtime`. What
 * is changed in it later, plugins see.
 */
export declare function config(values: Readonly<Record<string, string>> | ReadonlyMap<string, string>): Imports

/**
 * Imports for plugins that log: `wasi:logging/logging`. They log to the methods `trace`, `debug`,
 * `info`, `warn`, `error` and `fatal` of a logger such as pino's, or of the console. Control
 * characters, and those that begin a line, are escaped, and of a longer text 64 Ki characters are
 * logged.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export declare function logging(logger?: any): Imports

/** How an instance is created. */
export interface InstanceOptions<I extends object = Imports> {
  /** The functions that the plugin needs. */
  imports?: I
  /** What the instance may reach; nothing by default. */
  sandbox?: Sandbox
  /** What the instance may use. */
  limits?: Limits
  /**
   * Whether 64-bit integers (Go's `int`, `int64`, `uint`, `uint64`) come as bigints, and lists of
   * them as BigInt64Array or BigUint64Array. Otherwise they are numbers, and one beyond ±2^53,
   * which a number can't hold exactly, is a `type-mismatch`. Bigints are accepted in either case.
   */
  bigint?: boolean
}

/** How a pool is created. Its timeout includes waiting for an instance and creating one. */
export interface PoolOptions<I extends object = Imports> extends InstanceOptions<I> {
  /** The maximum number of instances. They are created when calls need them. */
  size: number
  /**
   * An instance is replaced after this many calls; 1 gives each call a fresh instance. By default
   * it serves as long as it lives.
   */
  maxCalls?: number
  /** Milliseconds after which an unused instance is dropped. By default it is kept. */
  idle?: number
}

/** How a plugin serves HTTP. */
export interface ServeOptions<I extends object = Imports> extends InstanceOptions<I> {
  /**
   * The maximum number of instances, each of which answers one request at a time; four for each
   * processor by default.
   */
  instances?: number
  /**
   * An instance is replaced after this many requests; 1 gives each one a fresh instance. By default
   * it serves as long as it lives.
   */
  maxCalls?: number
  /** Milliseconds after which an unused instance is dropped. By default it is kept. */
  idle?: number
  /** How many requests may wait for an instance; others are refused with status 503. */
  queue?: number
  /** How many connections there may be at a time. */
  connections?: number
  /** The most bytes of a request's body; a longer one is refused with status 413. */
  body?: number
  /** Is told of requests that failed. */
  onError?: (error: UndergoError) => void
}

/** Options of calls. */
export interface CallOptions {
  /**
   * Milliseconds that a call may take, including the wait for its turn; by default the instance's
   * limit.
   */
  timeout?: number
  /**
   * Ends the calls earlier. They reject with `cancelled` within milliseconds, whether the guest
   * computes, sleeps or waits; `cause` is the signal's reason. The instance is dead then, unless
   * the call had not begun. A call through `sync` can't be ended so, because JavaScript waits for
   * it.
   */
  signal?: AbortSignal
}

/** How a command is run. `args`, `env` and `stdin` replace those of the sandbox. */
export interface RunOptions<I extends object = Imports> extends InstanceOptions<I>, CallOptions {
  /** `os.Args` after the program's name. */
  args?: Iterable<string>
  /** Its environment variables. */
  env?: Readonly<Record<string, string>>
  /** Its standard input. */
  stdin?: Sandbox['stdin']
}

/** The result of a command. */
export interface Completed {
  /**
   * Its exit code: that of `os.Exit`, 0 when `main` returned, 2 after a panic, whose text is on
   * standard error.
   */
  readonly code: number
  /** What it wrote to its standard output, if that is captured. */
  readonly stdout: Buffer
  /** What it wrote to its standard error, if that is captured. */
  readonly stderr: Buffer
  /** Whether it wrote more than is captured, or than the limits allow. */
  readonly truncated: boolean
  /**
   * What the sandbox denied it of the network: each denial once, with the rule that would allow it;
   * at most 64.
   */
  readonly denied: readonly string[]
  /** What it used. */
  readonly usage: Usage
}

/** A description of an export or an import. */
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

/** A description of a function that the plugin needs. */
export interface ImportDescription extends FunctionDescription {
  /** The interface that it belongs to. */
  readonly interface: string
}

/** An export of an instance or a pool. It returns a promise. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AsyncFunction = (...args: any[]) => Promise<any>
/** An export of `sync`. It returns its result. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type SyncFunction = (...args: any[]) => any

/** All exports as methods, for a plugin without types; `undergo bindgen --lang ts` writes types. */
export interface AnyExports {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [name: string]: any
}

/** A plugin's exports in the form that `sync` has. */
export type SyncExports<E extends object> = {
  [K in keyof E]: E[K] extends GuestClass<infer M, infer A>
    ? SyncClass<M, A>
    : E[K] extends (...args: infer A) => Promise<infer R>
      ? (...args: A) => Synced<R>
      : E[K]
}

/** A result in the form that it has where the call returns when it is over. */
export type Synced<T> = unknown extends T
  ? T
  : T extends { readonly [METHODS]: infer M extends object }
    ? SyncObject<M>
    : T extends AsyncItems<infer I>
      ? Items<Synced<I>>
      : T extends Readable
        ? SyncReader
        : T extends Writable
          ? SyncWriter
          : T extends string | number | bigint | boolean | symbol | undefined | null | void | Date | ArrayBufferView
            ? T
            : T extends Map<infer K, infer V>
              ? Map<K, Synced<V>>
              : { [K in keyof T]: Synced<T[K]> }

/** What an object of a plugin knows of its type. */
declare const METHODS: unique symbol

interface ObjectMembers<M extends object> extends AsyncDisposable {
  readonly [METHODS]: M
  /**
   * Whether it can't be used any more: it was closed, or given away, or its instance was reset or
   * returned to its pool.
   */
  readonly closed: boolean
  /** The same object, whose methods return when they are over. */
  readonly sync: SyncObject<M>
  /**
   * The same object, whose methods have other options.
   *
   * @throws {TypeError} if an option is of the wrong type; {RangeError} if it is out of range.
   */
  using(options: CallOptions): GuestObject<M>
  /**
   * Calls a method whose name is known only at run time, or taken by a property of this object.
   *
   * @throws {@link UnknownExportError} by the promise; otherwise whatever the call rejects with.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  call(name: string, ...args: unknown[]): Promise<any>
  /**
   * Ends its handle: the plugin releases its object, now or after the call that is running. Closing
   * it again does nothing. An object that the program forgets is closed when it is collected.
   *
   * @throws by the promise: whatever ends the plugin while it releases its object.
   */
  close(): Promise<void>
}

/** An object of a plugin. Its methods return promises. */
export type GuestObject<M extends object = AnyExports> = ObjectMembers<M> & Omit<M, keyof ObjectMembers<M> | 'then'>

interface SyncObjectMembers<M extends object> extends Disposable {
  readonly [METHODS]: M
  /** Whether it can't be used any more. */
  readonly closed: boolean
  /**
   * The same object, whose methods have other options.
   *
   * @throws {TypeError} if an option is of the wrong type; {RangeError} if it is out of range.
   */
  using(options: CallOptions): SyncObject<M>
  /**
   * Calls a method whose name is known only at run time, or taken by a property of this object.
   *
   * @throws {@link UnknownExportError}; otherwise whatever the call throws.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  call(name: string, ...args: unknown[]): any
  /**
   * Ends its handle: see `close` of an object whose methods return promises.
   *
   * @throws whatever ends the plugin while it releases its object.
   */
  close(): void
}

/** An object of a plugin. Its methods return when they are over. */
export type SyncObject<M extends object = AnyExports> = SyncObjectMembers<M> & Omit<SyncExports<M>, keyof SyncObjectMembers<M> | 'then'>

/** An object of a plugin as an argument: in either form. */
export type AnyObject<M extends object = AnyExports> = { readonly [METHODS]: M; readonly closed: boolean }

/** A resource of a plugin, as a property of an instance. */
export interface GuestClass<M extends object = AnyExports, A extends unknown[] = never> {
  /** The methods of its objects. */
  readonly prototype: GuestObject<M>
  /**
   * Has the plugin make an object.
   *
   * @example
   * await using document = await instance.Document.create('text')
   * console.log(await document.title())
   *
   * @throws by the promise, like any call: {@link GuestError} if the plugin returns an error.
   */
  create(...args: A): Promise<GuestObject<M>>
  [Symbol.hasInstance](value: unknown): boolean
}

/** A resource of a plugin, as a property of `sync`. */
export interface SyncClass<M extends object = AnyExports, A extends unknown[] = never> {
  /** The methods of its objects. */
  readonly prototype: SyncObject<M>
  /**
   * Has the plugin make an object.
   *
   * @example
   * using document = new instance.sync.Document('text')
   * console.log(document.title())
   */
  new (...args: A): SyncObject<M>
  /**
   * The same.
   *
   * @throws like any call: {@link GuestError} if the plugin returns an error.
   */
  create(...args: A): SyncObject<M>
  [Symbol.hasInstance](value: unknown): boolean
}

/**
 * The items of an iterator of a plugin. They are fetched in batches, of one item at first, and of
 * more while they come quickly. A loop that is left, `return()` and `close()` end the plugin's
 * function.
 */
export interface AsyncItems<T> extends AsyncIterableIterator<T>, AsyncDisposable {
  /**
   * Takes the next item.
   *
   * @throws by the promise: whatever ends the plugin's function, behind the items before it; {@link
   * TypeMismatchError} if this is closed.
   */
  next(): Promise<IteratorResult<T, undefined>>
  /**
   * Ends it, as a loop that is left does.
   *
   * @throws by the promise: whatever ends the plugin meanwhile.
   */
  return(value?: unknown): Promise<IteratorResult<T, undefined>>
  [Symbol.asyncIterator](): AsyncItems<T>
  /** Whether it has ended. */
  readonly closed: boolean
  /**
   * Ends it.
   *
   * @throws by the promise: whatever ends the plugin meanwhile.
   */
  close(): Promise<void>
}

/** The same from a call that has returned. */
export interface Items<T> extends IterableIterator<T>, Disposable {
  /**
   * Takes the next item.
   *
   * @throws whatever ends the plugin's function, behind the items before it; {@link
   * TypeMismatchError} if this is closed.
   */
  next(): IteratorResult<T, undefined>
  /**
   * Ends it, as a loop that is left does.
   *
   * @throws whatever ends the plugin meanwhile.
   */
  return(value?: unknown): IteratorResult<T, undefined>
  [Symbol.iterator](): Items<T>
  /** Whether it has ended. */
  readonly closed: boolean
  /**
   * Ends it.
   *
   * @throws whatever ends the plugin meanwhile.
   */
  close(): void
}

/** A stream of a plugin, from a call that has returned. It gives chunks, too. */
export interface SyncReader extends Iterable<Buffer>, Disposable {
  /**
   * Reads at most so many bytes, 256 KiB by default; none at the end.
   *
   * @throws {@link GuestError} if the plugin's stream fails; {@link TypeMismatchError} if this is
   * closed.
   */
  read(most?: number): Buffer
  /** Whether it can't be used any more. */
  readonly closed: boolean
  /**
   * Ends it.
   *
   * @throws whatever ends the plugin meanwhile.
   */
  close(): void
}

/** A stream to a plugin, from a call that has returned. */
export interface SyncWriter extends Disposable {
  /**
   * Writes all of these bytes, or a text as UTF-8.
   *
   * @throws {@link GuestError} if the plugin's stream fails; {@link TypeMismatchError} if this is
   * closed.
   */
  write(data: Uint8Array | string): void
  /** Whether it can't be used any more. */
  readonly closed: boolean
  /**
   * Ends the stream, after which the plugin has all of it.
   *
   * @throws {@link GuestError} if the plugin's stream fails.
   */
  close(): void
}

/**
 * What a plugin can read from: streams of Node and of the web, iterables of chunks, and any object
 * with a method `read`, which gives at most so many bytes, and none, or nothing, at the end. Only
 * what needs no waiting fits calls of `sync`. A stream stays the program's: it goes on where the
 * plugin has stopped.
 */
export type ReadableSource =
  | Readable
  | ReadableStream<Uint8Array>
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>
  | { read(most: number): Uint8Array | null | undefined | Promise<Uint8Array | null | undefined>; close?(): unknown }

/**
 * What a plugin can write to: streams of Node and of the web, and any object with a method `write`,
 * which takes all bytes.
 */
export type WritableTarget = NodeJS.WritableStream | WritableStream<Uint8Array> | { write(data: Uint8Array): unknown; close?(): unknown }

/** How many handles there are. */
export interface HandleCounts {
  /** Those that the guest has. */
  readonly held: number
  /** Those of the guest's objects that this program has. */
  readonly given: number
}

/** What instances, pools and their views have besides the exports. */
interface Callable<E extends object> {
  /** All exports, including those whose names are taken by a property of this object. */
  readonly exports: E
  /**
   * Calls an export whose name is known only at run time.
   *
   * @throws {@link UnknownExportError} by the promise, with similar names; otherwise whatever the
   * call itself rejects with.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  call(name: string, ...args: unknown[]): Promise<any>
  /**
   * A view whose calls have other options. Options that are not given stay as they are.
   *
   * @example
   * await instance.using({ timeout: 100 }).greet(person)
   *
   * @throws {TypeError} if an option is of the wrong type; {RangeError} if it is out of range.
   */
  using(options: CallOptions): View<E>
  /**
   * The same exports, but each returns when its call is over: for scripts. Nothing else happens on
   * this thread meanwhile. Therefore a host function can't be asynchronous: a promise from one is a
   * `host-error`. A call is `busy` while another one has the instance, unless it comes from a host
   * function of that call.
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
  /**
   * Calls an export whose name is known only at run time.
   *
   * @throws {@link UnknownExportError} with similar names; otherwise whatever the call itself
   * throws.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  call(name: string, ...args: unknown[]): any
  /**
   * A view whose calls have other options.
   *
   * @throws {TypeError} if an option is of the wrong type; {RangeError} if it is out of range.
   */
  using(options: CallOptions): SyncView<E>
}

/** A view of an instance for scripts. */
export type SyncInstance<E extends object = AnyExports> = SyncMembers<E> & SyncTurns & Omit<SyncExports<E>, keyof SyncMembers<E> | keyof SyncTurns | 'then'>

interface SyncTurns {
  /**
   * Like `poll` of the instance.
   *
   * @throws {@link BusyError} during a call; {@link DeadInstanceError} if the instance is dead;
   * otherwise whatever ended the goroutines, and the instance with them.
   */
  poll(options?: CallOptions): void
  /**
   * Like `reset` of the instance.
   *
   * @throws {@link BusyError} during a call; otherwise whatever ended the initialisation.
   */
  reset(options?: CallOptions): void
}

/**
 * A guest's memory, for plugins without an interface. During a call only the host function that the
 * call runs may use it; for others it is `busy`.
 */
export interface Memory {
  /** Its size in bytes, which never shrinks. */
  readonly size: number
  /**
   * Returns a copy of `length` bytes at `address`.
   *
   * @throws {@link TypeMismatchError} if they are not within the memory; {@link BusyError} during a
   * call; {@link DeadInstanceError} if the instance is dead.
   */
  read(address: number, length: number): Uint8Array
  /**
   * Copies the bytes to `address`.
   *
   * @throws {@link TypeMismatchError} if they do not fit into the memory; {@link BusyError} during
   * a call; {@link DeadInstanceError} if the instance is dead.
   */
  write(address: number, data: ArrayBufferView | ArrayBufferLike): void
}

/** What the last call used, or the initialisation before the first call. */
export interface Usage {
  /** Milliseconds that it took from its entry into the instance on, including host functions. */
  readonly time: number
  /**
   * Bytes of guest memory after it. Guest memory never shrinks, so this is also the most there ever
   * was.
   */
  readonly memory: number
  /** Fuel that it used; undefined without a limit of fuel. */
  readonly fuel: number | undefined
}

/** What an instance has besides its exports. */
export interface InstanceMembers<E extends object = AnyExports> extends Omit<Callable<E>, 'sync'>, Disposable {
  /** The plugin of this instance. */
  readonly plugin: Plugin
  /**
   * Whether it answers calls: until a call ends otherwise than by a result or a returned Go error.
   */
  readonly alive: boolean
  /** Which compiler made its code. */
  readonly tier: 'fast' | 'best'
  /** Can be read during a call and after the instance has ended. */
  readonly usage: Usage
  /**
   * What the sandbox has denied it of the network so far: each denial once, with the rule that
   * would allow it; at most 64.
   */
  readonly denied: readonly string[]
  /** How many handles there are now. */
  readonly handles: HandleCounts
  /** The guest's memory, for plugins without an interface. */
  readonly memory: Memory
  /** The same exports, but each returns when its call is over: for scripts. */
  readonly sync: SyncInstance<E>
  /**
   * Lets the guest's background goroutines run, which otherwise run only during calls.
   *
   * @throws {@link DeadInstanceError} by the promise, if the instance is dead; otherwise whatever
   * ended the goroutines, and the instance with them.
   */
  poll(options?: CallOptions): Promise<void>
  /**
   * Makes the guest anew, as it was after its first initialisation. A dead instance lives again.
   *
   * @throws {@link BusyError} by the promise, from within a host function that this instance has
   * called; otherwise whatever ended the initialisation, and the instance with it.
   */
  reset(options?: CallOptions): Promise<void>
  /**
   * Frees the guest and its memory now, instead of when the garbage collector finds it. Later calls
   * reject with `dead-instance`.
   *
   * @example
   * using instance = await plugin.instantiate() // closed at the end of the block
   *
   * @throws {@link BusyError} during a call.
   */
  close(): void
  /** Takes what the guest has written to its captured standard output. */
  takeStdout(): Buffer
  /** Takes what the guest has written to its captured standard error. */
  takeStderr(): Buffer
}

/**
 * A running copy of a plugin, with its own memory, goroutines and globals. Its exports are its
 * methods, and return promises. One call runs at a time; others wait, first come, first served. A
 * host function may call back into the instance that has called it.
 *
 * @example
 * const greeter = await plugin.instantiate({ limits: { memory: '64MiB', timeout: 2000 } })
 * console.log(await greeter.greet({ name: 'Ada', tags: [] }, true))
 */
export type Instance<E extends object = AnyExports> = InstanceMembers<E> & Omit<E, keyof InstanceMembers | 'then'>
export declare const Instance: { readonly prototype: InstanceMembers }

/** What a pool has done so far, and what it has now. */
export interface PoolStats {
  /** Instances that are in a call. */
  readonly busy: number
  /** Instances that are free. */
  readonly idle: number
  /** Calls that wait for an instance. */
  readonly waiting: number
  /** Calls that are over. */
  readonly calls: number
  /** Instances that were created. */
  readonly made: number
  /** Instances that a call has ended. */
  readonly died: number
  /** Instances that were replaced after `maxCalls`. */
  readonly retired: number
  /** Instances that were dropped after `idle`. */
  readonly shrunk: number
}

/** What a server has done so far, and what it has now. */
export interface ServerStats {
  /** Connections that are open. */
  readonly connections: number
  /** Requests that were read. */
  readonly requests: number
  /** Those that no instance was free for: status 503. */
  readonly refused: number
  /**
   * Those whose instance failed, or did not answer in time: status 500 or 504, or an answer that
   * ended early.
   */
  readonly failed: number
  /** Its instances. */
  readonly pool: PoolStats
}

/**
 * A component that serves HTTP, on threads of its own. The functions that it imports run on the
 * event loop, which it keeps going until it is closed.
 */
export declare class Server implements AsyncDisposable {
  private constructor()
  /** Where it listens: `127.0.0.1:8080`, with the port that the system chose for 0. */
  readonly address: string
  /** The plugin that serves. */
  readonly plugin: Plugin
  /** What it has done so far, and what it has now. */
  readonly stats: ServerStats
  /** Whether it is closed. */
  readonly closed: boolean
  /**
   * Accepts no more connections, and waits for running requests, for as many milliseconds as given;
   * then they are ended.
   *
   * @throws {@link TimeoutError} by the promise, if requests were still running then.
   */
  close(timeout?: number): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What a pool has besides its exports. */
export interface PoolMembers<E extends object = AnyExports> extends Omit<Callable<E>, 'sync'>, AsyncDisposable {
  /** The plugin of these instances. */
  readonly plugin: Plugin
  /** The maximum number of instances. */
  readonly size: number
  /** What the pool has done so far, and what it has now. */
  readonly stats: PoolStats
  /** Whether the pool is closed. */
  readonly closed: boolean
  /**
   * Lends an instance, for calls that belong together: those that use its objects, say. A call of
   * the pool itself can't give any. It counts as one call.
   *
   * @example
   * await using instance = await pool.instance() // returned at the end of the block
   * const document = await instance.Document.create('text')
   *
   * @throws by the promise: {@link TimeoutError} if none became free in time; {@link BusyError} if
   * none is free and this comes from a host function of the pool itself; {@link
   * DeadInstanceError} if the pool is closed.
   */
  instance(options?: CallOptions): Promise<PooledInstance<E>>
  /** The same exports, but each returns when its call is over: see `sync` of an instance. */
  readonly sync: SyncPool<E>
  /**
   * Creates instances until there are this many, or as many as the pool may have.
   *
   * @throws {@link DeadInstanceError} by the promise, if the pool is closed; otherwise whatever
   * ended an initialisation.
   */
  warmUp(instances: number): Promise<void>
  /**
   * Closes the pool, and waits for running calls, for as many milliseconds as given. New calls, and
   * those that wait, reject with `dead-instance`.
   *
   * @throws {@link TimeoutError} by the promise, if calls are still running then; the pool is
   * closed all the same.
   */
  close(timeout?: number): Promise<void>
}

/**
 * Interchangeable instances of one plugin. A call takes a free instance, creates one, or waits for
 * its turn. An instance that a call has ended is replaced.
 *
 * @example
 * await using pool = plugin.pool({ size: 8 }) // closed at the end of the block
 * const texts = await Promise.all(people.map((person) => pool.greet(person, false)))
 */
export type Pool<E extends object = AnyExports> = PoolMembers<E> & Omit<E, keyof PoolMembers | 'then'>
export declare const Pool: { readonly prototype: PoolMembers }

/** A view of a pool for scripts. */
export type SyncPool<E extends object = AnyExports> = SyncMembers<E> & SyncLending<E> & Omit<SyncExports<E>, keyof SyncMembers<E> | keyof SyncLending<E> | 'then'>

interface SyncLending<E extends object> {
  /**
   * Like `instance` of the pool.
   *
   * @throws {@link BusyError} if no instance is free; otherwise like that one.
   */
  instance(options?: CallOptions): PooledInstance<E>
}

interface PooledMembers<E extends object> extends InstanceMembers<E>, AsyncDisposable {
  /**
   * Returns it to the pool, when its last call is over. Its objects are closed then, and it can't
   * be used any more.
   */
  release(): void
}

/** An instance of a pool, until it is released. */
export type PooledInstance<E extends object = AnyExports> = PooledMembers<E> & Omit<E, keyof PooledMembers<E> | 'then'>

/**
 * A compiled plugin: load it once, and create instances as often as needed. Each worker loads its
 * own; the code is in the cache by then.
 */
export declare class Plugin {
  private constructor()
  /**
   * Reads and compiles a plugin, on another thread.
   *
   * @example
   * const plugin = await Plugin.load('greeter.wasm', { timeout: 60_000 })
   *
   * @throws {@link InvalidPluginError} by the promise, if the module is not a plugin; the message
   * says what to do. {@link TimeoutError} or {@link CancelledError} if loading was ended.
   */
  static load(path: string | URL, options?: PluginOptions): Promise<Plugin>
  /**
   * Like `load`, while JavaScript waits.
   *
   * @throws {@link InvalidPluginError} if the module is not a plugin; {@link TimeoutError} if it
   * was not compiled in time.
   */
  static loadSync(path: string | URL, options?: PluginOptions): Plugin
  /**
   * Compiles a plugin from its bytes, on another thread.
   *
   * @throws by the promise, like `load`.
   */
  static compile(bytes: ArrayBufferView | ArrayBuffer, options?: PluginOptions): Promise<Plugin>
  /**
   * Like `compile`, while JavaScript waits.
   *
   * @throws like `loadSync`.
   */
  static compileSync(bytes: ArrayBufferView | ArrayBuffer, options?: PluginOptions): Plugin
  /**
   * Loads a plugin that `undergo compile` has compiled. It is native code and runs outside the
   * sandbox. `trusted` must be true, to confirm that the file comes from `undergo compile` and that
   * nobody has changed it. Damage is detected; malice is not.
   *
   * @throws {@link InvalidPluginError} by the promise, if the file is not a compiled plugin, is
   * damaged, or was made by another version or for another machine; {TypeError} without
   * `trusted`.
   */
  static loadCompiled(path: string | URL, options: { trusted: true }): Promise<Plugin>
  /** The name of the plugin's file. */
  readonly name: string
  /** `'reactor'`, which has exports to call, `'command'`, … */
  readonly kind: string
  /** The interface as WIT text; undefined for a module without one. */
  readonly interface: string | undefined
  /** The version of Go that compiled it, if the module says so. */
  readonly goVersion: string | undefined
  /** Which code the next instance will have. */
  readonly tier: 'fast' | 'best'
  /** The exports. */
  readonly exports: readonly FunctionDescription[]
  /** The functions that it needs. */
  readonly imports: readonly ImportDescription[]
  /**
   * The classes of its errors with fields, by their names in PascalCase. Those of another plugin
   * are other types; the same plugin that is loaded again has the same.
   *
   * @example
   * const { NotFound } = plugin.types
   * const imports = { store: { get: (key) => { throw new NotFound({ key, code: 404 }) } } }
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly types: Readonly<Record<string, any>>
  /**
   * Waits until nothing of the plugin is being compiled in the background. New instances then have
   * the best code.
   */
  waitCompiled(): Promise<void>
  /**
   * Creates an instance.
   *
   * @example
   * const greeter = await plugin.instantiate({
   *   imports: { directory: { lookup: async (name) => [`friends of ${name}`] } }
   * })
   *
   * @throws {@link MissingImportError} by the promise, which names all missing functions; otherwise
   * whatever ended the initialisation.
   */
  instantiate<E extends object = AnyExports, I extends object = Imports>(options?: InstanceOptions<I>): Promise<Instance<E>>
  /**
   * Like `instantiate`, while JavaScript waits.
   *
   * @throws {@link MissingImportError}, which names all missing functions; otherwise whatever ended
   * the initialisation.
   */
  instantiateSync<E extends object = AnyExports, I extends object = Imports>(options?: InstanceOptions<I>): Instance<E>
  /**
   * Creates a pool. It has no instances yet.
   *
   * @throws {@link MissingImportError}, which names all missing functions.
   */
  pool<E extends object = AnyExports, I extends object = Imports>(options: PoolOptions<I>): Pool<E>
  /**
   * Serves HTTP at an address such as `127.0.0.1:8080`, by a component that exports
   * `wasi:http/incoming-handler`; port 0 is one that the system chooses. Each request is answered
   * by an instance of a pool, which keeps its state for the next one. `limits.timeout` is that of a
   * request, 30 seconds by default.
   *
   * @example
   * await using server = plugin.serve('127.0.0.1:0', { instances: 8 })
   * const response = await fetch(`http://${server.address}/`)
   *
   * @throws {@link InvalidPluginError} if the plugin does not serve HTTP; {@link DeniedError} if
   * the system refuses to listen there; {@link MissingImportError}.
   */
  serve<I extends object = Imports>(address?: string, options?: ServeOptions<I>): Server
  /**
   * Runs a command to completion. Its output is captured, up to the sandbox's `captureLimit`,
   * unless the sandbox says where it goes. Any exit code is a result, not an error.
   *
   * @example
   * const { code, stdout } = await plugin.run({ args: ['-v'], stdin: Buffer.from('input') })
   *
   * @throws by the promise: {@link InvalidPluginError} if the plugin is a reactor, whose exports
   * are to be called; {@link MissingImportError}; {@link TrapError}, {@link TimeoutError}, {@link
   * CancelledError} or {@link OutOfFuelError} if anything but an exit ended it.
   */
  run<I extends object = Imports>(options?: RunOptions<I>): Promise<Completed>
  /**
   * Like `run`, while JavaScript waits: a signal can't end it, and host functions can't be
   * asynchronous.
   *
   * @throws like `run`.
   */
  runSync<I extends object = Imports>(options?: RunOptions<I>): Completed
}

/**
 * Loads a plugin and creates an instance of it.
 *
 * @example
 * const greeter = await load('greeter.wasm')
 * console.log(await greeter.greet({ name: 'Ada', tags: [] }, false))
 *
 * @throws by the promise, like `Plugin.load` and `Plugin.instantiate`.
 */
export declare function load<E extends object = AnyExports>(path: string | URL, options?: PluginOptions & InstanceOptions): Promise<Instance<E>>

/** What went wrong, as one word, which is the same in every language. */
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

/** All error codes. */
export declare const errorCodes: readonly ErrorCode[]

/** A frame of a Go traceback. */
export interface Frame {
  /** The function with its package: `main.Greet`. */
  readonly function: string
  /** The source file as the Go toolchain names it; empty if unknown. */
  readonly file: string
  /** The line in the file, from 1; 0 if unknown. */
  readonly line: number
}

/**
 * The base of all errors of this package. `message` has the path and the sentence, and `stack` has
 * the frames of Go before those of JavaScript.
 *
 * @example
 * try {
 *   await greeter.greet(person, false)
 * } catch (error) {
 *   if (error instanceof GuestError) console.log('Go says:', error.reason)
 *   else throw error
 * }
 */
export declare class UndergoError extends Error {
  constructor(message?: string, options?: { cause?: unknown })
  /** What went wrong, as one word. */
  readonly code: ErrorCode
  /** The sentence without the path. */
  readonly reason: string
  /**
   * Which part of a value is wrong: `greet(p.tags[3])`; empty if the error is not about a value.
   */
  readonly path: string
  /** The whole trace of the goroutine that ended the call, innermost frame first. */
  readonly frames: readonly Frame[]
  /** The first frame outside of Go's runtime. */
  readonly origin: Frame | undefined
  /** The exit code of an `exit`. */
  readonly exitCode: number | undefined
  /** The end of what the plugin wrote to its standard error during the call. */
  readonly stderr: string
  /**
   * The last thing that the sandbox denied the plugin of the network in the call that failed, with
   * the rule that would allow it: perhaps why the call failed.
   */
  readonly denied: string | undefined
  /**
   * The very object that a host function threw, the reason of the signal that was aborted, or, for
   * a plugin that declares errors with fields, the next error that this one wraps.
   */
  readonly cause?: unknown
}

/** The module is not WebAssembly, is damaged, or was built in a way that can't be called. */
export declare class InvalidPluginError extends UndergoError {}
/** The plugin needs functions that were not given. */
export declare class MissingImportError extends UndergoError {}
/** The plugin has no export of that name. */
export declare class UnknownExportError extends UndergoError {}
/** A given function has another signature than the plugin needs. */
export declare class SignatureMismatchError extends UndergoError {}
/** A value does not fit its type; `path` says which part. */
export declare class TypeMismatchError extends UndergoError {}
/** The Go function returned an error. The instance lives on. */
export declare class GuestError extends UndergoError {}

/**
 * An error of a type that the plugin declares, with its fields. Each field is also a property of
 * the error itself, unless all errors have one of that name, such as `code`.
 */
export type ErrorWithFields<F extends object> = GuestError &
  Readonly<Omit<F, 'fields' | keyof GuestError | keyof typeof Object.prototype>> & {
    /** All fields. */
    readonly fields: Readonly<F>
  }

/**
 * The class of such errors. A host function throws one, also as the `cause` of another error, and
 * the plugin gets that type; what a plugin returns is one, also as the `cause` of another error.
 */
export type ErrorType<F extends object, I extends object = F> = new (fields: I, message?: string, options?: { cause?: unknown }) => ErrorWithFields<F>

/**
 * Makes the class of the errors of a type, for modules that `undergo bindgen` writes. `type` is
 * what identifies it, whichever plugin object and copy of this package an error comes from.
 */
export declare function errorType<F extends object, I extends object = F>(name: string, type: string): ErrorType<F, I>
/** The Go code panicked, or its runtime gave up. The instance is dead. */
export declare class PanicError extends UndergoError {}
/** The Go code called `os.Exit` with `exitCode`. The instance is dead. */
export declare class ExitError extends UndergoError {}
/** The guest did what WebAssembly forbids, or its stack overflowed. The instance is dead. */
export declare class TrapError extends UndergoError {}
/** The call took longer than its timeout. The instance is dead, unless the call had not begun. */
export declare class TimeoutError extends UndergoError {}
/** The call was cancelled. The instance is dead, unless the call had not begun. */
export declare class CancelledError extends UndergoError {}
/** The fuel was used up. The instance is dead. */
export declare class OutOfFuelError extends UndergoError {}
/** The guest wanted more memory than its limit. The instance is dead. */
export declare class OutOfMemoryError extends UndergoError {}
/** A host function failed; `cause` is what it threw. The instance is dead. */
export declare class HostError extends UndergoError {}
/** The sandbox forbids it, or can't be made as requested. */
export declare class DeniedError extends UndergoError {}
/** The instance is dead and answers no further call; the message says what ended it. */
export declare class DeadInstanceError extends UndergoError {}
/** The instance is in the middle of another call. */
export declare class BusyError extends UndergoError {}
