# frozen_string_literal: true

require_relative "helper"
require "socket"

# What the sandbox lets a guest reach over the network, and what it tells of the rest.
class NetworkTest < Minitest::Test
  include Helper

  # The module `host` of the hostile guest, of which these tests call nothing.
  UNUSED = { host: %i[do echo fail].to_h { |name| [name, ->(*) { raise "it was not to be called" }] } }.freeze

  def setup
    @server = TCPServer.new("127.0.0.1", 0)
    @address = "127.0.0.1:#{@server.local_address.ip_port}"
    @refused = "the sandbox denied connecting to #{@address}; it takes the rule connect=#{@address}"
  end

  def teardown
    @answering&.kill&.join
    @server.close
  end

  # Greets whoever connects.
  def answer
    @answering = Thread.new do
      loop do
        connection = @server.accept
        connection.write("hello")
        connection.close
      end
    end
  end

  # An address at which nobody listens.
  def free
    TCPServer.open("127.0.0.1", 0) { |server| "127.0.0.1:#{server.local_address.ip_port}" }
  end

  def dial(**sandbox)
    Helper.command.run(args: ["dial", @address], sandbox: sandbox, timeout: 60)
  end

  def start(**sandbox)
    Helper.hostile.instantiate(imports: UNUSED, sandbox: { **QUIET, **sandbox }, limits: { timeout: 60 })
  end

  def test_a_command_reaches_what_a_rule_allows
    nothing = dial
    assert_equal [1, 1], [nothing.code, nothing.denied.size]
    assert_includes nothing.denied.first, "the use of the network"
    other = dial(network: ["10.0.0.0/8:*", "listen=any"])
    assert_equal [1, [@refused]], [other.code, other.denied]
    answer
    [@address, [@address], ["10.0.0.0/8:*", "connect=any"]].each do |rules|
      done = dial(network: rules)
      assert_equal [0, "hello", []], [done.code, done.stdout, done.denied]
    end
  end

  def test_an_instance_tells_what_was_denied
    instance = start(network: "127.0.0.1:1")
    assert_empty instance.denied
    error = assert_raises(Undergo::GuestError) { instance.connect(@address) }
    assert_equal [@refused, "Permission denied"], [error.denied, error.sentence]
    assert_equal [@refused], instance.denied
    assert_nil assert_raises(Undergo::GuestError) { instance.connect("nowhere") }.denied
    allowed = start(network: @address)
    assert_nil allowed.connect(@address)
    assert_empty allowed.denied
  end

  def test_a_command_answers_at_a_listener_of_the_host
    address = free
    running = Thread.new { Helper.command.run(args: %w[answer], sandbox: { listeners: address }, timeout: 60) }
    said = nil
    eventually do
      said = Socket.tcp(*address.split(":"), &:read)
    rescue Errno::ECONNREFUSED
      # It does not listen yet. What does not become so by the end of the run is a failure.
      raise "the run has ended with #{running.value}" unless running.alive?
    end
    assert_equal ["hello", 0, []], [said, running.value.code, running.value.denied]
  end

  # A module whose export opens a socket, and gives the number for what went wrong; and one that has
  # nothing to do with the network.
  OPENS = "AGFzbQEAAAABDwNgA39/fwF/YAABf2AAAAIkARZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCXNvY2tfb3BlbgAAAwMCAQIFAwEAAQcfAwZtZW1vcnkC" \
          "AARvcGVuAAELX2luaXRpYWxpemUAAgoPAgoAQQFBAkEAEAALAgAL".unpack1("m")
  PLAIN = "AGFzbQEAAAABBAFgAAADAgEABQMBAAEHGAIGbWVtb3J5AgALX2luaXRpYWxpemUAAAoEAQIACw==".unpack1("m")

  def test_a_guest_holds_so_many_descriptors
    plugin = Undergo::Plugin.compile(OPENS)
    { { descriptors: 0 } => 0, { descriptors: 3 } => 3, {} => 128 }.each do |limits, most|
      instance = plugin.instantiate(sandbox: { network: "any" }, limits: limits)
      assert_equal [0] * most + [33], Array.new(most + 1) { instance.exports["open"].call }
    end
    [-1, 1 << 32, "many"].each { |wrong| assert_raises(ArgumentError) { Undergo::Limits.new(descriptors: wrong) } }
  end

  def test_what_is_given_in_vain_is_told
    plugin = Undergo::Plugin.compile(PLAIN)
    assert_empty plugin.diagnostics
    2.times { plugin.instantiate(sandbox: { network: "example.org:443" }) }
    assert_equal 1, plugin.diagnostics.size
    assert_includes plugin.diagnostics.first, "opens no sockets"
  end

  def test_what_can_not_be_allowed
    assert_includes assert_raises(Undergo::TypeMismatchError) { start(network: "example.org") }.message, "example.org"
    { "example.org:80" => "no address to listen at", "127.0.0.1:0" => "nobody would know" }.each do |listener, why|
      assert_includes assert_raises(Undergo::TypeMismatchError) { start(listeners: listener) }.message, why
    end
    assert_includes assert_raises(Undergo::DeniedError) { start(listeners: [@address]) }.message, "refuses to listen at #{@address}"
    [{ network: 5 }, { network: [5] }, { listeners: { a: 1 } }, { listeners: @server }].each do |wrong|
      assert_raises(ArgumentError) { Undergo::Sandbox.new(**wrong) }
    end
  end
end
