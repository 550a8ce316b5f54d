//go:build wasip1 && go1.24

package undergo

import "runtime"

// A Ref refers to what the host implements: an object, or a function.
type Ref struct {
	handle uint32 // 0 when it has ended
	// function and parameter are where it was passed for a call.
	function, parameter string
	// giveBack ends a handle that was passed for a call, where the host does not do so.
	giveBack func(uint32)
	// cleanup ends a handle that the host has passed for good.
	cleanup runtime.Cleanup
}

// Handle is the handle of r, for a call of the host. The caller keeps r alive until the
// call has returned.
func (r *Ref) Handle() uint32 {
	if r.handle == 0 {
		r.over()
	}
	return r.handle
}

// Give is the handle of r, which the host gets for good. It has to have been passed so.
func (r *Ref) Give() uint32 {
	h := r.Handle()
	if r.function != "" {
		panic("undergo: what was passed for a call of " + r.function + " only can't be given back to the host")
	}
	r.cleanup.Stop()
	r.handle = 0
	taken--
	return h
}

//go:noinline
func (r *Ref) over() {
	if r.function == "" {
		panic("undergo: an object was used after it had been given back to the host")
	}
	panic("undergo: " + r.function + ": " + r.parameter + " was used after the call that it was passed for; write //undergo:keep " +
		r.parameter + " above " + r.function + " to keep it")
}

// OfHost is r, which a Go value refers to as an object of the host's: a typ. It may refer to
// none, since the plugin may have types with the same methods.
func OfHost(r *Ref, typ string) *Ref {
	if r == nil {
		panic("undergo: the host takes a " + typ + " only if it has given it itself")
	}
	return r
}

// What an argument refers to ends with its call. The calls of exports are nested, as is
// everything in these lists: the ones of a call lie above those of the calls around it.
var (
	lent  []*Ref     // what the host has lent
	gifts []handle   // what it has given away of the guest's own
	site  [2]string  // the function and the parameter that the glue is lifting
	over  *abandoned // what is to be ended at the next opportunity
)

// A handle is ended by drop.
type handle struct {
	handle uint32
	drop   func(uint32)
}

// An abandoned handle is one that nothing needs any more. The list of them is changed
// without an allocation, at which goroutines would switch.
type abandoned struct {
	handle
	next *abandoned
}

func (a *abandoned) push() { a.next, over = over, a }

// A Scope is a call of an export with handles in its arguments.
type Scope struct{ lent, gifts int }

// Enter begins the scope of a call.
func Enter() Scope {
	Settle()
	return Scope{len(lent), len(gifts)}
}

// Leave ends the handles that were passed for the call. It comes when the result has
// been laid out.
func (s Scope) Leave() {
	s.endLoans()
	for len(gifts) > s.gifts {
		h := gifts[len(gifts)-1]
		gifts = gifts[:len(gifts)-1]
		h.end()
	}
}

// Abandon is Leave for a call whose arguments are refused: the host may not be called
// before it has returned.
func (s Scope) Abandon() {
	s.endLoans()
	for _, h := range gifts[s.gifts:] {
		(&abandoned{handle: h}).push()
	}
	gifts = gifts[:s.gifts]
}

func (s Scope) endLoans() {
	for i, r := range lent[s.lent:] {
		if r.giveBack != nil {
			r.giveBack(r.handle)
		}
		r.handle = 0
		lent[s.lent+i] = nil
	}
	taken -= len(lent) - s.lent
	lent = lent[:s.lent]
}

// end tells the host that the handle has ended. The destructor of an object of the guest
// may run meanwhile.
func (h handle) end() {
	c := Begin()
	h.drop(h.handle)
	c.End()
}

// Settle ends the handles that nothing needs any more. Only calls of the host do so: the
// collector finds them at other times, too.
func Settle() {
	// Each export does this much, in its own code.
	if over != nil || owned >= mostOwned {
		settle()
	}
}

//go:noinline
func settle() {
	if owned >= mostOwned {
		collect()
	}
	for over != nil {
		a := over
		over = a.next
		a.end()
	}
}

// mostOwned is how many handles the plugin gets before what it has dropped of them is
// looked for. A handle is little to Go's collector, which would come by itself when
// there are ten thousands, and much to the host, which has a limit.
const mostOwned = 1000

// owned is how many handles the plugin got since then.
var owned int

// collect finds the handles that nothing needs any more.
func collect() {
	owned = 0
	runtime.GC()
	// Cleanups have a goroutine of their own, and no call has to wait for anything.
	for range turns {
		runtime.Gosched()
	}
}

// Lend says which parameter is lifted next.
func Lend(function, parameter string) { site = [2]string{function, parameter} }

func borrow(h uint32, giveBack func(uint32)) *Ref {
	r := &Ref{handle: h, function: site[0], parameter: site[1], giveBack: giveBack}
	lent = append(lent, r)
	taken++
	return r
}

// Own refers to what the host has passed for good. drop ends the handle after the
// collector has found that nothing refers to it.
func Own(h uint32, drop func(uint32)) *Ref {
	r := &Ref{handle: h}
	a := &abandoned{handle: handle{h, drop}}
	r.cleanup = runtime.AddCleanup(r, func(a *abandoned) {
		taken--
		a.push()
	}, a)
	taken++
	owned++
	return r
}

// Given notes that the host has given away a handle of an object of the guest's, which
// drop ends with the call.
func Given(h uint32, drop func(uint32)) { gifts = append(gifts, handle{h, drop}) }
