"""Whether what an image is made from has changed since it was last built."""

from shared.domain.ingredients import Ingredient, Marks


def changed(found: tuple[Ingredient, ...], built: Marks | None) -> str:
    """What has changed, in words; empty if nothing has.

    What cannot be read now counts as unchanged: when the schedule is due next it is compared again,
    still with what was built. What was never seen before counts as changed: a build too many does no harm.
    """
    if built is None:
        return "what the last build was made from is not known"
    new = [each.name for each in found if each.mark and each.key not in built]
    other = [each.name for each in found if each.mark and built.get(each.key, each.mark) != each.mark]
    told = [f"{name} has changed" for name in other] + [f"{name} was not seen before" for name in new]
    return ", ".join(told)


def unreadable(found: tuple[Ingredient, ...]) -> str:
    """What cannot be told of, in words; empty if all can."""
    return "; ".join(f"{each.name} could not be read: {each.trouble}" for each in found if not each.mark)


def marks(found: tuple[Ingredient, ...], built: Marks | None) -> Marks:
    """What a run that is requested now is made from; of what cannot be read, what was last built."""
    before = built or {}
    known = ((each.key, each.mark or before.get(each.key, "")) for each in found)
    return {key: mark for key, mark in known if mark}
