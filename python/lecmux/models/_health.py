"""What is known of an endpoint's health, and how many retries may still be spent. Both live on one thread."""

from lecmux.models.endpoints import Cooldown, Retries

_ROUNDING = 1e-9  # ten times a tenth is a little less than one


class Health:
    """Counts failures in a row and says when the endpoint may be asked again."""

    def __init__(self, cooldown: Cooldown) -> None:
        self._cooldown = cooldown
        self._failures = 0
        self._seconds = 0.0
        self._probing = False
        self._asked_to_wait = False
        self.ready_at = 0.0

    @property
    def cools_down(self) -> bool:
        """Whether it is passed over for its failures, and not because it asked to be left alone."""
        return self._seconds > 0.0 and not self._asked_to_wait

    def recovered(self) -> None:
        """It says that it is well: the next call tries it."""
        self.ready_at = 0.0

    def admits(self, now: float) -> bool:
        """True when a call may go there. After a cooldown that holds for one call at a time."""
        if self._seconds == 0.0:
            return True
        return now >= self.ready_at and not self._probing

    def asked(self) -> None:
        """A call is on its way; if there was a cooldown, it is the one that tries."""
        self._probing = self._seconds > 0.0

    def left(self) -> None:
        """The call ended without telling anything of the endpoint."""
        self._probing = False

    def worked(self) -> None:
        """The call was answered."""
        self._failures = 0
        self._seconds = 0.0
        self._probing = False

    def failed(self, now: float, *, at_once: bool = False, retry_after_seconds: float | None = None) -> None:
        """The call failed by the endpoint's fault; `at_once` cools down whatever was before."""
        self._probing = False
        self._failures += 1
        if not at_once and self._failures < self._cooldown.failures and self._seconds == 0.0:
            return
        doubled = self._seconds * 2 or self._cooldown.first_seconds
        self._seconds = min(doubled, self._cooldown.longest_seconds)
        self._asked_to_wait = at_once or retry_after_seconds is not None
        self.ready_at = now + max(self._seconds, retry_after_seconds or 0.0)


class RetryBudget:
    """Each call adds a part of a retry, each retry takes a whole one."""

    def __init__(self, retries: Retries) -> None:
        self._each = retries.budget
        self._left = float(retries.burst)
        self._most = max(self._left, 1.0)

    def called(self) -> None:
        """A call began."""
        self._left = min(self._left + self._each, self._most)

    def take(self) -> bool:
        """True when there is one retry to spend; it is spent then."""
        if self._left < 1.0 - _ROUNDING:
            return False
        self._left -= 1.0
        return True
