# frozen_string_literal: true

require_relative "helper"
require "tempfile"

# Variants as Hashes of `tag` and `val`, and as objects of the classes that `undergo bindgen`
# writes.
class TestVariants < Minitest::Test
  include Helper

  Types = GUEST.types

  def test_a_case_is_a_hash
    guest = start
    assert_equal({ tag: :circle, val: Types::Circle.new(radius: 1.5) }, guest.echo_shape({ tag: :circle, val: { radius: 1.5 } }))
    assert_equal({ tag: :empty }, guest.echo_shape({ tag: :empty }))
    assert_equal %i[label empty], guest.echo_shapes([{ tag: :label, val: "x" }, { tag: :empty }]).map { |shape| shape[:tag] }
    case guest.echo_shape({ tag: :label, val: "x" })
    in { tag: :label, val: } then assert_equal "x", val
    end
  end

  def test_symbols_and_strings
    guest = start
    ["label", :label].each do |tag|
      assert_equal({ tag: :label, val: "x" }, guest.echo_shape({ "tag" => tag, "val" => "x" }))
      assert_equal({ tag: :label, val: "x" }, guest.echo_shape({ tag: tag, val: "x" }))
    end
    assert_equal({ tag: :empty }, guest.echo_shape({ tag: :empty, val: nil }))
    assert_equal :label, Types::Shape::LABEL
  end

  def test_a_record_is_the_case_of_its_name
    assert_equal({ tag: :circle, val: Types::Circle.new(radius: 2.0) }, start.echo_shape(Types::Circle.new(radius: 2)))
  end

  def test_what_is_no_case
    guest = start
    {
      { tag: :square } => '"square" is not a case of shape',
      { tag: :circle } => "the case circle of shape needs a value",
      { tag: :empty, val: 1 } => "the case empty of shape has no value",
      { tag: nil } => "the tag of shape must be a symbol or a string",
      {} => "a Hash for shape has the keys tag",
      { tag: :label, val: "x", more: 1 } => "a Hash for shape has the keys tag",
      { 1 => 2 } => "a Hash for shape has the keys tag",
      :empty => "expected shape, got Symbol",
      nil => "expected shape, got nil",
      Types::Person => "expected shape, got Class",
      Object.new => "expected shape, got Object",
      BasicObject => "expected shape, got Class"
    }.each do |given, text|
      assert_includes assert_raises(Undergo::TypeMismatchError, given.inspect) { guest.echo_shape(given) }.message, text
    end
    error = assert_raises(Undergo::TypeMismatchError) { guest.echo_shape({ tag: :circle, val: { radius: "wide" } }) }
    assert_equal "echo-shape(s.circle.radius)", error.path
    assert_predicate guest, :alive?
  end

  def test_many_survive_the_collector
    guest = start
    shapes = Array.new(2000) { |number| number.odd? ? { tag: :label, val: "label #{number}" } : { tag: :circle, val: { radius: number } } }
    stressed { assert_equal "label 1", guest.echo_shapes(shapes.first(20))[1][:val] }
    assert_equal "label 1999", guest.echo_shapes(shapes).last[:val]
  end

  def test_a_module_that_does_not_fit
    circle = Struct.new(:radius, keyword_init: true)
    {
      Module.new => "should have the classes of circle, label",
      Module.new.tap { |shape| shape.const_set(:CASES, { circle: circle }) } => "should have the classes of circle, label"
    }.each do |shape, text|
      given = Module.new.tap { |types| types.const_set(:Circle, circle) && types.const_set(:Shape, shape) }
      assert_includes assert_raises(Undergo::SignatureMismatchError) { Undergo::Plugin.load(GUEST_FILE, types: given) }.message, text
    end
  end

  def test_the_classes_that_bindgen_writes
    guest = typed
    assert_equal GuestPlugin::Circle.new(radius: 1.5), guest.echo_shape(GuestPlugin::Circle.new(radius: 1.5))
    assert_equal GuestPlugin::Label.new("x"), guest.echo_shape(GuestPlugin::Label.new("x"))
    assert_equal GuestPlugin::Empty.new, guest.echo_shape(GuestPlugin::Empty.new)
    assert_equal GuestPlugin::Empty.new, guest.echo_shape({ tag: :empty })
    shown = guest.echo_shapes([GuestPlugin::Circle.new(radius: 2), GuestPlugin::Label.new("x"), GuestPlugin::Empty.new]).map do |shape|
      case shape
      in GuestPlugin::Circle(radius:) then radius
      in GuestPlugin::Label(value) then value
      in GuestPlugin::Empty() then nil
      end
    end
    assert_equal [2.0, "x", nil], shown
    assert_kind_of GuestPlugin::Shape, guest.echo_shape(GuestPlugin::Empty.new)
    assert_equal GuestPlugin::Circle.new(radius: 1.0), guest.echo_round(GuestPlugin::Circle.new(radius: 1))
    # The names of these mean something in some languages.
    assert_equal GuestPlugin::Class.new("c"), guest.echo_token(GuestPlugin::Class.new("c"))
    assert_equal GuestPlugin::None.new, guest.echo_token(GuestPlugin::None.new)
    assert_equal GuestPlugin::Val.new(tag: "a", val: "b"), guest.echo_token(GuestPlugin::Val.new(tag: "a", val: "b"))
    error = assert_raises(Undergo::TypeMismatchError) { guest.echo_shape(GuestPlugin::Label.new(5)) }
    assert_equal "echo-shape(s.label)", error.path
    assert_raises(Undergo::TypeMismatchError) { guest.echo_shape(GuestPlugin::None.new) }
  end

  def test_a_class_may_inherit_from_a_cases
    guest = typed
    assert_equal GuestPlugin::Label.new("x"), guest.echo_shape(Class.new(GuestPlugin::Label).new("x"))
  end

  private

  # The plugin with the classes that `undergo bindgen` writes for it.
  def typed
    Tempfile.create(["guest_plugin", ".rb"]) do |file|
      undergo = Helper.built("UNDERGO", "bin/undergo")
      assert system(undergo, "bindgen", GUEST_FILE, "--lang", "ruby", "-o", file.path), "undergo bindgen"
      load file.path unless defined?(::GuestPlugin)
    end
    plugin = Undergo::Plugin.load(GUEST_FILE, types: ::GuestPlugin)
    GuestPlugin::Exports.new(plugin.instantiate(imports: { host: Host.new }, sandbox: QUIET))
  end

  def stressed
    GC.stress = true
    yield
  ensure
    GC.stress = false
  end
end
