# frozen_string_literal: true

module Undergo
  # Runs calls, turn by turn: see `turns.rs` in the library. The guest computes while Ruby's lock is
  # free; host functions run here, on the caller's own thread and stack, so that they may do all
  # that Ruby's code may, leaving the call by `throw` or an exception of another thread included.
  class Turns
    # Where a thread keeps the call whose host function it runs, and what it may use for the next
    # call.
    CURRENT = :undergo_turns
    IDLE = :undergo_idle
    private_constant :CURRENT, :IDLE

    # The library's, the instance or pool that is called, and the call around this one.
    attr_reader :core, :owner, :around

    # Runs a call of `owner` (nil while it is being made). The block begins it.
    def self.run(owner, imports, types, &begin_it)
      thread = Thread.current
      around = thread.thread_variable_get(CURRENT)
      return new(UndergoCore::Turns.within(around.core, around.lender(owner)&.core), owner, around).run(imports, types, &begin_it) if around

      refuse(owner) if thread.thread_variable_get(Sink::RUNNING)
      idle = thread.thread_variable_get(IDLE)
      thread.thread_variable_set(IDLE, nil)
      core = idle || UndergoCore::Turns.new
      result = new(core, owner, nil).run(imports, types, &begin_it)
      # One that was left in the middle is not used again.
      thread.thread_variable_set(IDLE, core)
      result
    end

    # Whether a host function of a call of that owner runs on this thread.
    def self.within?(owner)
      around = Thread.current.thread_variable_get(CURRENT)
      !around.nil? && !around.lender(owner).nil?
    end

    def self.refuse(owner)
      return unless owner.equal?(Thread.current.thread_variable_get(Sink::RUNNING).owner)

      raise BusyError, "a function that gets an instance's output can't call it"
    end
    private_class_method :refuse

    def initialize(core, owner, around)
      @core = core
      @owner = owner
      @around = around
      @raised = []
    end

    # This call, or the nearest around it, that has that owner.
    def lender(owner)
      return nil if owner.nil?

      @owner.equal?(owner) ? self : @around&.lender(owner)
    end

    # Runs the call that the block begins; gives its value, still packed, or the instance that was
    # made, or what became of a command.
    def run(imports, types)
      is_over = false
      turn = Errors.mapped { yield @core }
      loop do
        case turn
        when UndergoCore::Turn::RETURNED
          is_over = true
          return turn.packed
        when UndergoCore::Turn::WANTED then turn = wanted(turn, imports, types)
        when UndergoCore::Turn::AGAIN then turn = Errors.mapped { @core.resume }
        when UndergoCore::Turn::MADE
          is_over = true
          return turn.instance
        when UndergoCore::Turn::COMPLETED
          is_over = true
          return turn.completed
        when UndergoCore::Turn::RAISED
          is_over = true
          raise @raised.fetch(turn.number)
        end
      end
    rescue Error
      is_over = true
      raise
    ensure
      @core.stop unless is_over
    end

    private

    # Runs a host function, and the turn after it.
    def wanted(turn, imports, types)
      packed = begin
        arguments = Wire.unpack_all(turn.packed, types)
        Wire.pack([inside { imports[turn.function].call(*arguments) }])
      rescue StandardError => error
        @raised << error
        number = @raised.size - 1
        return Errors.mapped { @core.fail(Turns.text(error), number) }
      end
      Errors.mapped { @core.answer(packed) }
    end

    # Runs code that may call back.
    def inside
      thread = Thread.current
      before = thread.thread_variable_get(CURRENT)
      thread.thread_variable_set(CURRENT, self)
      yield
    ensure
      thread.thread_variable_set(CURRENT, before)
    end

    # What the guest gets as the text of its error.
    def self.text(error)
      message = error.is_a?(Error) ? error.sentence : error.message
      message.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub
    end
  end
  private_constant :Turns
end
