//! From guest memory to C structs, which are filled in place.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;

use undergo::host::{Lift, Piece, not_given};
use undergo::interface::{EnumType, RecordType, ResourceType, Scalar, VariantType};
use undergo::{Error, ErrorKind, Handle, HostObject, Result, Time};

use crate::arena::{Arena, copy_text};
use crate::boundary::{delete, give};
use crate::handles::{Alive, ResourceHandle};
use crate::layout::{Fields, Kind, Layout};
use crate::object::ObjectHandle;
use crate::types::{List, Text, TimeValue};

type Queue<'a> = (*mut u8, &'a [(usize, Layout)]);

/// Fills the values of a struct, one after another. Each call of a method of [`Lift`] is for the
/// place that was set last.
pub(crate) struct Filling<'a> {
    next: Cell<Option<(&'a Layout, *mut u8)>>,
    /// The places if no other was set: the fields of the struct that begins there, which are
    /// parameters, or a map's key and value.
    queue: Cell<Queue<'a>>,
    arena: &'a RefCell<Arena>,
    /// The instance that gives handles.
    giver: Option<&'a Arc<Alive>>,
    /// Those that were given.
    handles: RefCell<Vec<*mut ResourceHandle>>,
}

impl<'a> Filling<'a> {
    /// # Safety
    ///
    /// There is room for a value of that layout, aligned for it, that nobody else uses while this
    /// lives.
    #[inline]
    pub(crate) unsafe fn value(layout: &'a Layout, at: *mut u8, arena: &'a RefCell<Arena>) -> Filling<'a> {
        Filling { next: Cell::new(Some((layout, at))), queue: Cell::new((at, &[])), arena, giver: None, handles: RefCell::default() }
    }

    /// # Safety
    ///
    /// As for [`value`](Filling::value), with the struct of these fields.
    pub(crate) unsafe fn fields(fields: &'a Fields, at: *mut u8, arena: &'a RefCell<Arena>) -> Filling<'a> {
        Filling { next: Cell::new(None), queue: Cell::new((at, &fields.items)), arena, giver: None, handles: RefCell::default() }
    }

    /// The same, with handles of the objects of that instance.
    #[inline]
    pub(crate) fn with_handles_of(self, giver: Option<&'a Arc<Alive>>) -> Filling<'a> {
        Filling { giver, ..self }
    }

    /// Frees the handles that were given, which nobody gets.
    pub(crate) fn take_back(&self) {
        for handle in self.handles.take() {
            // SAFETY: `handle` has given it, and what it was written to is not read.
            unsafe { delete(handle) };
        }
    }

    /// Where the next value goes; an optional one gets a place of its own.
    #[inline]
    fn place(&self) -> Result<Option<(&'a Layout, *mut u8)>> {
        let Some((mut layout, mut at)) = self.take() else { return Ok(None) };
        while let Kind::Option(inner) = &layout.kind {
            let inside = self.arena.borrow_mut().alloc(inner.size, inner.align)?.as_ptr();
            // SAFETY: an option is a pointer, and there is room for it.
            unsafe { at.cast::<*mut u8>().write(inside) };
            (layout, at) = (inner, inside);
        }
        Ok(Some((layout, at)))
    }

    #[inline]
    fn take(&self) -> Option<(&'a Layout, *mut u8)> {
        self.next.take().or_else(|| {
            let (base, fields) = self.queue.get();
            let ((offset, layout), rest) = fields.split_first()?;
            self.queue.set((base, rest));
            Some((layout, base.wrapping_add(*offset)))
        })
    }

    /// What the next value is, without taking it.
    fn ahead(&self) -> Option<&'a Layout> {
        self.next.get().map(|(layout, _)| layout).or_else(|| self.queue.get().1.first().map(|(_, layout)| layout))
    }

    /// Writes a value that is made of no others.
    #[inline]
    fn put<T>(&self, value: T) -> Result<()> {
        if let Some((layout, at)) = self.place()? {
            debug_assert_eq!(layout.size, size_of::<T>());
            // SAFETY: the core calls the method that the type has, whose layout is that of a `T`.
            unsafe { at.cast::<T>().write(value) };
        }
        Ok(())
    }

    fn integer(&self, value: i64) -> Result<()> {
        let Some((layout, at)) = self.place()? else { return Ok(()) };
        // SAFETY: there is room for as many bytes as the layout has. The value fits: the core read
        // as many.
        unsafe {
            match layout.size {
                1 => at.write(value as u8),
                2 => at.cast::<u16>().write(value as u16),
                4 => at.cast::<u32>().write(value as u32),
                _ => at.cast::<i64>().write(value),
            }
        }
        Ok(())
    }

    fn text(&self, value: &str) -> Result<()> {
        // In this order: an option's place comes first.
        let Some(place) = self.place()? else { return Ok(()) };
        let text = copy_text(&mut self.arena.borrow_mut(), value.as_bytes())?;
        // SAFETY: a text lies there.
        unsafe { place.1.cast::<Text>().write(text) };
        Ok(())
    }

    /// Has the items of a struct filled.
    fn each(&self, fields: &'a Fields, at: *mut u8, mut item: impl FnMut(usize) -> Result<()>) -> Result<()> {
        fields.items.iter().enumerate().try_for_each(|(i, (offset, layout))| {
            self.next.set(Some((layout, at.wrapping_add(*offset))));
            item(i)
        })
    }

    /// A list of so many elements, still to be filled.
    fn list_of(&self, at: *mut u8, len: usize, size: usize, align: usize) -> Result<*mut u8> {
        // A product that is too large is more than there is memory for, too.
        let items = if len == 0 { ptr::null_mut() } else { self.arena.borrow_mut().alloc(len.saturating_mul(size), align)?.as_ptr() };
        // SAFETY: a list lies there.
        unsafe { at.cast::<List>().write(List { ptr: items, len }) };
        Ok(items)
    }
}

