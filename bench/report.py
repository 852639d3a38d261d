"""The benchmark's table: what was measured, against what, and whether the target was met."""


def number(value):
    return f"{value:.3f}" if value < 10 else f"{value:,.1f}"


class Report:
    def __init__(self):
        self._missed = 0
        self._rows = 0

    def section(self, title, settings=None):
        print(f"\n## {title}")
        if settings:
            print("PostgreSQL: " + ", ".join(f"{name} {value}" for name, value in settings.items()))
        print("\n| what | measured | against | ratio | target | |\n| --- | ---: | ---: | ---: | ---: | --- |", flush=True)

    def _row(self, what, measured, against, ratio, target, passed):
        self._rows += 1
        self._missed += passed is False
        verdict = {True: "pass", False: "MISS", None: ""}[passed]
        print(f"| {what} | {measured} | {against} | {ratio} | {target} | {verdict} |", flush=True)

    def at_most(self, what, measured, reference, target, unit="s"):
        """measured / reference <= target."""
        self._ratio(what, (measured, reference, unit), "≤", target, measured / reference <= target)

    def at_least(self, what, measured, reference, target, unit="s"):
        """measured / reference >= target."""
        self._ratio(what, (measured, reference, unit), "≥", target, measured / reference >= target)

    def _ratio(self, what, figures, sign, target, passed):
        measured, reference, unit = figures
        self._row(what, f"{number(measured)} {unit}", f"{number(reference)} {unit}", f"{measured / reference:.2f}",
                  f"{sign} {target}", passed)

    def least(self, what, measured, least):
        """measured >= least, of a share."""
        self._row(what, f"{measured:.4f}", "", "", f"≥ {least:g}", measured >= least)

    def rate(self, what, measured, least):
        """measured >= least, of items a second."""
        self._row(what, f"{number(measured)} items/s", "", "", f"≥ {least:,} items/s", measured >= least)

    def limit(self, what, measured, limit, unit):
        self._row(what, f"{number(measured)} {unit}", "", "", f"≤ {limit:g} {unit}", measured <= limit)

    def figure(self, what, measured, unit):
        self._row(what, f"{number(measured)} {unit}", "", "", "", None)

    def close(self):
        print(f"\n{self._rows} figures, {self._missed} missed their target")

    def all_passed(self):
        return self._missed == 0
