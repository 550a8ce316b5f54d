# frozen_string_literal: true

require_relative "helper"

# Objects of the program that a component gets, and passes back.
class TestComponents < Minitest::Test
  include Helper

  ITEMS = Undergo::Plugin.load(File.join(ROOT, "conformance/components/items.wasm"))

  Item = Struct.new(:rank)

  # What the component imports.
  class Shop
    attr_reader :stored

    def initialize
      @stored = []
    end

    def item(name)
      Item.new(name.size)
    end

    def item_open(rank)
      Item.new(rank)
    end

    def compare(one, other)
      one.rank < other.rank ? 1 : 0
    end

    def store(item)
      @stored << item
      nil
    end
  end

  def setup
    @shop = Shop.new
    @items = ITEMS.instantiate(imports: { "test:items/host" => @shop })
  end

  def test_objects_of_the_program_come_back_as_they_are
    assert_equal [3, 4], [@items.peek(Item.new(3)), @items.take(Item.new(4))]
    assert_equal [5, 20], [@items.made(false), @items.made(true)]
    assert_equal [1, 0], [@items.order(Item.new(1), Item.new(2)), @items.order(Item.new(2), Item.new(1))]
    own = Item.new(6)
    assert_same own, @items.back(own)
    @items.pass_on(own)
    assert_equal 1, @shop.stored.size
    assert_same own, @shop.stored.first
    @items.hold(Item.new(5))
    assert_equal [5, 1], [@items.held, @items.handles.held]
    @items.let_go
    assert_equal 3, @items.all([Item.new(1), Item.new(2)])
    assert_equal 0, @items.handles.held
  end

  def test_they_live_as_long_as_the_component_has_them
    @items.hold(Item.new(7))
    GC.start
    assert_equal 7, @items.held
  end

  def test_what_is_no_such_object_is_refused
    assert_includes assert_raises(Undergo::TypeMismatchError) { @items.peek(Object.new) }.message, "rank"
    assert_includes assert_raises(Undergo::TrapError) { @items.keep(Item.new(1)) }.message, "borrow"
  end
end
