// A compiled plugin.

#ifndef UNDERGO_PLUGIN_HPP
#define UNDERGO_PLUGIN_HPP

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "completed.hpp"
#include "instance.hpp"
#include "pool.hpp"
#include "server.hpp"
#include "span.hpp"

namespace undergo {

// The version of the library: "0.1.0".
inline const char *version() noexcept { return undergo_version(); }

// An export or an import of a plugin.
struct Function {
  // The interface that an import belongs to; empty for an export.
  std::string interface;
  // The name in WIT.
  std::string name;
  // The signature in WIT: "greet(p: person, shout: bool) -> result<string, string>".
  std::string signature;
  // The doc comment of the Go source; may be empty.
  std::string docs;
};

// A compiled plugin: load it once and instantiate it as often as needed, from any thread. Instances
// and pools of it live on when it is destroyed.
class Plugin {
 public:
  // Takes over a handle of undergo.h.
  explicit Plugin(undergo_plugin_t *plugin) : plugin_(plugin) {}

#if UNDERGO_EXCEPTIONS
  // Loads a `.wasm` file.
  explicit Plugin(const std::string &file, const PluginOptions &options = PluginOptions()) : Plugin(try_load(file, options).value()) {}

  // Loads a plugin from the content of a `.wasm` file. `name` is what its os.Args[0] will be.
  static Plugin from_bytes(Span<std::uint8_t> content, const std::string &name = "plugin.wasm", const PluginOptions &options = PluginOptions()) {
    return try_from_bytes(content, name, options).value();
  }

  // Loads a compiled plugin, which `undergo compile` made: native code, which runs outside the
  // sandbox. `trusted` must be true, to confirm that the file comes from `undergo compile` and that
  // nobody has changed it. Damage is detected; malice is not.
  static Plugin load_compiled(const std::string &file, bool trusted) { return try_load_compiled(file, trusted).value(); }

  // Creates an instance, which has its own memory, goroutines and globals.
  Instance instantiate(const Options &options = Options()) const { return try_instantiate(options).value(); }

  // Creates a pool of instances, so that many threads can call at once. Host functions are called
  // on the threads of the calls: several at once.
  Pool pool(const PoolOptions &pool_options, const Options &options = Options()) const { return try_pool(pool_options, options).value(); }

  // Runs a command to completion, on this thread. Its output is captured, up to 1 MiB of each
  // stream, unless the sandbox says where it goes. Any exit code is a result; anything else that
  // ends the command is an error. The limits, and the options of the call, are those of the whole
  // run.
  Completed run(const Options &options = Options(), const CallOptions &call = CallOptions()) const { return try_run(options, call).value(); }

  // Serves HTTP/1.1 by a component that exports `wasi:http/incoming-handler`. Each request is
  // answered by an instance of a pool. Host functions are called on threads of the server: several
  // at once. The timeout of the limits is that of a request, 30 seconds by default.
  Server serve(const ServeOptions &serve_options = ServeOptions(), const Options &options = Options()) const {
    return try_serve(serve_options, options).value();
  }

  void wait_compiled() const { try_wait_compiled().value(); }
  bool is_best() const { return try_is_best().value(); }
#endif

  static Result<Plugin> try_load(const std::string &file, const PluginOptions &options = PluginOptions()) {
    const undergo_plugin_options_t given = options.get();
    return make([&](undergo_plugin_t **plugin) { return undergo_plugin_load(file.c_str(), &given, plugin); });
  }

  static Result<Plugin> try_from_bytes(Span<std::uint8_t> content, const std::string &name = "plugin.wasm",
                                       const PluginOptions &options = PluginOptions()) {
    const undergo_plugin_options_t given = options.get();
    return make([&](undergo_plugin_t **plugin) {
      return undergo_plugin_from_bytes(content.data(), content.size(), name.c_str(), &given, plugin);
    });
  }

  static Result<Plugin> try_load_compiled(const std::string &file, bool trusted) {
    return make([&](undergo_plugin_t **plugin) { return undergo_plugin_load_compiled(file.c_str(), trusted, plugin); });
  }

  Result<Instance> try_instantiate(const Options &options = Options()) const {
    const Result<Imports::Handle> imports = options.imports().make();
    const Result<Sandbox::Handle> sandbox = options.sandbox().make();
    if (!imports || !sandbox) {
      return imports ? sandbox.error() : imports.error();
    }
    undergo_instance_t *instance = nullptr;
    undergo_error_t *error = undergo_plugin_instantiate(get(), imports->get(), sandbox->get(), options.limits().get(), &instance);
    return error == nullptr ? Result<Instance>(Instance(instance)) : Result<Instance>(Error(error));
  }

  Result<Pool> try_pool(const PoolOptions &pool_options, const Options &options = Options()) const {
    const Result<Imports::Handle> imports = options.imports().make();
    const Result<Sandbox::Handle> sandbox = options.sandbox().make();
    if (!imports || !sandbox) {
      return imports ? sandbox.error() : imports.error();
    }
    undergo_pool_t *pool = nullptr;
    undergo_error_t *error = undergo_plugin_pool(get(), pool_options.get(), imports->get(), sandbox->get(), options.limits().get(), &pool);
    return error == nullptr ? Result<Pool>(Pool(pool)) : Result<Pool>(Error(error));
  }

