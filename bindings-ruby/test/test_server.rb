# frozen_string_literal: true

require_relative "helper"
require "net/http"
require "open3"
require "socket"

# Servers of HTTP: what they answer, how they end, and who may end them when.
class TestServer < Minitest::Test
  include Helper

  FILES = File.join(Helper::ROOT, "conformance", "http")
  SERVER = Undergo::Plugin.load(File.join(FILES, "server.wasm"))
  ASKING = Undergo::Plugin.load(File.join(FILES, "asking.wasm"))
  LOCAL = "127.0.0.1:0"

  # The status of an answer; 0 if there is none.
  def get(address, path)
    host, port = address.split(":")
    Net::HTTP.start(host, Integer(port), open_timeout: 30, read_timeout: 30, max_retries: 0) { |http| http.get(path).code.to_i }
  rescue EOFError, SystemCallError, Net::HTTPBadResponse
    0
  end

  def listens?(address)
    TCPSocket.new(*address.split(":")).close
    true
  rescue SystemCallError
    false
  end

  # Serves what asks a function, which gets the character of the path.
  def asking(instances: 4, **options, &ask)
    ASKING.serve(LOCAL, instances: instances, sandbox: QUIET, imports: { "test:host/ask": { ask: ->(what) { ask.call(what.chr) } } }, **options)
  end

  def until_so
    Timeout.timeout(30) { sleep 0.005 until yield }
  end

  def test_requests_are_answered
    failures = Queue.new
    server = SERVER.serve(LOCAL, instances: 2, sandbox: QUIET, limits: { timeout: 0.5 }, on_error: failures.method(:push))
    assert_equal([200, 500, 504], ["/", "/trap", "/spin"].map { |path| get(server.address, path) })
    assert_kind_of Undergo::TrapError, failures.pop
    assert_kind_of Undergo::TimeoutError, failures.pop
    stats = server.stats
    assert_equal [3, 0, 2, 3, 2], [stats.requests, stats.refused, stats.failed, stats.pool.calls, stats.pool.died]
    assert_same SERVER, server.plugin
    refute_predicate server, :closed?
    server.close(timeout: 20)
    server.close
    assert_predicate server, :closed?
    refute listens?(server.address)
    assert_equal 3, server.stats.requests
    assert_includes server.inspect, "closed"
  end

  def test_a_block_has_it_until_its_end
    address = nil
    result = SERVER.serve(LOCAL, sandbox: QUIET) do |server|
      address = server.address
      get(address, "/")
    end
    assert_equal 200, result
    refute listens?(address)
    assert_raises(KeyError) { SERVER.serve(LOCAL, sandbox: QUIET) { |server| raise KeyError, address = server.address } }
    refute listens?(address)
  end

  def test_functions_are_called_by_several_threads
    asked = Queue.new
    failures = Queue.new
    inside = most = 0
    server = asking(instances: 16, on_error: failures.method(:push)) do |what|
      asked << what
      raise KeyError, "there is none" if what == "e"

      most = [most, inside += 1].max
      sleep 0.05 if what == "w"
      inside -= 1
      # Another guest within.
      203 + start.counter - 1
    end
    assert_equal [203, 500], [get(server.address, "/a1"), get(server.address, "/ae")]
    assert_kind_of KeyError, failures.pop
    found = Array.new(16) { Thread.new { Array.new(4) { get(server.address, "/aw") } } }.flat_map(&:value)
    assert_equal [203] * 64, found
    assert_equal 66, asked.size
    assert_operator most, :>, 4
    server.close
    until_so { Thread.list.none? { |thread| thread.name == "undergo-serve" } }
  end

  def test_a_request_may_end_its_server
    server = asking do
      error = assert_raises(Undergo::BusyError) { server.close }
      assert_includes error.message, "can't be waited for"
      203
    end
    assert_equal 203, get(server.address, "/ac")
    assert_predicate server, :closed?
    server.close(timeout: 20)
    refute listens?(server.address)
  end

  def test_what_leaves_a_function_ends_its_request_alone
    failures = Queue.new
    server = asking(on_error: failures.method(:push)) do |what|
      case what
      when "k" then Thread.current.kill
      when "t" then throw :nowhere
      when "x" then exit
      end
      203
    end
    %w[k t x].each do |what|
      assert_equal [500, 203], [get(server.address, "/a#{what}"), get(server.address, "/a1")]
    end
    server.close(timeout: 20)
  end

  def test_what_runs_too_long_is_ended
    server = SERVER.serve(LOCAL, instances: 1, sandbox: QUIET)
    running = Thread.new { get(server.address, "/spin") }
    until_so { server.stats.pool.busy == 1 }
    # From several threads, one of which does not wait for long.
    closing = Array.new(3) { Thread.new { server.close } }
    until_so { server.closed? }
    assert_includes assert_raises(Undergo::TimeoutError) { server.close(timeout: 0.05) }.message, "still running"
    closing.each(&:join)
    assert_equal 0, running.value
    # A wait can be interrupted, which cuts off what it waited for.
    server = SERVER.serve(LOCAL, instances: 1, sandbox: QUIET)
    running = Thread.new { get(server.address, "/spin") }
    until_so { server.stats.pool.busy == 1 }
    assert_raises(Timeout::Error) { Timeout.timeout(0.1) { server.close } }
    assert_equal 0, running.value
    server.close(timeout: 20)
  end

  def test_failures_are_written_to_standard_error
    _, written = capture_io do
      server = SERVER.serve(LOCAL, instances: 1, sandbox: QUIET)
      get(server.address, "/trap")
      until_so { !$stderr.string.empty? }
      server.close
      server = SERVER.serve(LOCAL, instances: 1, sandbox: QUIET, on_error: ->(_) { raise "on purpose" })
      get(server.address, "/trap")
      until_so { $stderr.string.include?("on purpose") }
      server.close
    end
    assert_includes written, "undergo: a request failed: "
    assert_includes written, "undergo: on_error raised RuntimeError: on purpose"
  end

  def test_what_is_wrong_is_refused
    assert_raises(Undergo::InvalidPluginError) { Helper.hostile.serve(LOCAL) }
    assert_raises(Undergo::TypeMismatchError) { SERVER.serve("localhost") }
    assert_raises(Undergo::TypeMismatchError) { SERVER.serve("127.0.0.1:99999") }
    assert_raises(Undergo::MissingImportError) { ASKING.serve(LOCAL) }
    SERVER.serve(LOCAL, queue: 0, body: 0, max_calls: 1, idle: 1, sandbox: QUIET) do |taken|
      assert_raises(Undergo::DeniedError) { SERVER.serve(taken.address) }
      assert_equal 200, get(taken.address, "/")
    end
    { instances: 0, connections: 0, queue: -1, max_calls: 0, idle: -1, body: -1, on_error: 7 }.each do |name, wrong|
      assert_raises(ArgumentError) { SERVER.serve(LOCAL, **{ name => wrong }) }
    end
  end

  def test_a_server_serves_when_nobody_has_it
    address = asking { 203 }.address
    10.times { GC.start }
    assert_equal 203, get(address, "/a1")
    ObjectSpace.each_object(Undergo::Server).select { |server| server.address == address }.each(&:close)
  end

  def test_a_child_has_no_server
    server = asking { 203 }
    assert_equal 203, get(server.address, "/a1")
    reader, writer = IO.pipe
    child = fork do
      server.close
    rescue Undergo::DeadInstanceError => error
      writer.write(server.closed?, error.message)
    ensure
      writer.close
      exit!
    end
    writer.close
    assert_match(/\Atrue.*before this process forked/, reader.read)
    Process.wait(child)
    assert_equal 203, get(server.address, "/a1")
    server.close
  end

  ENDING = <<~RUBY
    require "undergo"
    require "net/http"
    asked = Queue.new
    ask = lambda do |_|
      asked << 1
      sleep
    end
    server = Undergo::Plugin.load(ARGV[0]).serve("127.0.0.1:0", instances: 2, imports: { "test:host/ask": { ask: ask } })
    %w[/a1 /spin].each { |path| Thread.new { Net::HTTP.get(URI("http://\#{server.address}\#{path}")) } }
    asked.pop
    print "over"
  RUBY

  def test_a_process_ends_with_a_server
    load_path = $LOAD_PATH.flat_map { |path| ["-I", path] }
    Timeout.timeout(60) do
      output, status = Open3.capture2e(RbConfig.ruby, *load_path, "-e", ENDING, File.join(FILES, "asking.wasm"))
      assert_predicate status, :success?, output
      assert_includes output, "over"
    end
  end
end
