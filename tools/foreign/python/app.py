"""The greeter in Python, which componentize-py makes a component of."""

import wit_world
from componentize_py_types import Err, Ok, Result
from wit_world.imports import directory
from wit_world.imports.types import Person, Shape, Shape_Circle


class WitWorld(wit_world.WitWorld):
    """What the component exports."""

    def greet(self, who: Person) -> str:
        """Greet somebody and their friends."""
        if not who.name:
            raise Err("nobody to greet")
        friends = directory.lookup(who.name)
        address = f" <{who.email}>" if who.email is not None else ""
        return f"Hello {who.name}{address}: {', '.join([*who.tags, *friends])}"

    def turn(self, numbers: list[float]) -> list[float]:
        """Turn a list around."""
        return numbers[::-1]

    def areas(self, shapes: list[Shape]) -> list[float | None]:
        """Give the areas."""
        return [3 * shape.value**2 if isinstance(shape, Shape_Circle) else None for shape in shapes]

    def names(self, people: list[Person]) -> list[Result[str, int]]:
        """Give each one's name, or the place in the list."""
        return [Ok(person.name) if person.name else Err(place) for place, person in enumerate(people)]

    def first(self, numbers: list[float]) -> float:
        """Give the first number."""
        return numbers[0]

    def press(self, rounds: int, data: bytes) -> int:
        """Make garbage."""
        kept = []
        for i in range(rounds):
            kept = [*kept[-10:], bytes(data), str(i) * 100]
        return sum(data)