  Result<Completed> try_run(const Options &options = Options(), const CallOptions &call = CallOptions()) const {
    const Result<Imports::Handle> imports = options.imports().make();
    const Result<Sandbox::Handle> sandbox = options.sandbox().make();
    if (!imports || !sandbox) {
      return imports ? sandbox.error() : imports.error();
    }
    const undergo_call_options_t given = call.get();
    undergo_completed_t *completed = nullptr;
    undergo_error_t *error = undergo_plugin_run(get(), imports->get(), sandbox->get(), options.limits().get(), &given, &completed);
    return error == nullptr ? Result<Completed>(detail::completed(completed)) : Result<Completed>(Error(error));
  }

  Result<Server> try_serve(const ServeOptions &serve_options = ServeOptions(), const Options &options = Options()) const {
    const Result<Imports::Handle> imports = options.imports().make();
    const Result<Sandbox::Handle> sandbox = options.sandbox().make();
    if (!imports || !sandbox) {
      return imports ? sandbox.error() : imports.error();
    }
    const undergo_serve_options_t given = serve_options.make();
    undergo_server_t *server = nullptr;
    undergo_error_t *error = undergo_plugin_serve(get(), &given, imports->get(), sandbox->get(), options.limits().get(), &server);
    return error == nullptr ? Result<Server>(Server(server)) : Result<Server>(Error(error));
  }

  // Fails with signature-mismatch, and all that differs, unless the plugin has these functions: for
  // generated headers.
  Result<void> try_expect(Span<undergo_signature_t> signatures) const {
    return detail::check(undergo_plugin_expect(get(), signatures.data(), signatures.size()));
  }

  // Waits until nothing of it is being compiled in the background; new instances then have the best
  // code.
  Result<void> try_wait_compiled() const { return detail::check(undergo_plugin_wait_compiled(get())); }

  // Whether the next instance will have the code of the better compiler.
  Result<bool> try_is_best() const {
    bool best = false;
    undergo_error_t *error = undergo_plugin_is_best(get(), &best);
    return error == nullptr ? Result<bool>(best) : Result<bool>(Error(error));
  }

  // The name of its file.
  std::string name() const { return undergo_plugin_name(get()); }

  // "reactor", which has exports to call, or "command".
  std::string kind() const { return undergo_plugin_kind(get()); }

  // The interface as WIT text; nothing for a module without one.
  std::optional<std::string> interface() const { return maybe(undergo_plugin_interface(get())); }

  // The version of Go that compiled it, if the module says so.
  std::optional<std::string> go_version() const { return maybe(undergo_plugin_go_version(get())); }

  // Warnings about loading it, and about options of its instances without effect, as sentences: for
  // example that its code can't be cached, or that it opens no sockets although there are rules for
  // the network.
  std::vector<std::string> diagnostics() const {
    std::vector<std::string> texts;
    while (const char *text = undergo_plugin_diagnostic(get(), texts.size())) {
      texts.emplace_back(text);
    }
    return texts;
  }

  std::vector<Function> exports() const {
    return functions([this](std::size_t i, undergo_function_t *function) { return undergo_plugin_export(get(), i, function); });
  }

  // The functions that the host has to provide.
  std::vector<Function> imports() const {
    return functions([this](std::size_t i, undergo_function_t *function) { return undergo_plugin_import(get(), i, function); });
  }

  const undergo_plugin_t *get() const noexcept { return plugin_.get(); }

 private:
  template <class Load>
  static Result<Plugin> make(Load load) {
    undergo_plugin_t *plugin = nullptr;
    undergo_error_t *error = load(&plugin);
    return error == nullptr ? Result<Plugin>(Plugin(plugin)) : Result<Plugin>(Error(error));
  }

  static std::optional<std::string> maybe(const char *text) { return text == nullptr ? std::nullopt : std::optional<std::string>(text); }

  template <class Get>
  static std::vector<Function> functions(Get get) {
    std::vector<Function> found;
    undergo_function_t function{};
    while (get(found.size(), &function)) {
      const char *interface = function.interface == nullptr ? "" : function.interface;
      found.push_back(Function{interface, function.name, function.signature, function.docs});
    }
    return found;
  }

  std::unique_ptr<undergo_plugin_t, detail::Deleter<undergo_plugin_delete>> plugin_;
};

inline Plugin Instance::plugin() const { return Plugin(undergo_instance_plugin(instance_.get())); }
inline Plugin Pool::plugin() const { return Plugin(undergo_pool_plugin(pool_.get())); }
inline Plugin Server::plugin() const { return Plugin(undergo_server_plugin(server_.get())); }

#if UNDERGO_EXCEPTIONS
// Loads a plugin, and makes an instance of it.
inline Instance load(const std::string &file, const Options &options = Options()) { return Plugin(file).instantiate(options); }
#endif

inline Result<Instance> try_load(const std::string &file, const Options &options = Options()) {
  const Result<Plugin> plugin = Plugin::try_load(file);
  return plugin ? plugin->try_instantiate(options) : Result<Instance>(plugin.error());
}

}  // namespace undergo

#endif  // UNDERGO_PLUGIN_HPP
