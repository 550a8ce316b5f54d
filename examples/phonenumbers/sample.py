"""Lines with phone numbers, as people write them, and how E.164 writes them."""

FORMS = (
    ("0{0}{1}{2}", "+49{0}{1}{2}"),
    ("0{0} / {1} {2}", "+49{0}{1}{2}"),
    ("+49 {0} {1}-{2}", "+49{0}{1}{2}"),
    ("0049 {0} {1}{2}", "+49{0}{1}{2}"),
    ("Tel. (0{0}) {1} {2}", "+49{0}{1}{2}"),
    ("+1 (212) 5{1:.2} {2}", "+12125{1:.2}{2}"),
    ("tel:+1-415-7{1:.2}-{2}", "+14157{1:.2}{2}"),
    ("+44 7400 {1:.2}{2}", "+447400{1:.2}{2}"),
    ("none yet, ask {1:.2}", ""),
)


def line(number: int) -> tuple[str, str]:
    """Make a line, and what becomes of it: always the same for the same number."""
    mixed = number * 2_654_435_761 % 2**32
    parts = ("151", "152", "157")[mixed % 3], f"{mixed // 3 % 10_000:04}", f"{number % 10_000:04}"
    given, normal = FORMS[number % len(FORMS)]
    return given.format(*parts), normal.format(*parts)


def lines(count: int) -> tuple[list[str], list[str]]:
    """Make lines, and what becomes of them."""
    made = [line(number) for number in range(count)]
    return [given for given, _ in made], [normal for _, normal in made]
