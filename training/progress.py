"""How far a training is: minutes counted over all its sessions, a bar, and a log of JSON lines."""
import json
import time
from pathlib import Path

from tqdm import tqdm


class Progress:
    """A training that ends after `minutes` in all, of which earlier sessions took `spent` seconds.

    `log`: the file that `line` adds to, or None. `every`: seconds between two lines.
    """

    def __init__(self, minutes: float, spent: float = 0.0, log: Path | None = None, every: float = 30.0, quiet: bool = False):
        self.minutes, self.log, self.every, self.quiet = minutes, log, every, quiet
        self._before, self._began = spent, time.time()
        self._last = self._began
        form = "{percentage:3.0f} %|{bar}| {n:.1f} of {total:.1f} min{postfix}"
        self._bar = tqdm(total=minutes, initial=min(minutes, spent / 60), bar_format=form, disable=True if quiet else None)  # None: only on a terminal

    @property
    def spent(self) -> float:
        """Seconds over all sessions."""
        return self._before + time.time() - self._began

    @property
    def done(self) -> float:
        """The share of the time that is over; 1 and more at the end."""
        return self.spent / (60 * self.minutes)

    def due(self) -> bool:
        """Whether it is time for a line."""
        self._bar.update(max(0.0, min(self.minutes, self.spent / 60) - self._bar.n))
        return time.time() - self._last > self.every

    def line(self, **facts) -> None:
        """Prints and logs `facts` with the minutes so far."""
        self._last = time.time()
        if self.quiet:
            return
        text = json.dumps({"minutes": round(self.spent / 60, 2), **facts})
        tqdm.write(text)
        if self.log:
            with open(self.log, "a") as log:
                log.write(text + "\n")