impl Lift for Filling<'_> {
    type Value = ();

    // What is taken of the arena. A value lies in the place that the struct or the list around it
    // has for it.
    fn cost(&self, piece: Piece<'_>) -> u64 {
        let room = |len: usize, layout: &Layout| len as u64 * layout.size as u64 + layout.align as u64;
        let mut layout = self.ahead();
        if let (Piece::Some, Some(Layout { kind: Kind::Option(inner), .. })) = (piece, layout) {
            return room(1, inner);
        }
        while let Some(Layout { kind: Kind::Option(inner), .. }) = layout {
            layout = Some(inner);
        }
        match (piece, layout.map(|layout| &layout.kind)) {
            // It ends with a NUL.
            (Piece::Text(text), _) => text.len() as u64 + 1,
            (Piece::Scalars(scalar, len), _) => (len as u64 + 1) * u64::from(scalar.size()),
            (Piece::List(len), Some(Kind::List(item))) => room(len, item),
            (Piece::Map(len), Some(Kind::Map(entry))) => len as u64 * entry.size as u64 + entry.align as u64,
            _ => 0,
        }
    }
    // A text of JSON is a text.
    fn json_cost(&self, text: &str) -> u64 {
        self.cost(Piece::Text(text))
    }

    #[inline]
    fn bool(&self, value: bool) -> Result<()> {
        self.put(value)
    }
    #[inline]
    fn s64(&self, value: i64) -> Result<()> {
        self.integer(value)
    }
    fn u64(&self, value: u64) -> Result<()> {
        self.put(value)
    }
    fn f32(&self, value: f32) -> Result<()> {
        self.put(value)
    }
    fn f64(&self, value: f64) -> Result<()> {
        self.put(value)
    }
    fn string(&self, value: &str) -> Result<()> {
        self.text(value)
    }
    fn json(&self, value: &str) -> Result<()> {
        self.text(value)
    }

    fn scalars(&self, scalar: Scalar, bytes: &[u8]) -> Result<()> {
        let Some((_, at)) = self.place()? else { return Ok(()) };
        let size = scalar.size() as usize;
        let items = self.list_of(at, bytes.len() / size, size, size)?;
        if !bytes.is_empty() {
            // SAFETY: there is room for as many bytes, and it is new.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), items, bytes.len()) };
        }
        Ok(())
    }

    fn duration(&self, nanoseconds: i64) -> Result<()> {
        self.put(nanoseconds)
    }

    fn time(&self, time: Time) -> Result<()> {
        self.put(TimeValue { seconds: time.seconds, nanoseconds: time.nanoseconds, offset: time.offset })
    }

    fn none(&self) -> Result<()> {
        if let Some((layout, at)) = self.take()
            && let Kind::Option(_) | Kind::Handle | Kind::Object = layout.kind
        {
            // SAFETY: an option is a pointer, and so are handles and objects.
            unsafe { at.cast::<*const u8>().write(ptr::null()) };
        }
        Ok(())
    }

    fn case(&self, _cases: &EnumType, case: u32) -> Result<()> {
        // The number is that of a case, of which there are far fewer.
        self.put(case as i32)
    }

    fn list(&self, len: usize, mut item: impl FnMut(usize) -> Result<()>) -> Result<()> {
        let Some((Layout { kind: Kind::List(layout), .. }, at)) = self.place()? else { return Ok(()) };
        let items = self.list_of(at, len, layout.size, layout.align)?;
        (0..len).try_for_each(|i| {
            self.next.set(Some((layout, items.wrapping_add(i * layout.size))));
            item(i)
        })
    }

    fn tuple(&self, _len: usize, item: impl FnMut(usize) -> Result<()>) -> Result<()> {
        let Some((Layout { kind: Kind::Struct(fields), .. }, at)) = self.place()? else { return Ok(()) };
        self.each(fields, at, item)
    }

    fn map(&self, len: usize, mut entry: impl FnMut(usize) -> Result<((), ())>) -> Result<()> {
        let Some((Layout { kind: Kind::Map(fields), .. }, at)) = self.place()? else { return Ok(()) };
        let entries = self.list_of(at, len, fields.size, fields.align)?;
        let outer = self.queue.get();
        let filled = (0..len).try_for_each(|i| {
            self.queue.set((entries.wrapping_add(i * fields.size), &fields.items));
            entry(i).map(drop)
        });
        self.queue.set(outer);
        filled
    }

    fn record(&self, _record: &RecordType, field: impl FnMut(usize) -> Result<()>) -> Result<()> {
        let Some((Layout { kind: Kind::Struct(fields), .. }, at)) = self.place()? else { return Ok(()) };
        self.each(fields, at, field)
    }

    fn variant(&self, _variant: &VariantType, _case: u32, _value: Option<()>) -> Result<()> {
        // `variant_of` does it all.
        Ok(())
    }

    fn variant_of(&self, _variant: &VariantType, case: u32, value: impl FnOnce() -> Result<Option<()>>) -> Result<()> {
        let Some((Layout { kind: Kind::Variant(cases), .. }, at)) = self.place()? else { return Ok(()) };
        // SAFETY: a variant lies there, which begins with its number. That is one of a case, of
        // which there are far fewer.
        unsafe { at.cast::<i32>().write(case as i32) };
        if let Some(Some(layout)) = cases.values.get(case as usize) {
            self.next.set(Some((layout, at.wrapping_add(cases.union))));
        }
        value().map(drop)
    }

    fn handle(&self, resource: &Arc<ResourceType>, handle: Handle) -> Result<()> {
        let Some(giver) = self.giver else {
            let text = format!("the guest gave a handle of {} where the host takes none", resource.name);
            return Err(Error::new(ErrorKind::TypeMismatch, text));
        };
        if let Some((Layout { kind: Kind::Handle, .. }, at)) = self.place()? {
            let given = give(ResourceHandle::new(handle, giver));
            self.handles.borrow_mut().push(given);
            // SAFETY: a pointer lies there.
            unsafe { at.cast::<*mut ResourceHandle>().write(given) };
        }
        Ok(())
    }

    fn object(&self, resource: &Arc<ResourceType>, object: HostObject) -> Result<()> {
        let own = ObjectHandle::back(&object).ok_or_else(|| not_given(resource))?;
        if let Some((Layout { kind: Kind::Object, .. }, at)) = self.place()? {
            let kept = self.arena.borrow_mut().keep(own)?;
            // SAFETY: a pointer lies there.
            unsafe { at.cast::<*mut ObjectHandle>().write(kept) };
        }
        Ok(())
    }
}
